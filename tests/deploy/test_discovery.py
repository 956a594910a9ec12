"""Whom the scrape configurations find, and what they call it: asked of promtool, which scrapes nobody.

Debian's Prometheus is built without Kubernetes' discovery. So what that would have found is given as static
targets with the same __meta labels; every rule after it is the file's own.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

from tests.deploy.engine import container, engine
from tests.deploy.files import DEPLOY, Json, document
from tests.deploy.manifests import KUBERNETES, kind, rendered
from tests.deploy.test_rules import promtool

DOCKER, CLUSTER = (DEPLOY / "prometheus" / name for name in ("docker.yml", "kubernetes.yml"))
META = "__meta_kubernetes_"
# Pods, by the kind and the name of what made them, and what their workload is to be called.
PODS = {
    ("cart-6d4cf56db6-x2x9k", "ReplicaSet", "cart-6d4cf56db6"): "shop/cart",
    ("db-0", "StatefulSet", "db"): "shop/db",
    ("log-x8zqp", "DaemonSet", "log"): "shop/log",
    ("tidy-29301234-abcde", "Job", "tidy-29301234"): "shop/tidy",
    ("once-2-abcde", "Job", "once-2"): "shop/once-2",
    ("alone", "", ""): "shop/alone",
}
MADE = [dict(zip(("name", "controller_kind", "controller_name"), made, strict=True)) for made in PODS]
YES = {"annotation_initd_scrape": "true"}


def pod(ip: str = "10.0.0.7", at: str = ":8080", **known: str) -> Json:
    """One target of Kubernetes' discovery: each declared container port is one, and so is a pod without."""
    address = f"[{ip}]" if ":" in ip else ip
    labels = {"pod_name": "p", "pod_phase": "Running", "pod_ip": ip, "namespace": "shop"}
    labels |= {f"pod_{key}": value for key, value in known.items()}
    return {
        "targets": [address + at],
        "labels": {META + key: value for key, value in labels.items()},
    }


def told(home: Path, scrape: Json) -> list[dict[str, str]]:
    """The labels of every target that is kept, once for equal ones."""
    (home / "prometheus.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
    done = subprocess.run(
        [
            "promtool",
            "check",
            "service-discovery",
            "--timeout=5s",
            home / "prometheus.yml",
            scrape["job_name"],
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    labels = [target["labels"] for target in json.loads(done.stdout) if target["labels"]]  # none: dropped
    return [each for number, each in enumerate(labels) if each not in labels[:number]]


@cache
def annotated() -> Json:
    """The scrape configuration of kubernetes.yml, without its discovery."""
    (found,) = document(CLUSTER)["scrape_configs"]
    assert found.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    scrape: Json = found
    return scrape


@cache
def monitored() -> Json:
    """The PodMonitor as the operator translates it: keep the port of that name, then what it says."""
    (monitor,) = kind(rendered(KUBERNETES / "monitoring"), "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    keep = {"source_labels": [f"{META}pod_container_port_name"], "regex": endpoint["port"], "action": "keep"}
    snake = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    given = [{snake.get(key, key): value for key, value in rule.items()} for rule in endpoint["relabelings"]]
    return {"job_name": "monitored", "metrics_path": endpoint["path"], "relabel_configs": [keep, *given]}


def test_an_annotated_pod_is_called_by_namespace_and_workload(tmp_path: Path) -> None:
    pods = [pod(**known, **YES) for known in MADE]
    found = told(tmp_path, annotated() | {"static_configs": pods})
    assert {each["pod"]: each["job"] for each in found} == {made[0]: job for made, job in PODS.items()}
    assert {each["namespace"] for each in found} == {"shop"}


def test_a_monitored_pod_is_called_by_namespace_and_workload(tmp_path: Path) -> None:
    pods = [
        pod(container_port_name=name, at=at, **known)
        for known in MADE
        for name, at in (("http", ":8080"), ("initd", ":9911"))
    ]
    found = told(tmp_path, monitored() | {"static_configs": pods})
    assert sorted(each["job"] for each in found) == sorted(PODS.values())
    assert {(each["__address__"], each["__metrics_path__"]) for each in found} == {
        ("10.0.0.7:9911", "/metrics")
    }


def test_annotations_say_whether_and_where(tmp_path: Path) -> None:
    pods = [
        pod(ip="10.0.0.1", **YES),
        pod(ip="10.0.0.1", at=":9911", **YES),  # its second port: the same target in the end
        pod(ip="10.0.0.2", at="", **YES),
        pod(ip="10.0.0.3", annotation_initd_port="99", **YES),
        pod(ip="fd00::4", **YES),
        pod(ip="fd00::5", annotation_initd_port="99", **YES),
        pod(ip="10.0.0.6"),
        pod(ip="10.0.0.7", annotation_initd_scrape="false"),
        pod(ip="10.0.0.8", phase="Succeeded", **YES),
    ]
    found = told(tmp_path, annotated() | {"static_configs": pods})
    wanted = ["10.0.0.1:9911", "10.0.0.2:9911", "10.0.0.3:99", "[fd00::4]:9911", "[fd00::5]:99"]
    assert sorted(each["__address__"] for each in found) == wanted


def test_containers_of_an_engine_are_found_by_the_port_that_they_expose(tmp_path: Path) -> None:
    compose = {"com.docker.compose.project": "demo", "com.docker.compose.service": "app"}
    containers = [
        container("demo-app-1", "10.0.0.1", [9911, 8080], compose),
        container("lonely", "10.0.0.2", [9911], {}),
        container("other", "10.0.0.3", [80], {}),
    ]
    (scrape,) = document(DOCKER)["scrape_configs"]
    (discovery,) = scrape["docker_sd_configs"]
    discovery["host"] = f"unix://{tmp_path}/docker.sock"
    with engine(tmp_path / "docker.sock", containers):
        found = told(tmp_path, scrape)
    assert sorted((each["__address__"], each["container"], each["job"]) for each in found) == [
        ("10.0.0.1:9911", "demo-app-1", "demo/app"),
        ("10.0.0.2:9911", "lonely", "lonely"),
    ]


def test_promtool_takes_the_configuration_for_an_engine() -> None:
    promtool("check", "config", "--lint=all", "--lint-fatal", DOCKER)


def test_promtool_takes_the_configuration_for_a_cluster(tmp_path: Path) -> None:
    whole = document(CLUSTER)
    whole["rule_files"] = [str(CLUSTER.parent / name) for name in whole["rule_files"]]
    whole["scrape_configs"] = [annotated() | {"static_configs": [pod()]}]
    (tmp_path / "prometheus.yml").write_text(json.dumps(whole))
    promtool("check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml")
