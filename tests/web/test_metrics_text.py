"""web.metrics_text: the same bytes as prometheus_client's."""

from __future__ import annotations

import prometheus_client
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.registry import Collector

from web import metrics_family as family
from web.metrics_family import Families
from web.metrics_text import generate_latest

TEXT = st.text(max_size=8) | st.sampled_from(['"', "\\", "\n", 'a\\n"b\\"', "é", "", "\\\\"])
LABEL = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
NAME = LABEL | LABEL.map(lambda name: f"{name}_total")
NUMBER = st.floats() | st.integers(-(2**63), 2**63) | st.booleans()
COUNTS = st.lists(st.integers(0, 10**9), min_size=3, max_size=3)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[list[str], dict[tuple[str, ...], float]]:
    labels = draw(st.lists(LABEL, unique=True, min_size=1, max_size=3))
    words = st.tuples(*[TEXT] * len(labels))
    return labels, draw(st.dictionaries(words, NUMBER, max_size=4))


ONE = st.one_of(
    st.builds(family.gauge, NAME, TEXT, NUMBER | st.none()),
    st.builds(family.counter, NAME, TEXT, NUMBER),
    st.builds(family.gauges, NAME, TEXT, LABEL, st.dictionaries(TEXT, NUMBER, max_size=4)),
    st.builds(lambda name, text, what: family.counters(name, text, *what), NAME, TEXT, labelled()),
    st.builds(family.info, NAME, TEXT, st.dictionaries(LABEL, TEXT, max_size=3)),
    st.builds(
        lambda name, text, label, rows: family.histogram(
            name, text, [({label: word}, (0.005, 1.0), counts, total) for word, counts, total in rows]
        ),
        NAME,
        TEXT,
        LABEL.filter(lambda label: label != "le"),
        st.lists(st.tuples(TEXT, COUNTS, NUMBER), max_size=3),
    ),
).map(list)


class Some(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Families:
        yield from self._families


@given(st.lists(ONE, max_size=6))
def test_they_are_the_same_bytes(made: list[list[Metric]]) -> None:
    figures = Some([each for some in made for each in some])
    assert generate_latest(figures) == prometheus_client.generate_latest(figures)
