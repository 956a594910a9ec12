"""The Compose file and what it mounts: by the specification, by its own word, Prometheus for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import initd
from initd.cli import parse
from tests.deploy.files import DEPLOY, Json, dashboard, document
from tests.deploy.leaking import watching
from tests.deploy.test_rules import promtool
from tests.kernel.client import wait_for
from tests.kernel.harness import program, scene

COMPOSE = DEPLOY / "compose/compose.yml"
PROMETHEUS = DEPLOY / "compose/prometheus.yml"


def service(name: str) -> Json:
    found: Json = document(COMPOSE)["services"][name]
    return found


def mounts(name: str) -> dict[str, Path]:
    """What of this repository a service sees, by the place where it sees it."""
    volumes = (volume.split(":") for volume in service(name)["volumes"])
    return {target: (COMPOSE.parent / source).resolve() for source, target, *_ in volumes if source[0] == "."}


def schema(path: Path) -> str:
    """What the Compose specification says against it."""
    program = Path(sys.executable).with_name("check-jsonschema")
    words = [str(program), "--builtin-schema", "vendor.compose-spec", str(path)]
    done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout


def test_the_specification_takes_every_field() -> None:
    assert schema(COMPOSE) == ""


def test_a_field_that_the_specification_does_not_know_is_found(tmp_path: Path) -> None:
    broken = document(COMPOSE)
    broken["services"]["app"]["pid_limit"] = 256
    (tmp_path / "compose.yml").write_text(json.dumps(broken))
    assert "pid_limit" in schema(tmp_path / "compose.yml")


def test_only_this_machine_reaches_what_it_publishes() -> None:
    published = [port for each in document(COMPOSE)["services"].values() for port in each["ports"]]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_app_has_this_version_and_time_for_an_orderly_end() -> None:
    app = service("app")
    assert app["image"] == f"initd:{initd.__version__}"
    config = parse(["--", *app["command"]], app["environment"])
    assert config.warnings == ()  # no variable is misspelt
    needed = config.drain + config.stop_timeout + config.sweep_timeout
    assert needed + 2 <= int(app["stop_grace_period"].removesuffix("s"))


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_what_a_service_mounts_is_there(name: str) -> None:
    assert mounts(name)
    assert [path for path in mounts(name).values() if not path.exists()] == []


def test_grafana_finds_the_dashboard_and_the_datasource() -> None:
    seen = mounts("grafana")
    (provider,) = document(seen["/etc/grafana/provisioning/dashboards"] / "initd.yml")["providers"]
    place = provider["options"]["path"]
    assert json.loads(seen[f"{place}/initd.json"].read_text()) == dashboard()
    assert (
        service("grafana")["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        == f"{place}/initd.json"
    )
    (source,) = document(seen["/etc/grafana/provisioning/datasources"] / "prometheus.yml")["datasources"]
    assert source["type"] == dashboard()["templating"]["list"][0]["query"]
    assert source["url"].removeprefix("http://").partition(":")[0] in document(COMPOSE)["services"]


def as_mounted(home: Path) -> Json:
    """Prometheus' configuration, with its rule files where they are mounted from."""
    seen = mounts("prometheus")
    assert seen["/etc/prometheus/prometheus.yml"] == PROMETHEUS
    configuration = document(PROMETHEUS)
    rules = [seen[f"/etc/prometheus/{name}"] for name in configuration["rule_files"]]
    configuration["rule_files"] = [str(path) for path in rules]
    (home / "mounted.yml").write_text(json.dumps(configuration))
    promtool("check", "config", "--lint=all", "--lint-fatal", home / "mounted.yml")
    return configuration


def test_prometheus_runs_with_these_files_and_watches_the_app(tmp_path: Path) -> None:
    configuration = as_mounted(tmp_path)
    (scrape,) = configuration["scrape_configs"]
    assert scrape["static_configs"] == [{"targets": ["app:9911"]}]  # the service, and initd's default port
    with scene(*program("zombies.py", 3), listen="127.0.0.1:0") as made:
        made.ready()
        scrape["static_configs"] = [{"targets": [f"127.0.0.1:{made.port}"]}]
        with watching(tmp_path, configuration) as prometheus:
            wait_for(lambda: value(prometheus.query("job:initd_zombies:sum")) == 3, "three zombies")
            loaded = prometheus.api("rules")["groups"]
            assert {Path(group["file"]).name for group in loaded} == {"rules.yml", "fleet.yml"}


def value(samples: list[Any]) -> float | None:
    """Of the app's own, while there is one."""
    return next((float(each["value"][1]) for each in samples if each["metric"]["job"] == "app"), None)
