"""docs/reliability.md is a run's report: every fault that has a test stands in it, as the test says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from scripts.reliability import PAGE, render
from tests.house.imports import ROOT


def marked() -> Iterator[tuple[str, str]]:
    """Fault and what is kept, of every test that is marked ``survives``."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.survives":
                fault, kept = (ast.literal_eval(argument) for argument in node.args)
                yield fault, kept


FAULTS = list(marked())


@pytest.mark.parametrize(("fault", "kept"), FAULTS, ids=[fault for fault, _ in FAULTS])
def test_every_fault_that_is_made_stands_in_the_report(fault: str, kept: str) -> None:
    assert f"| {fault} | {kept} |" in PAGE.read_text(), "run make reliability"


def test_figures_of_variants_say_whose_they_are() -> None:
    test = "tests/house/test_reliability.py::test_x"
    page = render(
        [
            {"test": f"{test}[a]", "fault": "web dies", "kept": "main", "figures": {"back after": "1 s"}},
            {"test": f"{test}[b]", "fault": "web dies", "kept": "main", "figures": {"back after": "2 s"}},
        ]
    )
    assert "| web dies | main | 2 variants; a: back after 1 s; b: back after 2 s |" in page
    assert "## docs/reliability.md is a run's report" in page
