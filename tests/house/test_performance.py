"""docs/performance.md is a run's page: every row and every peer stands in it; and its arithmetic is right."""

from __future__ import annotations

import pytest

from tests.bench import render
from tests.bench.experiments import EXPERIMENTS
from tests.bench.figures import Limit, Row, Samples, quantile, slope, slope_of_large, spread, verdicts
from tests.bench.parties import OTHERS, PARTIES
from tests.house.imports import ROOT

PAGE = ROOT / "docs/performance.md"
ROWS = [row for each in EXPERIMENTS for row in each.rows]
WALL = Row("wall", "storm, wall", "ms", "tini", (Limit("initd", 1.1, 1.05, "tini"),))


def of_wall(tini: list[float], initd: list[float], size: int = 0) -> Samples:
    return {"wall": {size: {"tini": tini, "initd": initd}}}


@pytest.mark.parametrize("title", [row.title for row in ROWS])
def test_every_row_of_the_bench_stands_in_the_page(title: str) -> None:
    assert f"**{title}" in PAGE.read_text(), "run make bench"


@pytest.mark.parametrize("name", [*PARTIES, *OTHERS])
def test_every_peer_stands_in_the_page_with_its_version(name: str) -> None:
    line = next(line for line in PAGE.read_text().splitlines() if line.startswith("- Parties: "))
    assert f" {name} " in line, "run make bench"


@pytest.mark.parametrize("row", [row for row in ROWS if row.limits], ids=lambda row: row.title)
def test_every_goal_stands_in_the_page_kept_or_not(row: Row) -> None:
    goals = PAGE.read_text().partition("## Goals")[2].partition("\n## ")[0]
    assert f"| {row.title}" in goals, "run make bench"


def test_the_page_says_what_was_tried() -> None:
    assert "## What was tried" in PAGE.read_text()


def test_a_quantile_lies_between_its_neighbours() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([1, 2], 0.5) == 1.5
    assert quantile([7], 0.99) == 7
    assert spread([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]) == (10, 90)


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_a_slope_is_the_exponent_that_made_the_figures(exponent: int) -> None:
    found = slope({size: 3.0 * size**exponent for size in (10, 100, 1_000, 10_000)})
    assert found == pytest.approx(exponent)


def test_what_is_the_same_for_every_size_does_not_hide_how_a_figure_grows() -> None:
    points = {size: 500_000 + float(size) ** 2 for size in (10, 100, 1_000, 10_000)}
    everywhere, large = slope(points), slope_of_large(points)
    assert everywhere is not None
    assert large is not None
    assert everywhere < 1 < large


def test_one_size_has_no_slope() -> None:
    assert slope({1_000: 5.0}) is None
    assert slope_of_large({10: 1.0, 1_000: 5.0}) is None


@pytest.mark.parametrize(
    ("initd", "word"),
    [(10.4, "kept"), (10.8, "budget only"), (11.2, "missed")],
    ids=["goal", "budget", "none"],
)
def test_a_ratio_to_a_peer_is_held_against_goal_and_budget(initd: float, word: str) -> None:
    (verdict,) = verdicts(WALL, of_wall([10.0], [initd]))
    assert verdict.word == word


def test_a_limit_of_one_size_is_not_held_against_another() -> None:
    row = Row("wall", "storm, wall", "ms", "tini", (Limit("initd", 1.1, 1.05, "tini", at=20),))
    assert verdicts(row, of_wall([1.0], [9.0], size=10)) == []


def test_who_did_not_take_part_has_no_verdict_in_its_favour() -> None:
    (verdict,) = verdicts(WALL, {"wall": {0: {"tini": [1.0]}}})
    assert verdict.word == "not measured"


def test_a_goal_that_was_missed_is_said_in_bold() -> None:
    experiment = next(each for each in EXPERIMENTS if each.name == "up")
    text = render.goals([experiment], {"up": {0: {"initd": [900.0, 1_000.0, 1_100.0]}}})
    assert "| HTTP up after main | initd | 350 ms | 350 ms | 1,000 ms | **missed** |" in text


def test_a_row_shows_median_spread_count_and_ratio() -> None:
    experiment = next(each for each in EXPERIMENTS if each.name == "exit")
    text = render.chapter(experiment, {"exit": {0: {"tini": [1.0, 2.0, 3.0], "initd": [8.0]}}})
    assert "| tini | 2 (1.2–2.8, 3) | 1 |" in text  # noqa: RUF001  a dash is meant
    assert "| initd | 8 (8–8, 1) | 4 |" in text  # noqa: RUF001  a dash is meant
