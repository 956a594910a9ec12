"""The rules for many containers, and what docs/fleet.md says of them: measured, multiplied, asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy.files import DEPLOY, Json, document, rules
from tests.deploy.fleet import Cost, measure
from tests.deploy.leaking import Prometheus, leaking, watching
from tests.deploy.promql import operands, selectors
from tests.deploy.test_expressions import lacking
from tests.deploy.test_rules import promtool
from tests.kernel.client import wait_for
from tests.kernel.harness import scene

FLEET = DEPLOY / "prometheus/fleet.yml"
PAGE = (DEPLOY.parent / "docs/fleet.md").read_text()
QUERIES = re.findall(r"^```promql\n(.+?)\n```", PAGE, re.MULTILINE)
RECORDED = {rule["record"]: rule["expr"] for group in document(FLEET)["groups"] for rule in group["rules"]}


def lean() -> list[Json]:
    """What the page says to leave out."""
    (found,) = re.findall(r"^```yaml\nmetric_relabel_configs:\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    rules: list[Json] = yaml.safe_load(found)
    return rules


def test_promtool_finds_nothing_to_improve_in_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", FLEET)


def test_the_workload_that_leaks_is_found_and_no_other() -> None:
    promtool("test", "rules", FLEET.with_name("fleet_test.yml"))


def test_the_page_names_every_recorded_series() -> None:
    assert sorted(re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE)) == sorted(RECORDED)


def test_the_page_multiplies_as_it_measures() -> None:
    assert Cost.read(PAGE).page() in PAGE


def test_the_page_is_still_right_about_what_a_container_costs(tmp_path: Path) -> None:
    """To a tenth where a machine makes no difference, else less than threefold, as the page says."""
    written, measured = Cost.read(PAGE), measure(tmp_path, size=100)
    for number in ("series", "body_bytes", "gzipped_bytes"):
        assert getattr(measured, number) == pytest.approx(getattr(written, number), rel=0.1), number
    for number in ("answer_ms", "series_bytes"):
        assert getattr(measured, number) < 3 * getattr(written, number), number


World = tuple[Prometheus, str]


def hurried(expression: str) -> str:
    """The same question of the last seconds instead of the last half hour."""
    return re.sub(r"\b(30m|1h)\b", "4s", expression)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A workload that leaks, scraped leanly, and one that does not; with what it says of itself."""
    home = tmp_path_factory.mktemp("fleet")
    record = [{"record": name, "expr": hurried(expression)} for name, expression in RECORDED.items()]
    groups = {"groups": [{"name": "hurried", "rules": record}]}
    (home / "fleet.yml").write_text(yaml.safe_dump(groups))
    with leaking() as leaky, scene("sleep", "1000", listen="127.0.0.1:0") as calm:
        targets = {"shop/cart": leaky.port, "shop/calm": calm.port}
        scrapes = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            for job, port in targets.items()
        ]
        scrapes[0]["metric_relabel_configs"] = lean()
        with watching(home, {"rule_files": [str(home / "fleet.yml")], "scrape_configs": scrapes}) as running:
            yield running, leaky.tcp("GET", "/metrics").text


@pytest.mark.parametrize("query", QUERIES)
def test_a_question_of_the_page_is_answered_and_names_the_one_that_leaks(world: World, query: str) -> None:
    running, _ = world
    found = wait_for(lambda: running.query(hurried(query)), f"an answer to {query}")
    assert {sample["metric"].get("job", "shop/cart") for sample in found} == {"shop/cart"}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_series_is_there(world: World, name: str) -> None:
    wait_for(lambda: world[0].query(name), name)


NEEDED = sorted(
    {
        part.prettify()
        for rule in [*rules(), *(rule for group in document(FLEET)["groups"] for rule in group["rules"])]
        for operand in operands(rule["expr"])
        for part in selectors(operand)
        if str(part.name).startswith("initd_")
    }
)


@pytest.mark.parametrize("selector", NEEDED)
def test_a_lean_scrape_keeps_what_the_rules_read(world: World, selector: str) -> None:
    running, metrics = world
    plain = re.sub(r"\[.+?\]| offset \w+", "", selector)
    if lacking(plain, metrics):
        return
    wait_for(lambda: running.query(f"count({plain}) by (job)"), plain)
    jobs = {sample["metric"]["job"] for sample in running.query(f"count by (job) ({plain})")}
    assert "shop/cart" in jobs


def test_a_lean_scrape_is_a_third_smaller(world: World) -> None:
    running, _ = world
    wait_for(lambda: len(running.query("scrape_samples_scraped")) == 2, "a scrape of each")
    (cart,) = running.query('scrape_samples_post_metric_relabeling / scrape_samples_scraped{job="shop/cart"}')
    assert 0.4 < float(cart["value"][1]) < 0.67
