"""``python -m scripts.reliability [TESTS…]`` makes every fault that has a test; docs/reliability.md.

Law of this file: it runs the tests that are marked ``survives`` and renders what they measured; no figure is
written by hand, and a fault whose test never passed is no row. All of them take an hour and a half at
INITD_TEST_SOAK=1; with TESTS only theirs are made again, and the rows of the others stay.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reliability.md"
KEPT = ROOT / "build/reliability.json"  # what all runs here have measured
HEAD = """# What initd survives

Every row is a test that makes the fault for real, around a real initd, and asserts that nothing was lost.
The figures were measured by `make reliability` on {machine},
with soaks of {scale} of their length (`INITD_TEST_SOAK`; 1 is everything, and takes an hour and a half).
`make test` runs the same tests with shorter soaks.

"""
SCALE = os.environ.get("INITD_TEST_SOAK", "1")


def main() -> int:
    """Run, keep, render, write; the tests' exit code."""
    with tempfile.TemporaryDirectory() as place:
        figures = Path(place) / "figures.json"
        environ = {**os.environ, "INITD_TEST_SOAK": SCALE, "INITD_TEST_FIGURES": str(figures)}
        words = [sys.executable, "-m", "pytest", "-m", "survives", *(sys.argv[1:] or ["tests"])]
        code = subprocess.run(words, env=environ, cwd=ROOT, check=False).returncode
        KEPT.parent.mkdir(exist_ok=True)
        kept = {each["test"]: each for each in json.loads(KEPT.read_text())} if KEPT.exists() else {}
        kept |= {each["test"]: each for each in json.loads(figures.read_text())}
    KEPT.write_text(json.dumps(list(kept.values()), indent=1))
    PAGE.write_text(render(list(kept.values())))
    return code


def render(survived: list[dict[str, Any]]) -> str:
    """The page: a table for each file of tests, in their order."""
    tables: dict[str, list[str]] = {}
    for fault, kept, place, figures in _rows(
        sorted(survived, key=lambda each: str(each["test"]).split("::")[0])
    ):
        title = _title(place)
        line = f"| {fault} | {kept} | {figures} |"
        tables.setdefault(title, []).append(line)
    text = HEAD.format(machine=_machine(), scale=f"{float(SCALE):.0%}")
    for title, lines in tables.items():
        text += f"## {title}\n\n| fault | what is kept | measured |\n| --- | --- | --- |\n" + "\n".join(lines)
        text += "\n\n"
    return text.rstrip() + "\n"


def _rows(survived: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """One for each test, however many variants of it ran."""
    variants: dict[str, list[dict[str, Any]]] = {}
    for each in survived:
        variants.setdefault(each["test"].partition("[")[0], []).append(each)
    return [
        (all_of[0]["fault"], all_of[0]["kept"], name.partition("::")[0], _measured(all_of))
        for name, all_of in variants.items()
    ]


def _measured(variants: list[dict[str, Any]]) -> str:
    """All figures; where there are variants, how many, and whose a figure is."""
    words = [f"{len(variants)} variants"] if len(variants) > 1 else []
    for each in variants:
        whose = each["test"].partition("[")[2].rstrip("]")
        figures = ", ".join(f"{name} {value}" for name, value in each["figures"].items())
        if figures:
            words.append(f"{whose}: {figures}" if whose else figures)
    return "; ".join(words).replace("|", "\\|")


def _title(place: str) -> str:
    """The first line of the test file's docstring."""
    text = ast.get_docstring(ast.parse((ROOT / place).read_text())) or place
    return text.splitlines()[0].rstrip(".")


def _machine() -> str:
    return f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
