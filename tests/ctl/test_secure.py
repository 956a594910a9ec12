"""initctl over https: whom it trusts, what it shows, and what it says when that fails."""

from __future__ import annotations

import ssl
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.ctl.fake_api import Canned, FakeApi, of, on_loopback
from web import tls
from web.ctl import main, targets
from web.ctl.errors import OK, UNREACHABLE, USAGE
from web.ctl.place import url_target

ANSWERS = {
    "GET /api/v1/zombies": of({"total": 0, "culprits": []}),
    "GET /livez": Canned(body=b"ok", kind="text/plain"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def api(authority: Authority) -> Iterator[FakeApi]:
    with on_loopback(dict(ANSWERS), tls.context(*authority.server(), authority.ca)) as served:
        yield served


def test_a_server_of_a_trusted_authority_is_asked_with_the_token(
    api: FakeApi, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INITD_TOKEN", "a-token-that-is-long-enough")
    assert main(["--url", api.place, "--cacert", authority.ca, "zombies"]) == OK
    assert api.asked[0].headers["Authorization"] == "Bearer a-token-that-is-long-enough"
    assert api.asked[0].headers["Host"] == api.place.removeprefix("https://")


def test_a_server_that_nobody_vouches_for_gets_no_token_and_the_cure_is_said(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INITD_TOKEN", "a-token-that-is-long-enough")
    assert main(["--url", api.place, "status"]) == UNREACHABLE
    said = capsys.readouterr().err.splitlines()[-1]  # before it, what the fake one has to say
    assert said.startswith(f"initctl: cannot trust initd at {api.place}: ")
    assert "; say --cacert FILE" in said
    assert api.asked == []


def test_a_server_of_another_name_is_not_trusted(
    authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    other = authority.issue("other", "DNS:other.example")
    with on_loopback(dict(ANSWERS), tls.context(*other)) as served:
        assert main(["--url", served.place, "--cacert", authority.ca, "status"]) == UNREACHABLE
    assert "a name that stands in it" in capsys.readouterr().err


def test_a_certificate_is_shown_where_it_was_given(authority: Authority) -> None:
    context = tls.context(*authority.server(), authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    anna = authority.client("anna")
    with on_loopback(dict(ANSWERS), context) as served:
        words = ["--url", served.place, "--cacert", authority.ca]
        assert main([*words, "--cert", anna.cert, "--key", anna.key, "zombies"]) == OK
        assert main([*words, "zombies"]) == UNREACHABLE


def test_certificate_and_key_may_stand_in_one_file(
    api: FakeApi, authority: Authority, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    both.write_text("".join(Path(file).read_text() for file in authority.client("anna")))
    assert main(["--url", api.place, "--cacert", authority.ca, "--cert", str(both), "zombies"]) == OK


def test_plain_http_at_the_other_end_is_told_from_a_dead_one(capsys: pytest.CaptureFixture[str]) -> None:
    with on_loopback(dict(ANSWERS)) as plain:
        url = plain.place.replace("http://", "https://")
        assert main(["--url", url, "status"]) == UNREACHABLE
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"initctl: cannot reach initd at {url}: it does not speak TLS; say http://"


def test_nobody_at_the_other_end_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "https://127.0.0.1:1", "status"]) == UNREACHABLE
    assert "connection refused; is it started with --listen none?" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--cacert", "none"], ["--cert", "none", "--key", "none"]])
def test_files_that_are_no_good_are_a_usage_error(
    api: FakeApi, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", api.place, *words, "status"]) == USAGE
    assert capsys.readouterr().err.startswith("initctl: cannot use none")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--socket", "/s", "--cacert", "f"], "without TLS"),
        (["--url", "http://h", "--cert", "f"], "without TLS"),
        (["--url", "https://h", "--key", "f"], "--key alone"),
    ],
)
def test_files_that_would_not_be_used_are_a_usage_error(
    words: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "status"]) == USAGE
    assert why in capsys.readouterr().err


def test_the_usual_port_of_https_is_443() -> None:
    assert str(url_target("https://h/pod")) == "https://h:443/pod"
    assert str(url_target("https://[::1]:1")) == "https://[::1]:1"


# --- a health check, which sends no secret ---------------------------------------------------------


def test_a_check_on_loopback_takes_any_certificate(
    api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "live", "--url", api.place]) == OK
    other = Authority(tmp_path / "other")
    assert main(["check", "live", "--url", api.place, "--cacert", other.ca]) == UNREACHABLE
    assert "cannot trust" in capsys.readouterr().err


def test_a_check_elsewhere_does_not() -> None:
    for url, anyone in (("https://localhost", True), ("https://[::1]", True), ("https://host", False)):
        (place,) = targets.check_targets(Namespace(url=url))
        assert place.trust is not None
        assert place.trust.anyone is anyone


def test_a_check_without_a_word_knows_by_the_environment_that_tls_is_spoken(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INITD_SOCKET", "none")
    monkeypatch.setenv("INITD_LISTEN", "[::]:" + api.place.rpartition(":")[2])
    assert main(["check", "live"]) == UNREACHABLE
    monkeypatch.setenv("INITD_TLS_CERT", "/etc/tls/tls.crt")
    assert main(["check", "live"]) == OK
    assert str(targets.loopback("")) == "https://127.0.0.1:9911"
