"""By another init's name, and for other users than those it finds: the same as outside a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bundle.running import INITD, bundled, ended
from tests.kernel import kernel

PASSWD = "app:x:1234:1235::/:/none\n"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("tini", 127, "[FATAL tini (2)] exec /none failed: No such file or directory\n"),
        ("docker-init", 127, "[FATAL tini (2)] exec /none failed: No such file or directory\n"),
        ("dumb-init", 2, "[dumb-init] /none: No such file or directory\n"),
        ("catatonit", 1, "ERROR (catatonit:2): failed to exec pid1: No such file or directory\n"),
    ],
)
def test_called_by_another_inits_name_it_is_that_init(empty: Path, name: str, code: int, said: str) -> None:
    link = empty / "sbin" / name
    link.symlink_to(INITD)
    assert ended(empty, "--", "/none", init=(f"/sbin/{name}",)) == (code, "", said)
    assert ended(empty, "/main", "exit", "5", init=(f"/sbin/{name}", "--"))[0] == 5


def test_a_user_by_number_needs_no_file(empty: Path) -> None:
    assert uid(empty, "1000:1001") == ["1000", "1001"]


def test_a_user_by_name_where_there_is_no_file_is_refused(empty: Path) -> None:
    code, _, said = ended(empty, "/main", options=("--user", "app"))
    assert code == 125
    assert said == "cannot run main as user 'app': there is no such user; add it or say a number\n"


@pytest.fixture
def etc(empty: Path) -> Iterator[Path]:
    """/etc, for as long as a test needs it."""
    made = empty / "etc"
    made.mkdir()
    yield made
    for path in made.iterdir():
        path.unlink()
    made.rmdir()


@pytest.mark.parametrize("switch", [None, "passwd: sss systemd files\ngroup: sss files\n"])
def test_a_user_is_found_in_passwd_whatever_nsswitch_names(
    empty: Path, etc: Path, switch: str | None
) -> None:
    (etc / "passwd").write_text(PASSWD)
    if switch:
        (etc / "nsswitch.conf").write_text(switch)
    assert uid(empty, "app") == ["1234", "1235"]


def uid(root: Path, user: str) -> list[str]:
    """The uid and gid of a main that is started with --user."""
    with bundled(root, "/main", options=("--user", user)) as made:
        made.ready()
        seen = kernel.status(made.main)
        return [seen[name].split()[0] for name in ("Uid", "Gid")]
