"""What a container costs Prometheus, measured on the real thing: ``python -m tests.deploy.fleet`` prints the
tables of docs/fleet.md. One initd answers on many addresses of loopback: to Prometheus, a fleet.

Law of this file: it measures, multiplies and prints; it judges nothing.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.deploy.files import Json
from tests.deploy.leaking import Prometheus, leaking, watching
from tests.kernel.client import wait_for
from tests.kernel.harness import Scene

FLEET = 10_000
INTERVALS = (15, 30, 60)  # seconds
BASE_BYTES = 50 << 20  # what Prometheus takes without any series
PATIENCE = 300  # three scrapes of a thousand
BYTES_PER_SAMPLE = 1.5  # on disk: Prometheus' own documentation says 1 to 2
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


class Cost(NamedTuple):
    """Of one container, and one scrape of it."""

    series: int
    body_bytes: int
    gzipped_bytes: int
    answer_ms: float
    series_bytes: int  # Prometheus' memory for each

    @classmethod
    def read(cls, page: str) -> Cost:
        """What a page with the first table says."""
        rows = re.findall(r"^\| [^|]+ \| ([\d.,]+)(?: \w+)? \|$", page, re.MULTILINE)
        numbers = [float(row.replace(",", "")) for row in rows]
        return cls(int(numbers[0]), int(numbers[1]), int(numbers[2]), numbers[3], int(numbers[4]))

    def page(self) -> str:
        """The two tables, in Markdown."""
        return "\n".join([*self._one(), "", *self._many()]) + "\n"

    def _one(self) -> Iterator[str]:
        yield "| one container, one scrape | |"
        yield "| --- | ---: |"
        yield f"| series | {self.series} |"
        yield f"| size | {self.body_bytes:,} bytes |"
        yield f"| size, if it were compressed | {self.gzipped_bytes:,} bytes |"
        yield f"| time to answer | {self.answer_ms:.1f} ms |"
        yield f"| Prometheus' memory for a series | {self.series_bytes:,} bytes |"

    def _many(self) -> Iterator[str]:
        yield f"| {FLEET:,} containers, every | " + " | ".join(f"{seconds} s" for seconds in INTERVALS) + " |"
        yield "| --- |" + " ---: |" * len(INTERVALS)
        samples = [FLEET * self.series / seconds for seconds in INTERVALS]
        memory = FLEET * self.series * self.series_bytes / 2**30
        rows = {
            "million series": [f"{FLEET * self.series / 1e6:.2f}"] * len(INTERVALS),
            "samples a second": [f"{each:,.0f}" for each in samples],
            "MB a second to Prometheus": [f"{FLEET * self.body_bytes / s / 1e6:.1f}" for s in INTERVALS],
            "GiB of Prometheus' memory": [f"{memory:.1f}"] * len(INTERVALS),
            "GB of disk a day": [f"{each * 86_400 * BYTES_PER_SAMPLE / 1e9:.0f}" for each in samples],
        }
        yield from (f"| {name} | " + " | ".join(values) + " |" for name, values in rows.items())


@contextmanager
def fleet(made: Scene, size: int, home: Path, **scrape: object) -> Iterator[Prometheus]:
    """A Prometheus with ``size`` targets, all of them this initd, each called by another address.

    The one web has to answer for all of them: so many seconds that it is asked 40 times in each.
    """
    addresses = [f"127.{1 + n // 65_536}.{n // 256 % 256}.{n % 256}:{made.port}" for n in range(1, size + 1)]
    interval = f"{max(1, size // 40)}s"
    timing = {"scrape_interval": interval, "scrape_timeout": interval}
    config: Json = {"job_name": "fleet", "static_configs": [{"targets": addresses}], **timing, **scrape}
    with watching(home, {"scrape_configs": [config]}) as running:
        yield running


def number(running: Prometheus, expression: str) -> float:
    """The value of a query, once it has one."""
    sample = wait_for(lambda: running.query(expression), f"an answer to {expression}")[0]
    return float(sample["value"][1])


def measure(home: Path, size: int) -> Cost:
    """With everything that a container can have: limits, a check, a leak, and a main that was restarted."""
    with leaking("0.0.0.0:0") as made:
        body = made.tcp("GET", "/metrics", headers={"Accept": OPEN_METRICS}).body
        with fleet(made, size, home) as running:
            wait_for(lambda: running.query(f"sum(up) == {size}"), "all of the fleet to be up", PATIENCE)
            wait_for(lambda: running.query("min(count_over_time(up[1h])) > 2"), "three scrapes", PATIENCE)
            series = number(running, "max(scrape_samples_scraped)")
            quickest = number(running, "min(min_over_time(scrape_duration_seconds[1h]))")
            memory = resident(running.pid) - BASE_BYTES
            return Cost(
                int(series),
                len(body),
                len(gzip.compress(body)),
                round(quickest * 1000, 1),
                round(memory / (series * size)),
            )


def resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def main() -> None:
    """Print the page's tables."""
    with tempfile.TemporaryDirectory() as home:
        print(measure(Path(home), size=1000).page())


if __name__ == "__main__":
    main()
