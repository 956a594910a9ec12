"""/metrics: every name of the design, lint-clean, bounded, and true."""

from __future__ import annotations

import asyncio
import platform
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.requests import Request
from starlette.responses import Response

from initd.ledger import Ledger
from initd.model import COMMON_SIGNALS as SIGNALS
from initd.model import EVENT_KINDS, ORIGINS, OUTCOMES, PROCESS_STATES, PUBLIC_STATES, SOURCES
from initd.model import RESTART_REASONS as REASONS
from initd.signals import NAMES
from tests.web.fake_house import fake_house, get, own_state, state
from tests.web.scene import scene
from web import cgroup
from web.api import metrics
from web.house import BOUNDS, GROUPS
from web.metrics_proc import CGROUP
from web.sampler import ERRORS
from web.tree import RELATIONS

MOST_SERIES = 300
OPENMETRICS = "application/openmetrics-text"


def scraped(reply: dict[str, Any], house: Any = None) -> str:
    answer = get(house or fake_house(reply), metrics.show, "/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5", "identity", "gzip;q=0", "br"])
def test_it_is_zipped_for_those_who_take_that(accepted: str) -> None:
    answer = get(fake_house(state()), metrics.show, "/metrics", **{"Accept-Encoding": accepted})
    zipped = answer.headers.get("content-encoding") == "gzip"
    assert zipped == (accepted in ("gzip", "deflate, GZIP;q=0.5"))
    assert "initd_build_info" in answer.text  # httpx has unzipped it


