"""Called by another's name we are that program, and what is ours can still be had."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.kernel import kernel
from tests.kernel.harness import INITD, program, scene

from .parties import AS, Party, Stage
from .rows_signals import NO_KILL, NOBODY

others = pytest.mark.parametrize("party", AS, ids=str)


@others
def test_initd_listen_turns_http_on_and_main_sees_nothing_of_it(
    party: Party, links: Path, tmp_path: Path
) -> None:
    env = {"INITD_LISTEN": "127.0.0.1:0", "INITD_SOCKET": str(tmp_path / "initd.sock")}
    with Stage(party, links).scene(*program("catcher.py", 15), home=tmp_path, env=env) as made:
        made.ready()
        assert made.tcp("GET", "/livez").status == 200
        status = made.status()
        assert status["main"]["state"] == "running"
        main = made.host(status["main"]["pid"])
        made.post("/api/v1/main/signal", {"signal": "TERM"})
        assert made.wait() == 0
        assert not kernel.state(main)


@others
def test_what_we_refuse_is_one_line_in_its_form_with_its_code(party: Party, links: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        env = {"INITD_LISTEN": where, "INITD_SOCKET": "none"}
        code, out, err = Stage(party, links).run("echo", "main ran", env=env)
    assert (code, out, err.count("\n")) == (1, "", 1)
    form = {"tini": "[FATAL tini (1)] ", "dumb-init": "[dumb-init] ", "catatonit": "ERROR (catatonit:1): "}
    assert err.startswith(f"{form[party.family]}cannot listen on {where}: ")


@others
def test_an_option_of_ours_that_cannot_be_fulfilled_is_refused_so_too(party: Party, links: Path) -> None:
    code, out, err = Stage(party, links).run("echo", "main ran", env={"INITD_USER": "nobody-at-all"})
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "cannot run main as user 'nobody-at-all'" in err


def test_a_forward_for_which_root_lacks_cap_kill_is_made_as_mains_user() -> None:
    """tini exits with 1 here."""
    with scene(*NOBODY, *program("catcher.py"), before=NO_KILL, http=False) as made:
        made.ready()
        made.send(1)
        made.wait_out("\n1\n")


@others
def test_below_us_initd_is_itself_again(party: Party, links: Path) -> None:
    """The name is the process's own and no variable hands it on."""
    code, out, _ = Stage(party, links).run(INITD, "--version")
    assert code == 0
    assert out.startswith("initd ")
