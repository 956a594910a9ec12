"""Tokens and certificates that are changed while clients ask."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.authority import Authority, Pair
from tests.kernel.client import DEADLINE, wait_for
from tests.kernel.harness import Scene, program, scene

from .soak import soak

PROBER = Path(__file__).with_name("programs") / "prober.py"
OLD, NEW = "an-old-token-of-thirty-letters", "a-new-token-of-thirty-letters-"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class Probes:
    """What those saw that asked all the time."""

    def __init__(self) -> None:
        self.asked, self.slowest = 0, 0.0
        self.failed: list[str] = []

    def add(self, said: str) -> None:
        seen = json.loads(said)
        self.asked += seen["asked"]
        self.slowest = max(self.slowest, seen["slowest"])
        self.failed += seen["failed"]

    @property
    def figure(self) -> str:
        return f"{self.slowest:.1f} s"


@contextmanager
def probing(port: int, ca: str | None = None, clients: int = 2) -> Iterator[Probes]:
    """``clients`` that ask /livez, each in turn and with one connection for each request, until the end."""
    seen = Probes()
    words = [sys.executable, "-I", str(PROBER), str(port), *([ca] if ca else [])]
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(clients)
        ]
        for each in running:
            assert each.stdout
            assert each.stdout.readline() == "ready\n"
        yield seen
        for each in running:
            seen.add(each.communicate(timeout=3 * DEADLINE)[0])


def replaced(path: Path, text: str) -> None:
    """At once, as an editor or a deployment does."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def served(port: int, authority: Authority) -> str:
    """The common name in the certificate that a new connection is shown."""
    with (
        socket.create_connection(("127.0.0.1", port), DEADLINE) as plain,
        authority.trusted().wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        shown = secure.getpeercert()
        assert shown
        return str(dict(pair for part in shown["subject"] for pair in part)["commonName"])  # type: ignore[misc]  # typeshed's is vague


def answered(made: Scene, token: str) -> int:
    return made.tcp("GET", "/api/v1/status", headers={"Authorization": f"Bearer {token}"}).status


def wait_opens(made: Scene, token: str) -> None:
    wait_for(lambda: answered(made, token) == 200, "the new token to open")


def wait_shown(port: int, authority: Authority, name: str) -> None:
    wait_for(lambda: served(port, authority) == name, f"the certificate {name} to be shown")


def wait_said(made: Scene, word: str) -> None:
    wait_for(lambda: word in made.err(), f"{word!r} in the log")


# --- tokens ----------------------------------------------------------------------------------------


@pytest.mark.survives(
    "the tokens file is rewritten, again and again, while clients ask that retry nothing",
    "the new token opens and the old one no longer does, no request fails, main does not notice",
)
def test_a_rewritten_tokens_file_counts_and_nobody_is_turned_away(
    tmp_path: Path, figures: dict[str, object]
) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"read {OLD}\n")
    old, new = OLD, NEW
    took = []
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=["--tokens", str(file)]) as made:
        made.ready()
        with probing(made.port) as probes:
            for _ in range(soak(100, 2)):
                assert (answered(made, old), answered(made, new)) == (200, 401)
                replaced(file, f"read {new}\n")
                begun = time.monotonic()
                wait_opens(made, new)
                took.append(time.monotonic() - begun)
                assert answered(made, old) == 401
                old, new = new, old
        assert not probes.failed
        assert made.status()["main"]["restarts"] == 0
    figures |= {"changes": len(took), "taken after at most": f"{max(took):.1f} s"}
    figures |= {"requests": probes.asked, "the slowest": probes.figure}


@pytest.mark.survives(
    "the tokens file is malformed, emptied of rights or deleted while we run",
    "the old tokens stay while it cannot be read, and one line says why",
)
def test_a_tokens_file_that_is_no_good_is_said_once_and_the_old_tokens_stay(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"read {OLD}\n")
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=["--tokens", str(file)]) as made:
        made.ready()
        web = made.web
        for text, word in ((f"king {NEW}\n", f"cannot use {file}"), ("read short\n", "it is too short")):
            replaced(file, text)
            wait_said(made, word)
        file.unlink()
        wait_said(made, "cannot read the token file")
        assert made.err().count("the old tokens stay") == 3
        assert NEW not in made.err()
        assert (answered(made, OLD), made.web) == (200, web)
        replaced(file, f"read {NEW}\n")
        wait_opens(made, NEW)
        assert answered(made, OLD) == 401


# --- certificates ----------------------------------------------------------------------------------


class Mounted:
    """A secret as Kubernetes mounts it: files are links to ..data/FILE, and ..data is the link that moves."""

    def __init__(self, home: Path, pair: Pair) -> None:
        self._home, self._turn = home, 0
        self.show(pair)
        for name in ("tls.crt", "tls.key"):
            (home / name).symlink_to(f"..data/{name}")

    def show(self, pair: Pair) -> None:
        self._turn += 1
        place = self._home / f"..{self._turn}"
        place.mkdir()
        for name, path in zip(("tls.crt", "tls.key"), pair, strict=True):
            (place / name).write_bytes(Path(path).read_bytes())
        (self._home / "..new").symlink_to(place.name)
        (self._home / "..new").rename(self._home / "..data")

    @property
    def options(self) -> list[str]:
        return ["--tls-cert", str(self._home / "tls.crt"), "--tls-key", str(self._home / "tls.key")]


