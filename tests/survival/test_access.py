"""Access: every route, method and role, on every listener; and secrets that are nowhere to be found."""

from __future__ import annotations

import http.client
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest

from tests.authority import Authority, Pair
from tests.kernel import kernel
from tests.kernel.client import DEADLINE, UnixConnection
from tests.kernel.harness import Scene, program, scene
from tests.web.fake_core import TOKENS
from tests.web.served import Web, served
from web.access import ROLES
from web.app import TABLE, Row

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "DELETE")
STRANGER = 4_321  # a uid that is neither root's nor PID 1's
Connect = Callable[[], http.client.HTTPConnection]


class Caller(NamedTuple):
    """Somebody who asks: ``role`` is what this one should have, None where the token is wrong."""

    name: str
    role: str | None
    known: bool
    token: str | None
    connect: Connect


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


# --- the matrix ------------------------------------------------------------------------------------


def should_be(row: Row, method: str, caller: Caller) -> int | None:
    """The refusal that is due, if any. From the documentation, not from web/access.py."""
    if method not in row.methods:
        return 405
    if row.role == "health":
        return None
    if caller.role is None:
        return 401
    if ROLES.index(caller.role) >= ROLES.index(row.role):
        return None
    return 403 if caller.known else 401


def refused(caller: Caller) -> Iterator[tuple[Row, str, int | None]]:
    """How each row and method is refused to this caller: by its status, or not at all."""
    with closing(caller.connect()) as connection:
        headers = {} if caller.token is None else {"Authorization": f"Bearer {caller.token}"}
        for row in TABLE:
            path = row.path.format(id=os.getpid(), n=1, name="page.css")
            for method in METHODS:
                connection.request(method, path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status < 500, (caller.name, method, path, answer.status)
                yield row, method, answer.status if answer.status in (401, 403, 405) else None


def with_tokens(anonymous: str, connect: Connect) -> Iterator[Caller]:
    """Nobody, who has the anonymous role; somebody with a wrong token; and one with each role's."""
    yield Caller("nobody", anonymous, False, None, connect)
    yield Caller("wrong", None, False, "wrong" * 5, connect)
    for role, token in TOKENS:
        yield Caller(f"token {role}", role, True, token, connect)


def over_tcp(_: Authority, anonymous: str, web: Web) -> Iterator[Caller]:
    yield from with_tokens(anonymous, lambda: http.client.HTTPConnection("127.0.0.1", web.port, DEADLINE))


def over_tls(authority: Authority, anonymous: str, web: Web) -> Iterator[Caller]:
    """A certificate is looked at where no token is shown."""

    def connecting(context: ssl.SSLContext) -> Connect:
        return lambda: http.client.HTTPSConnection("127.0.0.1", web.port, timeout=DEADLINE, context=context)

    yield from with_tokens(anonymous, connecting(authority.trusted()))
    for role in ROLES:
        shown = connecting(authority.trusted(authority.client(f"{role}-client")))
        yield Caller(f"certificate {role}", role, True, None, shown)
        yield Caller(f"certificate {role} and token read", "read", True, dict(TOKENS)["read"], shown)
    yield Caller("wrong, with a certificate", None, False, "wrong" * 5, shown)
    unnamed = connecting(authority.trusted(authority.client("not-in-the-file")))
    yield Caller("certificate that no line names", anonymous, False, None, unnamed)


def over_unix(_: Authority, anonymous: str, web: Web) -> Iterator[Caller]:
    """Another user, whom the file's mode would bar; and root, whatever it shows."""
    yield from with_tokens(anonymous, lambda: unix(Path(web.path), STRANGER))
    yield Caller("root", "control", True, None, lambda: unix(Path(web.path)))
    yield Caller("root with a wrong token", "control", True, "wrong" * 5, lambda: unix(Path(web.path)))


def unix(path: Path, uid: int = 0) -> UnixConnection:
    """Connected as this user: the kernel notes who it was at that moment."""
    connection = UnixConnection(path, DEADLINE)
    os.seteuid(uid)
    try:
        connection.connect()
    except OSError:
        connection.close()
        raise
    finally:
        os.seteuid(0)
    return connection


@pytest.mark.survives(
    "every route, method and role, on each listener, by token, certificate and uid",
    "each caller has its role and no other; one row of the table more is one more of this",
)
@pytest.mark.parametrize("anonymous", ROLES)
@pytest.mark.parametrize("callers", [over_tcp, over_tls, over_unix])
def test_everyone_may_do_what_their_role_says_and_nothing_else(
    authority: Authority,
    anonymous: str,
    callers: Callable[[Authority, str, Web], Iterator[Caller]],
    figures: dict[str, object],
) -> None:
    pair = authority.server()
    files = {"cert": pair.cert, "key": pair.key, "client_ca": authority.ca} if callers is over_tls else None
    certificates = [[role, f"{role}-client"] for role in ROLES]
    wrong, asked = [], 0
    with served(anonymous=anonymous, tls=files, certificates=certificates) as web:
        for caller in callers(authority, anonymous, web):
            for row, method, got in refused(caller):
                asked += 1
                if got != (due := should_be(row, method, caller)):
                    wrong.append(f"{caller.name}: {method} {row.path}: {got}, and not {due}")
    assert not wrong
    figures["requests"] = asked


# --- who is at the other end of the unix socket ----------------------------------------------------


@pytest.mark.survives(
    "another user at the unix socket, although its mode bars that",
    "only root and the user of PID 1 have control by who they are; others have the anonymous role",
)
@pytest.mark.parametrize("uid", [0, 1_234], ids=["as root", "as a user"])
def test_the_kernels_word_on_who_asks_is_taken(uid: int) -> None:
    user = ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    with (
        TemporaryDirectory() as directory,  # pytest's own are in one that only root may enter
        scene(*program("catcher.py"), before=user, home=Path(directory), entry=open_up) as made,
    ):
        made.ready()
        with pytest.raises(PermissionError):
            unix(made.socket, STRANGER)
        made.socket.chmod(0o666)
        for who, expected in ((0, 200), (uid, 200), (STRANGER, 401)):
            with closing(unix(made.socket, who)) as connection:
                connection.request("GET", "/api/v1/status")
                assert connection.getresponse().status == expected, who
        (listener,) = made.get("/api/v1/status")["listen"]
        assert listener["kind"] == "unix"


def open_up() -> None:
    """Let other users into the directory where we are."""
    os.chmod(".", 0o777)  # noqa: S103  they are the test's


# --- certificates, for real ------------------------------------------------------------------------


@contextmanager
def guarded(home: Path, authority: Authority, lines: str, *options: str) -> Iterator[Scene]:
    """An init that speaks TLS, asks for certificates, and has these lines in its file of tokens."""
    (home / "tokens").write_text(lines)
    (home / "tokens").chmod(0o600)
    pair = authority.server()
    words = ["--tls-cert", pair.cert, "--tls-key", pair.key, "--tls-client-ca", authority.ca]
    words += ["--tokens", str(home / "tokens"), *options]
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=words) as made:
        made.ready()
        yield made