def test_all_who_ask_at_once_share_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []

    def render(media_type: str, _: object) -> bytes:
        rendered.append(media_type)
        return b"figures"

    monkeypatch.setattr(metrics, "render", render)

    async def at_once(_: Request) -> Response:
        request = Request(
            {"type": "http", "headers": [], "app": SimpleNamespace(state=SimpleNamespace(house=house))}
        )
        answers = await asyncio.gather(*(metrics.show(request) for _ in range(50)))
        assert {answer.body for answer in answers} == {b"figures"}
        return Response()

    house = fake_house(state())
    assert get(house, at_once, "/at-once").status_code == 200
    assert len(rendered) == 1


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Value by (name, label values in the order of their names)."""
    return {
        (sample.name, tuple(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in parse_text(text)
        for sample in family.samples
    }


def value(text: str, name: str, *labels: str) -> float:
    return samples(text)[name, labels]


def names(text: str) -> set[str]:
    return {name for name, _ in samples(text)}


def full_house() -> Any:
    """A house in which whatever can be counted has been."""
    kinds = {f"{name}/{source}": 1 for source in SOURCES for name in NAMES.values()}
    reply = own_state(
        main=1,
        signals={"RTMIN+3/api": 2, "RTMAX-1/api": 3, **kinds},
        reaped={"main/exited": 1, "helper/signaled": 2},
        events=dict.fromkeys(EVENT_KINDS, 3),
        reap_batch_seconds=Ledger().reap_batch.as_dict() | {"counts": [3, 2, 0, 1, *[0] * 7], "sum": 0.05},
        checks=[{"name": n, "ok": n != "web", "why": ""} for n in ("core", "main", "web", "ready")],
    )
    reply["status"]["main"]["last_exit"] = {"code": 3, "signal": None, "at": "2026-01-01T00:00:00.250Z"}
    house = fake_house(reply)
    for group in GROUPS:
        for status in (200, 300, 400, 500):
            house.http.observe(group, status, 0.02)
    return house


@pytest.fixture
def every_cgroup_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "figures", lambda: dict.fromkeys(CGROUP, 1.0))


@pytest.mark.usefixtures("every_cgroup_figure")
def test_promtool_finds_nothing_to_complain_about() -> None:
    text = scraped({}, full_house())
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.usefixtures("every_cgroup_figure")
def test_there_are_at_most_300_series_even_when_everything_has_happened() -> None:
    assert len(samples(scraped({}, full_house()))) <= MOST_SERIES


def test_a_rare_signal_has_its_name_while_there_is_room_and_is_counted_for_ever() -> None:
    rare = [name for name in NAMES.values() if name not in SIGNALS]
    text = scraped(
        own_state(signals={f"{name}/{source}": 1 for source in ("api", "orphan") for name in rare})
    )
    assert value(text, "initd_signals_total", rare[0], "api") == 1
    told = [number for (name, _), number in samples(text).items() if name == "initd_signals_total"]
    assert sum(told) == 2 * len(rare)
    assert value(text, "initd_signals_total", "other", "orphan") > 1


@pytest.mark.usefixtures("every_cgroup_figure")
def test_openmetrics_is_valid_and_says_the_same_as_text() -> None:
    house = full_house()
    answer = get(house, metrics.show, "/metrics", accept=f"{OPENMETRICS};version=1.0.0,text/plain;q=0.5")
    assert answer.headers["content-type"] == f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
    families: list[Metric] = list(openmetrics.text_string_to_metric_families(answer.text))  # type: ignore[no-untyped-call]
    shown = {sample.name for family in families for sample in family.samples}
    passing = {"initd_oldest_zombie_timestamp_seconds"}  # of this machine: there may be one now and then
    assert shown - passing == names(scraped({}, house)) - passing
    assert len({family.name for family in families}) == len(families)
    assert all(len(family.documentation) > 10 for family in families)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/plain"),
        (
            f"{OPENMETRICS};version=1.0.0;q=0.5,{OPENMETRICS};version=0.0.1;q=0.4,text/plain;q=0.2",
            OPENMETRICS,
        ),
        (f"{OPENMETRICS};version=99.x;escaping=rubbish", OPENMETRICS),
        (f"{OPENMETRICS};q=0.1, text/plain", "text/plain"),
        ("image/png", "text/plain"),
    ],
)
def test_accept_chooses_the_format_and_cannot_break_it(accept: str, kind: str) -> None:
    answer = get(fake_house(own_state()), metrics.show, "/metrics", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == kind


def test_labels_come_from_closed_sets_and_no_name_is_older_than_its_family() -> None:
    allowed = {
        "version",
        "python",
        "role",
        "state",
        "parent",
        "seen",
        "origin",
        "outcome",
        "reason",
        "signal",
    }
    allowed |= {"source", "check", "kind", "group", "code", "le"}
    text = scraped({}, full_house())
    assert {label for family in parse_text(text) for s in family.samples for label in s.labels} == allowed
    assert not [name for name in names(text) if name.endswith("_created")]
    assert all(re.match(r"(initd|process)_", name) for name in names(text))


def test_counters_and_states_are_there_before_anything_happened() -> None:
    text = scraped(own_state())
    expected = [
        *(("initd_reaped_total", origin, outcome) for origin in ORIGINS for outcome in OUTCOMES),
        *(("initd_signals_total", name, source) for name in SIGNALS for source in SOURCES),
        *(("initd_main_restarts_total", reason) for reason in REASONS),
        *(("initd_events_total", kind) for kind in EVENT_KINDS),
        *(("initd_adoptions_total", seen) for seen in ("alive", "dead")),
        *(("initd_snapshot_errors_total", reason) for reason in ERRORS),
        ("initd_web_restarts_total",),
        ("initd_events_dropped_total",),
        ("initd_event_streams",),
        ("initd_adopted_processes",),
    ]  # fmt: skip
    for name, *labels in expected:
        assert value(text, name, *labels) == 0, (name, labels)
    for word in PROCESS_STATES.values():
        assert value(text, "initd_processes", word) >= 0
    for parent in ("init", "main", "descendant", "adopted", "outside"):
        assert value(text, "initd_zombies", parent) >= 0
    assert [value(text, "initd_main_state", s) for s in PUBLIC_STATES] == [0, 0, 0, 0, 1]


def test_what_has_not_happened_yet_has_no_timestamp_and_no_exit_code(tmp_path: Path) -> None:
    absent = {
        "initd_main_start_timestamp_seconds",
        "initd_main_last_exit_code",
        "initd_main_last_exit_timestamp_seconds",
        "initd_main_cpu_seconds_total",
        "initd_oldest_zombie_timestamp_seconds",
        "initd_health_check_passing",
    }
    text = scraped({}, fake_house(own_state(), str(tmp_path)))
    assert not absent & names(text)
    assert value(text, "initd_main_up") == 0
    assert value(text, "initd_ready") == 0


def test_what_the_core_counted_is_what_is_shown() -> None:
    text = scraped({}, full_house())
    assert value(text, "initd_signals_total", "TERM", "api") == 1
    assert value(text, "initd_signals_total", "TERM", "stop") == 1
    assert value(text, "initd_signals_total", "RT", "api") == 5 + sum(
        n.startswith("RT") for n in NAMES.values()
    )
    assert value(text, "initd_reaped_total", "helper", "signaled") == 2
    assert value(text, "initd_reaped_total", "helper", "exited") == 0
    assert value(text, "initd_events_total", "adopted") == 3
    assert value(scraped(own_state(reparented=4)), "initd_reparented_total") == 4
    assert value(text, "initd_health_check_passing", "main") == 1
    assert value(text, "initd_health_check_passing", "web") == 0
    assert value(text, "initd_main_last_exit_code") == 3
    assert value(text, "initd_main_last_exit_timestamp_seconds") == 1767225600.25
    assert value(text, "initd_main_start_timestamp_seconds") == 1767225601.5
    assert [value(text, "initd_main_state", s) for s in PUBLIC_STATES] == [0, 1, 0, 0, 0]
    assert value(text, "initd_build_info", platform.python_version(), "1.2.3") == 1
    assert value(text, "initd_init_info", "subreaper") == 1


@pytest.mark.parametrize(("name", "code"), [("KILL", 137), ("33", 161), ("RTMIN", 162)])
def test_a_main_that_a_signal_killed_shows_what_a_shell_would(name: str, code: int) -> None:
    reply = own_state()
    reply["status"]["main"]["last_exit"] = {"code": None, "signal": name, "at": "2026-01-01T00:00:00Z"}
    assert value(scraped(reply), "initd_main_last_exit_code") == code


def test_histograms_are_cumulative() -> None:
    text = scraped({}, full_house())
    name = "initd_reap_batch_seconds_bucket"
    assert [value(text, name, le) for le in ("0.0001", "0.0005", "0.001", "0.005", "+Inf")] == [3, 5, 5, 6, 6]
    assert value(text, "initd_reap_batch_seconds_count") == 6
    assert value(text, "initd_reap_batch_seconds_sum") == 0.05
    edges = [*map(str, BOUNDS), "+Inf"]
    api = [value(text, "initd_http_request_duration_seconds_bucket", "api", le) for le in edges]
    assert api == [0, 4, 4, 4, 4, 4, 4]
    assert value(text, "initd_http_requests_total", "4xx", "api") == 1


def test_real_processes_are_counted_and_the_dead_blamed_on_whoever_does_not_wait() -> None:
    code = """
