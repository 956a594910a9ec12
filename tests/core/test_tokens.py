"""cli.py, the tokens: a wrong one is refused, and is never shown, not even in its refusal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from initd.cli import parse
from initd.credentials import Files

from .refusing import refusal

TOKEN = "s3cret-0123456789-abcdef"  # long enough


def token_file(folder: Path, content: bytes) -> str:
    path = folder / "tokens"
    path.write_bytes(content)
    return str(path)


def test_a_token_file_is_read_with_its_comments_and_empty_lines(tmp_path: Path) -> None:
    path = token_file(tmp_path, f"# who\n\n read\t{TOKEN}-a \ncontrol {TOKEN}-b\n".encode())
    config = parse(["--tokens", path, "x"], {"INITD_TOKEN": TOKEN})
    assert config.credentials[0] == (("control", TOKEN), ("read", f"{TOKEN}-a"), ("control", f"{TOKEN}-b"))
    assert parse(["x"], {"INITD_TOKENS": path}).credentials[0] == config.credentials[0][1:]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"read short-secret", "line 1: it is too short; say at least 20 characters"),
        (b"\nroot s3cret-0123456789-abcdef", "line 2: say ROLE TOKEN"),
        (b"s3cret-0123456789-abcdef", "line 1: say ROLE TOKEN"),
        (b"s3cret-0123456789-abcdef read", "line 1: say ROLE TOKEN"),
        (b"read s3cret-0123456789-abcdef extra", "line 1: say ROLE TOKEN"),
        ("read s3cret-0123456789-äbcdef".encode(), "line 1: say printable ASCII"),
        (b"read s3cret-0123456789-\x01bcdef", "line 1: say printable ASCII"),
        (b"#" * 2**20 + f"\nread {TOKEN}".encode(), "it is longer than a megabyte; give initd"),
        (b"read s3cret-0123456789-\xff", "it is not UTF-8 text; give initd a readable file"),
    ],
)
def test_a_wrong_token_file_is_refused_and_its_tokens_are_not_shown(
    tmp_path: Path, content: bytes, says: str
) -> None:
    text = refusal("--tokens", token_file(tmp_path, content), "x")
    assert says in text
    assert "secret" not in text
    assert "s3cret" not in text


def test_a_token_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    assert refusal("--tokens", missing, "x") == (
        f"cannot read the token file {missing}: No such file or directory; give initd a readable file"
    )
    assert "Is a directory" in refusal("--tokens", str(tmp_path), "x")


@pytest.mark.parametrize("token", ["", "short-secret", "s3cret with spaces 012", "s3cret-" + "ä" * 20])
def test_a_wrong_token_in_the_environment_is_refused_and_not_shown(token: str) -> None:
    text = refusal("x", environ={"INITD_TOKEN": token})
    assert text.startswith("cannot use the token in INITD_TOKEN: ")
    assert not token or token not in text


def test_twenty_characters_are_enough() -> None:
    assert parse(["x"], {"INITD_TOKEN": "x" * 20}).credentials[0] == (("control", "x" * 20),)
    refusal("x", environ={"INITD_TOKEN": "x" * 19})


def test_a_line_may_name_a_client_certificate_which_may_be_short(tmp_path: Path) -> None:
    path = token_file(
        tmp_path, f"metrics cert:prometheus\nread {TOKEN}\ncontrol cert:bot@example.com\n".encode()
    )
    tokens, certificates = parse(["--tokens", path, "x"], {}).credentials
    assert tokens == (("read", TOKEN),)
    assert certificates == (("metrics", "prometheus"), ("control", "bot@example.com"))


def test_a_certificate_without_a_name_is_refused(tmp_path: Path) -> None:
    assert "line 1: it is too short" in refusal("--tokens", token_file(tmp_path, b"read cert:"), "x")


def test_a_token_that_looks_like_a_certificate_is_refused() -> None:
    text = refusal("x", environ={"INITD_TOKEN": "cert:" + "x" * 20})
    assert text == "cannot use the token in INITD_TOKEN: it names a certificate; put that into --tokens"


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["--tls-cert", "c"], "cannot use --tls-cert alone: say --tls-key as well"),
        (["--tls-key", "k"], "cannot use --tls-key alone: say --tls-cert as well"),
        (
            ["--tls-client-ca", "a"],
            "cannot use --tls-client-ca without TLS: say --tls-cert and --tls-key as well",
        ),
    ],
)
def test_tls_needs_a_certificate_and_its_key(words: list[str], cure: str) -> None:
    assert refusal(*words, "x") == cure


def test_files_of_secrets_are_found_again_from_another_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = parse(["--tls-cert", "c", "--tls-key", "/k", "x"], {})
    assert (config.tls_cert, config.tls_key) == (f"{tmp_path}/c", "/k")


def test_a_table_that_would_not_fit_into_webs_greeting_is_refused(tmp_path: Path) -> None:
    lines = "".join(f"read {chr(92) * 190}{number:03}\n" for number in range(200))
    text = refusal("--tokens", token_file(tmp_path, lines.encode()), "x")
    assert "its tokens are too long together; say fewer" in text


def test_a_pipe_is_no_token_file_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = refusal("--tokens", str(tmp_path / "pipe"), "x")
    assert text.endswith("it is no regular file; give initd a readable file")


def test_tokens_that_change_while_we_start_are_a_change(tmp_path: Path) -> None:
    config = parse(["--tokens", token_file(tmp_path, f"read {TOKEN}".encode()), "x"], {})
    token_file(tmp_path, f"control {TOKEN}-new".encode())
    changed = Files(config).inspect()
    assert changed is not None
    assert changed.credentials == ((("control", f"{TOKEN}-new"),), ())
