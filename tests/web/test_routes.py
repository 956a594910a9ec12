"""web.app: the route table and what is made from it, asked of the real process, row by row."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.web.fake_core import CONTROL, HEALTH, METRICS, READ
from tests.web.served import Answer, Web, exchange, served
from web.access import ROLES
from web.app import TABLE, Row
from web.house import GROUPS

TOKENS = {"health": HEALTH, "metrics": METRICS, "read": READ, "control": CONTROL}
BAD = "not-one-of-those-tokens"
FORM = {"body": b"signal=WINCH", "Content_Type": "application/x-www-form-urlencoded"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
CASES = [(row, method) for row in TABLE for method in row.methods]
NOBODY = 65_534


def name_of(value: object) -> str:
    return value.path if isinstance(value, Row) else str(value)


def target(row: Row) -> str:
    """A path of this row that there is."""
    return row.path.format(id=os.getpid(), n=1, name="index.html")


def ask(web: Web, row: Row, method: str, token: str | None) -> Answer:
    form = FORM if row.path.endswith("/signal") else {}
    return web.ask(target(row), method, token=token, **form)


def admitted(answer: Answer) -> bool:
    """It got past the door; what it found there (an operation that is none) is another test's."""
    return answer.status not in (401, 403, 405, 415, 421) and answer.status < 500


# --- route x role x (none, bad, low, right token) -------------------------------------------------


@pytest.fixture(scope="module", params=["health", "metrics", "read", "control"])
def anonymous(request: pytest.FixtureRequest) -> Iterator[tuple[str, Web]]:
    with served(anonymous=request.param) as running:
        yield request.param, running


@pytest.mark.parametrize(("row", "method"), CASES, ids=name_of)
def test_without_a_token_a_row_answers_up_to_the_anonymous_role(
    anonymous: tuple[str, Web], row: Row, method: str
) -> None:
    role, web = anonymous
    answer = ask(web, row, method, None)
    if ROLES.index(role) >= ROLES.index(row.role):
        assert admitted(answer), answer
    else:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize(("row", "method"), CASES, ids=name_of)
def test_a_bad_token_is_refused_wherever_a_token_counts(
    anonymous: tuple[str, Web], row: Row, method: str
) -> None:
    answer = ask(anonymous[1], row, method, BAD)
    if row.role == "health":
        assert admitted(answer), answer
    else:
        assert (answer.status, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("row", "method"), CASES, ids=name_of)
def test_a_token_opens_the_rows_of_its_role_and_those_below(
    web: Web, row: Row, method: str, role: str
) -> None:
    answer = ask(web, row, method, TOKENS[role])
    if ROLES.index(role) >= ROLES.index(row.role):
        assert admitted(answer), answer
    else:
        assert (answer.status, answer.json()["code"]) == (403, "forbidden")
        assert (answer.json()["role"], answer.json()["needed"]) == (role, row.role)


def test_refused_orders_never_reach_the_core(web: Web) -> None:
    web.core.asked.clear()
    for row in TABLE:
        if row.role == "control":
            for token in (None, BAD, READ):
                ask(web, row, "POST", token)
    assert web.core.asked == []


# --- the unix socket ------------------------------------------------------------------------------

_ANOTHER_USER = """
import http.client, socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
connection = http.client.HTTPConnection("initd")
connection.sock = sock
connection.request("GET", "/api/v1/events", headers=dict(h.split("=") for h in sys.argv[2:]))
print(connection.getresponse().status)
"""