dead = [zombie(b"git") for _ in range(3)]
r, w = os.pipe()
if not os.fork():
    zombie(b"ssh")
    os.write(w, b".")
    stay()
os.read(r, 1)
ready()
stay()
"""
    with scene(code) as child:
        text = scraped(own_state(main=child["pid"]))
        adopted = scraped(own_state())
        outside = scraped(state(init=1))
    for seen in (text, adopted, outside):
        dead = sum(value(seen, "initd_zombies", parent) for parent in RELATIONS)
        assert value(seen, "initd_processes", "zombie") == dead >= 4
    assert value(text, "initd_zombies", "main") == 3
    assert value(text, "initd_zombies", "descendant") == 1
    assert value(adopted, "initd_zombies", "adopted") == 4
    assert value(text, "initd_main_threads") == 1
    assert value(text, "initd_main_resident_memory_bytes") > 100_000
    assert value(text, "initd_main_virtual_memory_bytes") > 1_000_000
    assert value(text, "initd_tree_threads") >= value(text, "initd_tree_processes") >= 6
    assert value(text, "initd_threads") >= sum(
        value(text, "initd_processes", s) for s in PROCESS_STATES.values()
    )
    assert value(text, "initd_tree_resident_memory_bytes") >= value(text, "initd_main_resident_memory_bytes")
    assert value(text, "initd_oldest_zombie_timestamp_seconds") > 1_700_000_000


def test_the_init_s_and_web_s_own_figures_have_the_standard_names() -> None:
    text = scraped(own_state())
    for name in (
        "cpu_seconds_total",
        "resident_memory_bytes",
        "virtual_memory_bytes",
        "start_time_seconds",
        "open_fds",
        "max_fds",
    ):
        assert value(text, f"process_{name}") > 0
        assert value(text, f"initd_web_process_{name}") > 0
    assert value(text, "process_open_fds") == 9  # the core's own count
    assert value(text, "initd_snapshot_duration_seconds") > 0
    assert value(text, "initd_kernel_pid_max") > 100
    assert value(text, "initd_kernel_threads_max") > 100


def test_a_scrape_without_proc_still_has_what_the_core_counted(tmp_path: Path) -> None:
    text = scraped({}, fake_house(own_state(web_restarts=4), str(tmp_path / "none")))
    assert value(text, "initd_web_restarts_total") == 4
    assert value(text, "initd_snapshot_errors_total", "unlistable") == 1
    assert "initd_processes" not in names(text)


def test_a_silent_core_is_503() -> None:
    answer = get(fake_house(None), metrics.show, "/metrics")
    assert answer.status_code == 503
    assert answer.json()["code"] == "core_silent"
