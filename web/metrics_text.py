"""The Prometheus text format, version 0.0.4, of families as web/metrics_family.py makes them.

Law of this file: byte for byte what prometheus_client's generate_latest writes, and no more of it than we
need: no timestamps, exemplars or names beyond ASCII. From one scrape to the next only numbers change, so
words are put together once; that one does it anew, and takes four times as long, a fifth of a scrape. And
its module brings HTTP servers and a client along, 1 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_SERIES = 512  # more than we ever have
_before: dict[str, tuple[Metric, str]] = {}
# What a family is called here that OpenMetrics knows by a shorter name, or by a kind that this format lacks.
_SUFFIXES = {"counter": "_total", "info": "_info"}
_KINDS = {"info": "gauge"}


def generate_latest(figures: Collector) -> bytes:
    """The exposition."""
    return "".join(map(_text, figures.collect())).encode()


def _text(family: Metric) -> str:
    """As in the scrape before, where it is the very family."""
    before = _before.get(family.name)
    if before is None or before[0] is not family:
        before = _before[family.name] = family, "".join(_lines(family))
    return before[1]


def _lines(family: Metric) -> Iterator[str]:
    yield _head(family.name, family.type, family.documentation)
    for sample in family.samples:
        value = floatToGoString(sample.value)  # type: ignore[no-untyped-call]
        yield f"{sample.name}{_labels(tuple(sample.labels.items()))} {value}\n"


@lru_cache(_SERIES)
def _head(name: str, kind: str, text: str) -> str:
    name += _SUFFIXES.get(kind, "")
    return f"# HELP {name} {_escaped(text)}\n# TYPE {name} {_KINDS.get(kind, kind)}\n"


@lru_cache(_SERIES)
def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    pairs = ",".join([f'{name}="{_quoted(text)}"' for name, text in sorted(labels)])
    return f"{{{pairs}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
