"""The manifests: as the API server would take them, as strict as a namespace may ask, true about initd."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]  # it comes without types
import pytest

import initd
from initd.cli import parse
from scripts import monitoring
from tests.deploy import manifests
from tests.deploy.files import DASHBOARD, Json
from tests.deploy.manifests import KUBERNETES, container, containers, environment, kind, pod, rendered
from tests.kernel.client import free_port, wait_for
from tests.kernel.harness import scene
from web.app import TABLE as ROUTES

TOKEN = "a-token-for-the-tests-only"
USER = 65532
# A Deployment that knows nothing of initd.
PLAIN = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain}
spec:
  selector: {matchLabels: {app: plain}}
  template:
    metadata: {labels: {app: plain}}
    spec: {containers: [{name: main, image: "plain:1", ports: [{name: http, containerPort: 80}]}]}
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own kustomization, with our sidecar as a component."""
    home = tmp_path_factory.mktemp("plain").resolve()
    (home / "plain.yaml").write_text(PLAIN)
    sidecar = os.path.relpath(KUBERNETES / "sidecar", home)
    (home / "kustomization.yaml").write_text(f"resources: [plain.yaml]\ncomponents: [{sidecar}]\n")
    return home


@pytest.fixture(params=["base", "inject", "sidecar"])
def objects(request: pytest.FixtureRequest, plain: Path) -> list[Json]:
    return rendered(plain if request.param == "sidecar" else KUBERNETES / request.param)


def test_kubernetes_knows_every_field(objects: list[Json]) -> None:
    for each in objects:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    broken = rendered(KUBERNETES / "base")
    pod(broken)["containers"][0]["livenessProbe"]["failureTreshold"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken[0], kubernetes_validate.latest_version(), strict=True)


def ours(spec: Json) -> Iterator[Json]:
    """The containers that we say something about: in the sidecar's case not the user's."""
    return (each for each in containers(spec) if each["image"] != "plain:1")