def _ask_as_another_user(path: str, *headers: str) -> int:
    """Over the unix socket as nobody when we are root; else as ourselves, whom the core does not know."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    command = [sys.executable, "-I", "-S", "-c", _ANOTHER_USER, path, *headers]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=10, **user).stdout)  # type: ignore[call-overload]  # a dict of keywords


@pytest.mark.parametrize(("row", "method"), CASES, ids=name_of)
def test_over_the_unix_socket_we_may_do_everything(web: Web, row: Row, method: str) -> None:
    form = FORM if row.path.endswith("/signal") else {}
    assert admitted(web.ask_unix(target(row), method, Host="foreign.example", **form))


def test_over_the_unix_socket_another_user_needs_a_token() -> None:
    uid = os.getuid() if os.getuid() == 0 else os.getuid() + 1
    with served(init={"pid": os.getpid(), "uid": uid, "role": "pid1"}) as web:
        assert _ask_as_another_user(web.path) == 401
        assert _ask_as_another_user(web.path, f"Authorization=Bearer {READ}") == 200
        assert _ask_as_another_user(web.path, f"Authorization=Bearer {METRICS}") == 403


# --- Host and Origin ------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "method"), CASES, ids=name_of)
@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}], ids=str)
def test_foreign_names_are_misdirected_but_for_probes_scrapes_and_tokens(
    web: Web, row: Row, method: str, header: dict[str, str]
) -> None:
    form = FORM if row.path.endswith("/signal") else {}
    answer = web.ask(target(row), method, **header, **form)
    if not row.named:
        assert admitted(answer), answer
    else:
        assert (answer.status, answer.json()["code"]) == (421, "misdirected")
        assert web.ask(target(row), method, token=BAD, **header, **form).status == 421
    assert admitted(web.ask(target(row), method, token=CONTROL, **header, **form))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/nothing"),
        ("PUT", "/api/v1/status"),
        ("GET", "/api/v1/processes/1/signal"),
        ("GET", "/static/a/b"),
        ("POST", "/static/main.js"),
        ("DELETE", "/"),
        ("POST", "/openapi.json"),
    ],
)
@pytest.mark.parametrize("header", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}], ids=str)
def test_a_foreign_name_is_not_told_of_what_is_missing_beside_the_rows_that_refuse_it(
    web: Web, method: str, path: str, header: dict[str, str]
) -> None:
    for token in (None, BAD):
        answer = web.ask(path, method, token=token, **header)
        assert (answer.status, answer.json()["code"]) == (421, "misdirected")
        assert web.ask(path, method, token=token).status in (404, 405)
    assert web.ask(path, method, token=HEALTH, **header).status in (404, 405)
    assert web.ask_unix(path, method, Host="evil.example").status in (404, 405)


def test_beside_probes_and_scrapes_no_name_is_foreign(web: Web) -> None:
    for method, path in (
        ("PUT", "/livez"),
        ("POST", "/metrics"),
        ("GET", "/livez/"),
        ("GET", "/healthcheck"),
    ):
        assert web.ask(path, method, Host="evil.example").status in (404, 405), path


def test_allowed_hosts_are_answered_and_the_page_on_them_may_ask() -> None:
    with served(allow_hosts=["box.example"]) as web:
        assert web.ask("/", Host="box.example:8080").status == 200
        assert web.ask("/", Origin="https://box.example").status == 200
        assert web.ask("/", Host="other.example").status == 421


@pytest.mark.parametrize("host", ["[", "a b", "ü", "x" * 300, "[::1", ""])
@pytest.mark.parametrize("path", ["/livez", "/readyz?verbose", "/metrics"])
def test_probes_and_scrapes_stumble_over_no_host(web: Web, path: str, host: str) -> None:
    with web.connect() as sock:
        sock.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (path.encode(), host.encode()))
        assert sock.recv(100).startswith(b"HTTP/1.1 200 ")


# --- methods and paths ----------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE, ids=name_of)
def test_a_method_that_is_not_in_the_table_is_refused_with_those_that_are(web: Web, row: Row) -> None:
    for method in set(METHODS) - set(row.methods):
        answer = web.ask(target(row), method, token=CONTROL)
        assert answer.status == 405, method
        assert answer.headers["Allow"] == ", ".join(sorted(row.methods))
        if method != "HEAD":
            assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("row", [row for row in TABLE if "HEAD" in row.methods], ids=name_of)
def test_head_answers_like_get_without_the_body(web: Web, row: Row) -> None:
    get, head = web.ask(row.path), web.ask(row.path, "HEAD")
    assert (head.status, head.text) == (get.status, "")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v2/status",
        "/API/v1/status",
        "/livez/",
        "//livez",
        "/livez%2f",
        "/static",
        "/static/",
        "/static/nothing.js",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/api/v1/status/",
        "/api/v1/processes/1/signal/",
        "/api/v1/main/exec",
        "/%00",
        "/%ff%fe",
        "/api/v1/processes/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_is_not_in_the_table_is_a_404_and_never_a_redirect(
    web: Web, path: str, method: str
) -> None:
    answer = web.ask(path, method, token=CONTROL)
    assert answer.status in ((404,) if method == "GET" else (404, 405)), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Location" not in answer.headers


# --- the table itself -----------------------------------------------------------------------------


def test_rows_have_known_roles_and_groups_and_paths_stand_once() -> None:
    assert len({row.path for row in TABLE}) == len(TABLE)
    for row in TABLE:
        assert row.role in ROLES
        assert row.group in GROUPS


def test_what_changes_something_is_a_post_for_control_and_nothing_else_is() -> None:
    assert [row.path for row in TABLE if row.methods == ("POST",)] == [
        row.path for row in TABLE if row.role == "control"
    ]


def test_requests_are_counted_by_group_and_class() -> None:
    with served() as web:
        web.ask("/livez")
        web.ask("/livez", "PUT")
        web.ask("/api/v1/status")
        web.ask("/nothing")
        web.ask("/api/nothing")
        web.ask("/")
        text = web.ask("/metrics").text
        for group, code, count in (
            ("health", "2xx", 1),
            ("health", "4xx", 1),
            ("api", "4xx", 2),
            ("page", "2xx", 1),
            ("page", "4xx", 1),
        ):
            line = f'initd_http_requests_total{{code="{code}",group="{group}"}} {count}.0'
            assert line in text or f'{{group="{group}",code="{code}"}} {count}.0' in text, (line, text)
        assert 'initd_http_request_duration_seconds_count{group="page"} 2.0' in text


def test_an_exception_in_a_handler_is_a_500_without_its_text_and_one_line_in_the_log() -> None:
    log: list[str] = []
    with served(log=log) as web:
        web.core.on_operation = lambda _: {"nothing": "of use"}  # type: ignore[assignment,method-assign]  # a broken core
        for _ in range(3):  # anyone may ask again and again, so it is said once
            answer = web.ask("/api/v1/operations/1", token=READ)
            assert (answer.status, answer.json()["code"]) == (500, "internal")
            assert "KeyError" not in answer.text
        assert web.ask("/livez").status == 200
    assert len(log) == 1
    assert "KeyError" in log[0]
    assert log[0].startswith("initd web: cannot answer GET /api/v1/operations/{n}: ")


def test_handlers_are_coroutines_as_others_would_need_a_thread() -> None:
    for row in TABLE:
        assert row.handler.__code__.co_flags & 0x80, row.path  # inspect.CO_COROUTINE


def test_one_connection_may_ask_many_times(web: Web) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    for path in ("/livez", "/nothing", "/metrics"):
        connection.request("GET", path)
        assert connection.getresponse().read()
    assert exchange(connection, "/livez", "GET").status == 200
