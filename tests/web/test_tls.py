"""web.tls: files become what the listeners speak, or one line that says what is wrong with them."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authority import Authority, Pair, openssl
from tests.web.served import ROOT
from web import tls


def spoilt(authority: Authority, home: Path) -> dict[str, str]:
    """Files of every kind that is no good, by what is wrong with them."""
    good = authority.server()
    text = {
        "empty": b"",
        "text": b"hello\n",
        "cut": Path(good.cert).read_bytes().replace(b"MI", b"??", 1),
        "binary": ssl.PEM_cert_to_DER_cert(Path(good.cert).read_text()),
    }
    for name, content in text.items():
        (home / name).write_bytes(content)
    os.mkfifo(home / "pipe")
    (home / "directory").mkdir()
    secret = ("-in", good.key, "-passout", "pass:secret", "-out")
    openssl("pkcs8", "-topk8", *secret, str(home / "locked"))
    openssl("ec", "-aes128", *secret, str(home / "old-locked"))
    weak = ("-newkey", "rsa:512", "-nodes", "-subj", "/CN=weak", "-keyout", str(home / "weak.key"))
    openssl("req", "-x509", *weak, "-out", str(home / "weak"))
    names = ("none", "directory", "pipe", "locked", "old-locked", "weak", "weak.key", *text)
    return {name: str(home / name) for name in names}


@pytest.fixture(scope="module")
def bad(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return spoilt(authority, tmp_path_factory.mktemp("bad"))


@pytest.fixture(scope="module")
def good(authority: Authority) -> Pair:
    return authority.server("good")


@pytest.mark.parametrize("option", ["cert", "key", "client-ca"])
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("none", "No such file or directory"),
        ("directory", "it is not a file"),
        ("pipe", "it is not a file"),
        ("empty", "it holds no"),
        ("text", "it holds no"),
        ("cut", "it holds no"),
        ("binary", "it holds no"),
    ],
)
def test_a_file_that_is_no_good_is_named_with_what_is_wrong_and_the_cure(
    bad: dict[str, str], good: Pair, authority: Authority, option: str, what: str, why: str
) -> None:
    files = {"cert": good.cert, "key": good.key, "client-ca": authority.ca} | {option: bad[what]}
    with pytest.raises(tls.Unusable) as caught:
        tls.context(*files.values())
    said, _, cure = str(caught.value).partition("; ")
    assert said.startswith(f"cannot use --tls-{option} {bad[what]}: {why}")
    assert cure


@pytest.mark.parametrize("name", ["locked", "old-locked"])
def test_a_key_with_a_passphrase_is_not_asked_for_it(bad: dict[str, str], good: Pair, name: str) -> None:
    with pytest.raises(tls.Unusable, match="it has a passphrase; "):
        tls.context(good.cert, bad[name])


def test_a_key_that_is_another_ones_is_told_from_a_bad_one(authority: Authority, good: Pair) -> None:
    other = authority.server("other")
    with pytest.raises(tls.Unusable, match=f"--tls-key {other.key}: it is not the key of {good.cert}; "):
        tls.context(good.cert, other.key)


def test_a_certificate_that_openssl_finds_too_weak_is_said_to_be_so(bad: dict[str, str]) -> None:
    with pytest.raises(tls.Unusable, match=f"--tls-cert {bad['weak']}: ee key too small; "):
        tls.context(bad["weak"], bad["weak.key"])


def test_a_file_that_may_not_be_read_is_said_to_be_so(good: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, _: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(tls, "open", refuse, raising=False)  # root, who runs the tests, is never refused
    with pytest.raises(tls.Unusable, match="Permission denied; give initd a readable file"):
        tls.context(*good)


def test_certificate_and_key_may_stand_in_one_file(good: Pair, tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.write_text(Path(good.key).read_text() + Path(good.cert).read_text())
    assert tls.context(str(both), str(both)).get_ca_certs() == []


def test_what_is_spoken_is_tls_1_2_at_least_without_renegotiation(good: Pair, authority: Authority) -> None:
    made = tls.context(*good)
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.options & ssl.OP_NO_RENEGOTIATION
    assert made.verify_mode is ssl.CERT_NONE
    assert tls.context(*good, authority.ca).verify_mode is ssl.CERT_OPTIONAL


# --- as PID 1 asks it ------------------------------------------------------------------------------


def looked_at(*files: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "web.tls", *files],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
        timeout=60,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_files_that_can_be_used_are_exit_code_0_without_a_word(good: Pair, authority: Authority) -> None:
    assert looked_at(*good) == looked_at(*good, authority.ca) == (0, "")


def test_files_that_cannot_are_exit_code_1_and_one_line(good: Pair, bad: dict[str, str]) -> None:
    for files in ((bad["none"], good.key), (good.cert, bad["locked"]), ("new\nline", good.key)):
        code, said = looked_at(*files)
        assert code == 1
        assert said.startswith("cannot use --tls-")
        assert said.count("\n") == 1


# --- what clients will say of it -------------------------------------------------------------------


def test_a_certificate_that_clients_accept_has_no_reproach(good: Pair, authority: Authority) -> None:
    assert tls.reproach(tls.context(*good), good.cert) is None
    assert tls.reproach(tls.context(*good, authority.ca), good.cert) is None


def test_a_certificate_that_clients_will_refuse_is_usable_and_said_to_be_so(authority: Authority) -> None:
    old, client = authority.server("old", days=-1), authority.client("client")
    for pair, why in ((old, "expired"), (client, "purpose")):
        said = tls.reproach(tls.context(*pair), pair.cert) or ""
        assert said.startswith(f"clients will refuse --tls-cert {pair.cert}: ")
        assert why in said


# --- whose certificate it is -----------------------------------------------------------------------


def test_the_names_of_a_certificate_are_its_common_names_and_its_dns_uri_and_email_names() -> None:
    certificate = {
        "subject": ((("organizationName", "org"),), (("commonName", "anna"), ("commonName", "a"))),
        "subjectAltName": (
            ("DNS", "host.example"),
            ("URI", "spiffe://prod/ns/shop"),
            ("email", "anna@example.org"),
            ("IP Address", "10.0.0.1"),
            ("DirName", ((("commonName", "other"),),)),
        ),
    }
    named = ("anna", "a", "host.example", "spiffe://prod/ns/shop", "anna@example.org")
    assert tls.names_of(certificate) == named
    assert tls.names_of({}) == tls.names_of(None) == ()