def test_the_restricted_pod_security_standard_is_kept(objects: list[Json]) -> None:
    spec = pod(objects)
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert all(set(volume) - {"name"} <= {"emptyDir", "secret"} for volume in spec["volumes"])
    for each in ours(spec):
        context = spec.get("securityContext", {}) | each["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == USER
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_what_runs_says_what_it_needs(objects: list[Json]) -> None:
    for each in ours(pod(objects)):
        assert set(each["resources"]["requests"]) == {"cpu", "memory"}
        assert "memory" in each["resources"]["limits"]


def test_every_mount_has_its_volume(objects: list[Json]) -> None:
    spec = pod(objects)
    volumes = [volume["name"] for volume in spec["volumes"]]
    mounted = {mount["name"] for each in ours(spec) for mount in each["volumeMounts"]}
    assert sorted(volumes) == sorted(mounted)


def test_probes_ask_initd_what_it_answers_to_anybody(objects: list[Json]) -> None:
    known = {row.path for row in ROUTES if row.role == "health"}
    asked = [get for each in ours(pod(objects)) for get in manifests.probes(each).values()]
    assert asked
    assert all(get["port"] == "initd" and get["path"] in known for get in asked)


def test_each_probe_has_its_own_question() -> None:
    (app,) = pod(rendered(KUBERNETES / "base"))["containers"]
    paths = {name: get["path"] for name, get in manifests.probes(app).items()}
    assert paths == {"startup": "/startupz", "liveness": "/livez", "readiness": "/readyz"}


def test_images_of_ours_have_this_version(objects: list[Json]) -> None:
    images = [each["image"] for each in ours(pod(objects)) if each["image"].startswith("initd")]
    assert images
    assert {image.partition(":")[2] for image in images} == {initd.__version__}


def without_tokens(container: Json) -> dict[str, str]:
    """Its variables, but for the file that is not on this machine."""
    return {name: value for name, value in environment(container).items() if name != "INITD_TOKENS"}


def test_the_grace_period_is_long_enough_for_an_orderly_end() -> None:
    spec = pod(rendered(KUBERNETES / "base"))
    (app,) = spec["containers"]
    config = parse([*app["command"][1:], *app["args"]], without_tokens(app))
    assert config.warnings == ()  # no variable is misspelt
    needed = config.drain + config.stop_timeout + config.sweep_timeout
    assert needed + 2 <= spec["terminationGracePeriodSeconds"]


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory that the pod's user owns and can reach; pytest's own are for us alone."""
    with tempfile.TemporaryDirectory(prefix="initd-test-") as place:
        os.chown(place, USER, USER)
        yield Path(place)


def test_the_base_runs_as_it_stands_and_reads_its_tokens(home: Path) -> None:
    """With the manifest's user, variables and command; only ports and places are this machine's."""
    spec = pod(rendered(KUBERNETES / "base"))
    (app,) = spec["containers"]
    secret = next(volume["secret"] for volume in spec["volumes"] if "secret" in volume)
    tokens = home / "tokens"
    tokens.write_text(f"control {TOKEN}\n")
    # As kubelet does it: the Secret's files belong to root and to fsGroup.
    os.chown(tokens, 0, spec["securityContext"]["fsGroup"])
    tokens.chmod(secret["defaultMode"])
    port = str(free_port())
    env = {name: value.replace("8080", port) for name, value in environment(app).items()}
    main = [word.replace("8080", port) for word in app["args"]]
    with scene(
        *main,
        env=env | {"INITD_TOKENS": str(tokens)},
        unshare=[f"--setgid={USER}", f"--setuid={USER}"],
        listen="127.0.0.1:0",
        home=home,
    ) as made:
        wait_for(lambda: made.ask("GET", "/readyz").status == 200, "main to be ready")
        assert made.tcp("GET", "/api/v1/status").status == 401
        authorization = {"Authorization": f"Bearer {TOKEN}"}
        status = made.tcp("GET", "/api/v1/status", headers=authorization).json()
        assert status["main"]["argv"] == main
        assert [check["name"] for check in status["main"]["checks"]] == ["ready-http", "health-http"]
        made.send(signal.SIGTERM)
        made.wait_event("drain")
        assert made.ask("GET", "/readyz").status == 503
        assert made.status()["main"]["state"] == "running"


def test_injecting_leaves_the_image_alone_and_puts_initd_before_the_command() -> None:
    spec = pod(rendered(KUBERNETES / "inject"))
    app = container(spec, "app")
    assert app["image"] == "your-app:latest"
    assert app["command"] == ["/opt/initd/bin/initd", "--"]
    (bundle,) = spec["initContainers"]
    (mount,) = bundle["volumeMounts"]
    seen = next(each for each in app["volumeMounts"] if each["name"] == mount["name"])
    target = f"{mount['mountPath']}/{seen['subPath']}"
    assert f"copytree('/opt/initd', '{target}'" in bundle["args"][0]
    assert (seen["mountPath"], seen["readOnly"]) == ("/opt/initd", True)


def test_the_sidecar_changes_nothing_of_the_users_container(plain: Path) -> None:
    objects = rendered(plain)
    spec = pod(objects)
    assert spec["shareProcessNamespace"] is True
    main, beside = container(spec, "main"), container(spec, "initd")
    assert main == {"name": "main", "image": "plain:1", "ports": [{"name": "http", "containerPort": 80}]}
    assert "readinessProbe" not in beside
    assert parse(beside["command"][1:], without_tokens(beside)).observe


def test_what_is_made_from_other_files_is_current() -> None:
    for path, wanted in monitoring.files().items():
        assert path.read_text() == wanted, "run python -m scripts.monitoring"


def test_the_dashboard_is_the_dashboard_and_can_be_applied() -> None:
    (found,) = kind(rendered(KUBERNETES / "monitoring"), "ConfigMap")
    kubernetes_validate.validate(found, kubernetes_validate.latest_version(), strict=True)
    assert found["data"] == {"initd.json": DASHBOARD.read_text()}
    assert found["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert len(str(found)) < 262_144  # kubectl apply keeps a copy in an annotation, which may be no longer


def test_a_pod_is_found_by_the_port_that_it_declares(objects: list[Json]) -> None:
    (monitor,) = kind(rendered(KUBERNETES / "monitoring"), "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    declared = [port["name"] for each in ours(pod(objects)) for port in each.get("ports", ())]
    assert declared.count(endpoint["port"]) == 1
    timeout, interval = (int(endpoint[key].removesuffix("s")) for key in ("scrapeTimeout", "interval"))
    assert timeout <= interval  # the operator refuses it otherwise