def status(made: Scene, context: ssl.SSLContext, path: str = "/api/v1/status", **headers: str) -> int:
    """What a request over TLS is answered with."""
    connection = http.client.HTTPSConnection("127.0.0.1", made.port, timeout=DEADLINE, context=context)
    with closing(connection):
        method = "POST" if path.endswith("signal") else "GET"
        connection.request(method, path, b'{"signal":"WINCH"}' if method == "POST" else None, headers)
        return connection.getresponse().status


def test_who_did_it_is_in_the_history_by_the_name_in_the_certificate(
    authority: Authority, tmp_path: Path
) -> None:
    anna = authority.client("someone", "URI:spiffe://prod/anna")
    with guarded(tmp_path, authority, "control cert:spiffe://prod/anna\n") as made:
        json = {"Content-Type": "application/json"}
        assert status(made, authority.trusted(anna), "/api/v1/main/signal", **json) == 200
        event = made.wait_event("signal.sent")
        assert event["by"] == {"role": "control", "peer": "cert:spiffe://prod/anna@127.0.0.1"}


def test_a_certificate_of_another_authority_or_past_its_time_or_of_a_server_opens_nothing(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    bad: dict[str, Pair] = {
        "of another authority": other.client("anna"),
        "past its time": authority.issue("old", usage="clientAuth", days=-1, common="anna"),
        "of a server": authority.issue("server-of-anna", usage="serverAuth", common="anna"),
    }
    with guarded(tmp_path, authority, "control cert:anna\n") as made:
        assert status(made, authority.trusted(authority.client("anna"))) == 200
        for what, pair in bad.items():
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                pytest.fail(f"{what}: {status(made, authority.trusted(pair))}")
        assert status(made, authority.trusted(), "/livez") == 200


@pytest.mark.survives(
    "a page of another site, or of another port, asks with the certificate that the browser shows for it",
    "nothing is answered to it",
)
def test_a_certificate_does_not_let_a_foreign_page_ask(authority: Authority, tmp_path: Path) -> None:
    anna = authority.trusted(authority.client("anna"))
    with guarded(tmp_path, authority, "control cert:anna\n") as made:
        own = f"127.0.0.1:{made.port}"
        assert status(made, anna, Origin=f"https://{own}") == 200
        for origin in ("https://evil.example", f"http://{own}", "https://127.0.0.1:8080", "null"):
            assert status(made, anna, Origin=origin) == 421
            assert status(made, anna, "/api/v1/main/signal", Origin=origin) == 421
        assert status(made, anna, Host="evil.example") == 421


# --- secrets ---------------------------------------------------------------------------------------

LISTED, FROM_ENVIRONMENT = "a-token-that-stands-in-the-file", "a-token-of-the-environment"


def everything_told(made: Scene, authority: Authority) -> Iterator[tuple[str, bytes]]:
    """All that anyone is answered, printed or shown in /proc; PID 1's own environment is its starter's."""
    yield "stdout", made.out().encode()
    yield "stderr", made.err().encode()
    for pid in kernel.descendants(made.init):
        for file in ("cmdline", "environ"):
            yield f"{file} of {kernel.name(pid)}", Path(f"/proc/{pid}/{file}").read_bytes()
    yield "cmdline of initd", Path(f"/proc/{made.init}/cmdline").read_bytes()
    for row in TABLE:
        path = row.path.format(id=made.status()["main"]["id"], n=1, name="main.js")
        for method in row.methods:
            token = LISTED if "control" in row.role else "wrong" * 5
            connection = http.client.HTTPSConnection(
                "127.0.0.1", made.port, timeout=DEADLINE, context=authority.trusted()
            )
            with closing(connection):
                connection.request(method, path, b"?", {"Authorization": f"Bearer {token}"})
                answer = connection.getresponse()
                yield f"{method} {path}", str(answer.headers).encode() + answer.read()
            if method == "GET":
                yield f"{path} over the socket", made.ask(method, path).body


@pytest.mark.survives(
    "all that is printed, answered or shown in /proc is searched for tokens and the private key",
    "none of them is there; web has no file of theirs open, main nothing of them in its environment",
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_told_to_anybody(
    authority: Authority, tmp_path: Path, form: str, figures: dict[str, object]
) -> None:
    (tmp_path / "tokens").write_text(f"control {LISTED}\nread cert:anna\n")
    pair = authority.server()
    words = ["--tls-cert", pair.cert, "--tls-key", pair.key, "--tls-client-ca", authority.ca]
    words += ["--tokens", str(tmp_path / "tokens"), "-v", "-v", "--log-format", form]
    key = re.findall(r"^[A-Za-z0-9+/=]{16,}$", Path(pair.key).read_text(), re.MULTILINE)
    secrets = [LISTED, FROM_ENVIRONMENT, *key]
    environment = {"INITD_TOKEN": FROM_ENVIRONMENT}
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=words, env=environment) as made:
        made.ready()
        made.ask("GET", "/livez")
        told = dict(everything_told(made, authority))
        opened = [os.readlink(fd) for fd in Path(f"/proc/{made.web}/fd").iterdir()]
    assert not [
        (where, secret) for where, text in told.items() for secret in secrets if secret.encode() in text
    ]
    assert not [name for name in opened if str(tmp_path) in name or str(authority.home) in name]
    figures["places"] = len(told)