@pytest.mark.survives(
    "the certificate is renewed as Kubernetes does it, again and again, while clients ask that retry nothing",
    "new connections are shown the new one, no request fails, main does not notice",
)
def test_a_renewed_certificate_is_shown_and_nobody_is_turned_away(
    tmp_path: Path, authority: Authority, figures: dict[str, object]
) -> None:
    pairs = [authority.server("first"), authority.server("second")]
    mounted = Mounted(tmp_path, pairs[0])
    took = []
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=mounted.options) as made:
        made.ready()
        port = made.port
        with probing(port, authority.ca) as probes:
            for turn in range(1, soak(50, 2) + 1):
                name = ("first", "second")[turn % 2]
                mounted.show(pairs[turn % 2])
                begun = time.monotonic()
                wait_shown(port, authority, name)
                took.append(time.monotonic() - begun)
        assert not probes.failed
        assert made.status()["main"]["restarts"] == 0
        assert "cannot" not in made.err()
    figures |= {"changes": len(took), "taken after at most": f"{max(took):.1f} s"}
    figures |= {"requests": probes.asked, "the slowest": probes.figure}


@pytest.mark.survives(
    "a new certificate or key that is broken, deleted, or not yet complete",
    "the old one stays, one line says why; the next good one is taken",
)
def test_a_new_certificate_that_is_no_good_is_said_once_and_the_old_one_stays(
    tmp_path: Path, authority: Authority
) -> None:
    first, second = authority.server("first"), authority.server("second")
    cert, key = tmp_path / "cert", tmp_path / "key"
    cert.write_text(Path(first.cert).read_text())
    key.write_text(Path(first.key).read_text())
    options = ["--tls-cert", str(cert), "--tls-key", str(key)]
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=options) as made:
        made.ready()
        port, web = made.port, made.web
        for text, word in (
            ("nothing\n", f"cannot use --tls-cert {cert}: it holds no certificate"),
            (Path(second.cert).read_text(), f"it is not the key of {cert}"),
        ):
            replaced(cert, text)
            wait_said(made, word)
            assert served(port, authority) == "first"
        key.unlink()
        wait_said(made, f"cannot use --tls-key {key}: No such file")
        assert made.err().count("cannot use --tls-") == 3
        assert made.web == web
        replaced(key, Path(second.key).read_text())
        wait_shown(port, authority, "second")


@pytest.mark.survives(
    "web dies while its certificate is broken",
    "the unix socket answers; TCP waits, never in plain text, and is back once the certificate is good again",
)
def test_a_web_that_starts_without_a_good_certificate_waits_for_one(
    tmp_path: Path, authority: Authority
) -> None:
    pair = authority.server()
    cert = tmp_path / "cert"
    cert.write_text(Path(pair.cert).read_text())
    options = ["--tls-cert", str(cert), "--tls-key", pair.key]
    with scene(*program("catcher.py"), listen="127.0.0.1:0", options=options) as made:
        made.ready()
        port, web = made.port, made.web
        cert.write_text("nothing\n")
        wait_said(made, "it holds no certificate")
        os.kill(web, signal.SIGKILL)
        assert made.ask("GET", "/livez").text == "ok"
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)) as plain:
            plain.request("GET", "/livez")
            with pytest.raises(TimeoutError):
                plain.getresponse()
        cert.write_text(Path(pair.cert).read_text())
        assert wait_for(lambda: served_now(port, authority), "TLS to be back") == "server"
        assert made.status()["main"]["restarts"] == 0


def served_now(port: int, authority: Authority) -> str | None:
    """As ``served``, but None where it has to wait."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 1) as plain,
            authority.trusted().wrap_socket(plain, server_hostname="localhost"),
        ):
            return "server"
    except OSError:
        return None


def test_who_may_show_certificates_is_renewed_too(tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path / "other")
    pair, ca, tokens = authority.server(), tmp_path / "clients.pem", tmp_path / "tokens"
    ca.write_text(Path(authority.ca).read_text())
    tokens.write_text("read cert:anna\n")
    options = ["--tls-cert", pair.cert, "--tls-key", pair.key, "--tls-client-ca", str(ca)]
    with scene(
        *program("catcher.py"), listen="127.0.0.1:0", options=[*options, "--tokens", str(tokens)]
    ) as made:
        made.ready()
        port = made.port

        def opens(shown: Pair) -> bool:
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=authority.trusted(shown))
            with closing(connection):
                try:
                    connection.request("GET", "/api/v1/status")
                    return connection.getresponse().status == 200
                except (ssl.SSLError, ConnectionError):
                    return False

        before, after = authority.client("anna"), other.client("anna")
        assert (opens(before), opens(after)) == (True, False)
        replaced(ca, Path(other.ca).read_text())
        wait_for(lambda: opens(after), "the new authority to count")
        assert not opens(before)


# --- the start -------------------------------------------------------------------------------------


def test_a_certificate_that_is_no_good_at_the_start_is_a_refusal(
    tmp_path: Path, authority: Authority
) -> None:
    pair = authority.server()
    options = ["--tls-cert", str(tmp_path / "none"), "--tls-key", pair.key]
    with scene("true", listen="127.0.0.1:0", options=options) as made:
        assert made.wait() == 125
        said = f"cannot use --tls-cert {tmp_path}/none: No such file or directory; give initd a readable file"
        assert said in made.err()


def test_relative_names_are_those_of_where_initd_was_started(authority: Authority) -> None:
    pair = authority.server()
    options = ["--tls-cert", "cert", "--tls-key", "key", "--tokens", "tokens"]
    copy = f"cp {pair.cert} cert; cp {pair.key} key; echo read {OLD} > tokens"
    with scene(
        *program("catcher.py"),
        listen="127.0.0.1:0",
        options=options,
        before=("sh", "-c", f'{copy}; exec "$@"', "sh"),
    ) as made:
        made.ready()
        port = made.port
        assert served(port, authority) == "server"
        other = authority.server("other")
        (made.home / "key").write_text(Path(other.key).read_text())
        (made.home / "cert").write_text(Path(other.cert).read_text())
        wait_shown(port, authority, "other")
