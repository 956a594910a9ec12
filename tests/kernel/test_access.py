"""Who may do what, over the real listeners: anonymous, tokens, the unix socket, foreign names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .client import Answer
from .harness import Scene, program, scene

READ = "a-read-token-of-thirty-letters"
CONTROL = "a-control-token-of-thirty-letters"
METRICS = "a-metrics-token-of-thirty-letters"
FROM_ENVIRONMENT = "another-control-token-of-thirty"
SIGNAL = {"signal": "WINCH"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """An init with tokens of every kind in a file that only root may read."""
    file: Path = tmp_path_factory.mktemp("tokens") / "tokens"
    file.write_text(f"# who may\nread {READ}\n\ncontrol\t{CONTROL}\nmetrics {METRICS}\n")
    file.chmod(0o600)
    options = ["--tokens", str(file), "--allow-host", "init.example"]
    env = {"INITD_TOKEN": FROM_ENVIRONMENT}
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=options, env=env) as made:
        made.ready()
        yield made


def asked(made: Scene, method: str, path: str, token: str | None = None, **headers: str) -> Answer:
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return made.tcp(method, path, SIGNAL if method == "POST" else None, headers)


@pytest.mark.parametrize(
    "path", ["/livez", "/healthz", "/readyz", "/startupz", "/metrics", "/", "/openapi.json"]
)
def test_anonymous_callers_get_health_metrics_and_the_page(guarded: Scene, path: str) -> None:
    assert asked(guarded, "GET", path).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/status"),
        ("GET", "/api/v1/processes"),
        ("GET", "/api/v1/processes/1"),
        ("GET", "/api/v1/tree"),
        ("GET", "/api/v1/zombies"),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/operations/1"),
        ("POST", "/api/v1/processes/1/signal"),
        ("POST", "/api/v1/main/signal"),
        ("POST", "/api/v1/main/restart"),
        ("POST", "/api/v1/main/stop"),
        ("POST", "/api/v1/main/start"),
        ("POST", "/api/v1/shutdown"),
        ("POST", "/api/v1/drain"),
    ],
)
def test_anonymous_callers_get_nothing_else(guarded: Scene, method: str, path: str) -> None:
    answer = asked(guarded, method, path)
    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("token", "read", "control"),
    [
        (READ, 200, 403),
        (CONTROL, 200, 200),
        (FROM_ENVIRONMENT, 200, 200),
        (METRICS, 403, 403),
        (CONTROL[:-1], 401, 401),
        (CONTROL.upper(), 401, 401),
        ("x" * 5000, 401, 401),
        ("", 401, 401),
    ],
)
def test_a_token_gives_its_role_and_no_other(guarded: Scene, token: str, read: int, control: int) -> None:
    assert asked(guarded, "GET", "/api/v1/status", token).status == read
    assert asked(guarded, "POST", "/api/v1/main/signal", token).status == control


def test_a_foreign_host_is_misdirected_without_a_token_and_served_with_one(guarded: Scene) -> None:
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example"):
        for path in ("/", "/api/v1/status", "/openapi.json"):
            assert asked(guarded, "GET", path, Host=host).status == 421
        assert asked(guarded, "GET", "/api/v1/status", READ, Host=host).status == 200


def test_probes_and_scrapes_are_served_under_any_host(guarded: Scene) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert asked(guarded, "GET", path, Host="10.1.2.3.pod:8080").status == 200
        assert asked(guarded, "GET", path, Host="evil.example").status == 200


def test_our_own_names_are_served(guarded: Scene) -> None:
    for host in ("127.0.0.1", "localhost:1234", "[::1]:9911", "init.example", "INIT.example:1"):
        assert asked(guarded, "GET", "/", Host=host).status == 200


def test_a_foreign_origin_is_refused(guarded: Scene) -> None:
    for origin in ("https://evil.example", "null"):
        assert asked(guarded, "GET", "/api/v1/status", Origin=origin).status == 421
        assert asked(guarded, "POST", "/api/v1/main/signal", Origin=origin).status == 421


def test_the_unix_socket_has_every_right_under_any_name(guarded: Scene) -> None:
    headers = {"Host": "evil.example", "Origin": "https://evil.example"}
    assert guarded.ask("GET", "/api/v1/status", headers=headers).status == 200
    assert guarded.ask("POST", "/api/v1/main/signal", SIGNAL, headers).status == 200


@pytest.mark.parametrize(
    ("role", "metrics", "status", "signal"),
    [
        ("health", 401, 401, 401),
        ("metrics", 200, 401, 401),
        ("read", 200, 200, 401),
        ("control", 200, 200, 200),
    ],
)
def test_anonymous_is_what_the_option_says(role: str, metrics: int, status: int, signal: int) -> None:
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=["--anonymous", role]) as made:
        made.ready()
        assert made.tcp("GET", "/livez").status == 200
        assert made.tcp("GET", "/metrics").status == metrics
        assert made.tcp("GET", "/api/v1/status").status == status
        assert made.tcp("POST", "/api/v1/main/signal", SIGNAL).status == signal
