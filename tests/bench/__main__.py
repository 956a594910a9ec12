"""``python -m tests.bench``: measure everything, print it, and write docs/performance.md.

A run with --quick or --only writes no page: it is for whoever works on one figure. --again writes it anew
from the samples of the last whole run, after a change of its words.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from . import experiment, render
from .experiments import EXPERIMENTS
from .figures import Samples
from .house import made
from .parties import OTHERS, PARTIES, ROOT, package_version

PAGE = ROOT / "docs/performance.md"
TRIED = Path(__file__).with_name("tried.md")
LAST = ROOT / "build/bench.json"


def main(argv: list[str]) -> int:
    """The story: measure who is asked for, print, and keep what was whole."""
    asked = _parse(argv)
    if not asked.again:
        samples = _measure(asked)
        if asked.quick or asked.only:
            return 0
        LAST.write_text(json.dumps({"run": vars(_run(asked.seed, samples)), "samples": samples}))
    kept = json.loads(LAST.read_text())
    PAGE.write_text(
        render.page(render.Run(**kept["run"]), EXPERIMENTS, _sized(kept["samples"]), TRIED.read_text())
    )
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    names = [each.name for each in EXPERIMENTS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="measure initd and its peers")
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes; no page")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"{', '.join(names)}; no page"
    )
    parser.add_argument("--again", action="store_true", help="measure nothing, write the page anew")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the order in each round")
    return parser.parse_args(argv)


def _measure(asked: argparse.Namespace) -> Samples:
    chosen = [each for each in EXPERIMENTS if not asked.only or each.name in asked.only]
    samples: Samples = {}
    with made() as house:
        for each in chosen:
            samples |= experiment.run(each, house, asked.seed, quick=asked.quick)
            print(render.chapter(each, samples), flush=True)
    print(render.goals(chosen, samples))
    return samples


def _sized(kept: dict[str, dict[str, dict[str, list[float]]]]) -> Samples:
    """JSON's keys are texts."""
    return {figure: {int(size): parties for size, parties in sizes.items()} for figure, sizes in kept.items()}


def _run(seed: int, samples: Samples) -> render.Run:
    took_part = {name for sizes in samples.values() for parties in sizes.values() for name in parties}
    cpus = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    here = {
        name: party.version if name in took_part else "(not installed)" for name, party in PARTIES.items()
    }
    return render.Run(
        time.strftime("%Y-%m-%d"),
        len(os.sched_getaffinity(0)),
        next(cpus, "?: an unknown processor").partition(":")[2].strip(),
        platform.release(),
        platform.python_version(),
        seed,
        here | {name: package_version(package) for name, package in OTHERS.items()},
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
