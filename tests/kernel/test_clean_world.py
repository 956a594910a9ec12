"""Main finds the world that initd found: masks, ignores, environment, descriptors, directory, arguments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from initd.procfs import parse_status, signals_in

from .harness import ENVIRONMENT, first, program, run
from .test_exit_codes import one_cannot

TINI = ("tini", "--")
BLOCKED = {signal.SIGTERM, signal.SIGUSR1, signal.SIGTSTP, signal.SIGRTMIN + 3}
IGNORED = {signal.SIGHUP, signal.SIGQUIT, signal.SIGTTOU, signal.SIGRTMAX}
RESET = {signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD}
# The C library's own: its posix_spawn (make's, for one) leaves them ignored, its setuid (unshare's) does not.
LIBRARY = {32, 33}
# What whoever started these tests has left us: a shell's "&" ignores INT and QUIT.
AT_ENTRY = signals_in(parse_status(Path("/proc/self/status").read_bytes())["SigIgn"]) - RESET - LIBRARY


def strange_entry() -> None:
    """Block some signals and ignore others, as a careless parent does."""
    for number in IGNORED | RESET:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, BLOCKED)


def signal_sets(entry: Callable[[], None] | None, **rest: Any) -> dict[str, frozenset[int]]:
    """Main's blocked, ignored and caught signals; cat changes none of them.

    unshare sets CHLD to its default, so that one is ignored once more behind it.
    """
    before = ("env", "--ignore-signal=CHLD") if entry and "init" not in rest else ()  # tini would hang
    code, out, error = run("cat", "/proc/self/status", entry=entry, before=before, **rest)
    assert code == 0, error
    status = parse_status(out.encode())
    names = ("SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd")
    return {name: signals_in(status[name]) - LIBRARY for name in names}


def world(*arguments: str, options: Sequence[str] = (), **rest: Any) -> dict[str, Any]:
    """What world.py says as main."""
    code, out, error = run(*program("world.py", *arguments), options=options, **rest)
    assert code == 0, error
    seen: dict[str, Any] = json.loads(out)
    return seen


@pytest.mark.parametrize("http", [False, True])
def test_main_gets_the_mask_and_the_ignored_signals_found_at_entry(http: bool) -> None:
    seen = signal_sets(strange_entry, http=http)
    assert seen == {
        "SigBlk": frozenset(map(int, BLOCKED)),
        "SigIgn": frozenset(map(int, IGNORED)) | AT_ENTRY,
        "SigCgt": frozenset(),
        "SigPnd": frozenset(),
        "ShdPnd": frozenset(),
    }


def test_main_gets_an_untouched_signal_world_when_there_was_nothing_to_keep() -> None:
    seen = signal_sets(None)
    assert seen.pop("SigIgn") == AT_ENTRY
    assert set(seen.values()) == {frozenset()}


def test_main_gets_the_same_signals_as_under_tini_but_for_the_three_we_reset() -> None:
    ours, theirs = signal_sets(strange_entry), signal_sets(strange_entry, init=TINI)
    assert ours["SigBlk"] == theirs["SigBlk"]
    assert ours["SigIgn"] == theirs["SigIgn"] - set(map(int, RESET))


def test_a_restarted_main_gets_the_same_signals_again(tmp_path: Path) -> None:
    script = f"cat /proc/self/status; [ -e {tmp_path}/2 ] && exit 0; : > {tmp_path}/2; exit 1"
    code, out, _ = run("sh", "-c", script, options=["--restart", "on-failure"], entry=strange_entry)
    lines = [line for line in out.splitlines() if line.startswith(("SigBlk", "SigIgn"))]
    assert code == 0
    assert len(lines) == 4
    assert lines[:2] == lines[2:]


def test_main_leads_a_process_group_of_its_own_in_our_session() -> None:
    seen = world(http=False)
    assert (seen["pgrp"], seen["ppid"]) == (seen["pid"], 1)
    assert seen["sid"] != seen["pid"]


def test_session_gives_main_a_session_of_its_own() -> None:
    seen = world(options=["--session"], http=False)
    assert seen["sid"] == seen["pgrp"] == seen["pid"]


# Names that no shell can hold as variables, values with anything in them: all of it is main's.
STRANGE: Mapping[str, str] = {
    "discovery.type": "single-node",
    "a-b": "c",
    "EMPTY": "",
    "LINES": "one\ntwo\n",
    "QUOTES": "'\"$(id)`id`\\",
    "LATIN": "\udcff\udcfe",
    "IFS": ":",
    "ENV": "/nonexistent",
    "PS4": "x",
    "OLDPWD": "/somewhere",
    "initd_self": "mine",
    "initd": "mine",
    "XINITD_A": "mine",
    "LD_SOMETHING": "x",
}
OURS = {
    "INITD_QUIET": "1",
    "INITD_RESTART": "no",
    "INITD_TOKEN": "a-token-of-twenty-characters",
    "INITD_ENVIRON": "x",
}


def test_the_environment_of_main_is_the_one_at_entry_but_for_our_variables() -> None:
    assert world(env={**STRANGE, **OURS}, http=False)["env"] == {**ENVIRONMENT, **STRANGE}


def test_of_an_environment_that_python_cannot_hand_on_main_gets_what_it_can(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    subprocess.run(["cc", "-o", odd, *program("odd_environment.c")[1:]], check=True)
    code, out, error = run("/usr/bin/env", before=(str(odd),), http=False)
    assert (code, out.splitlines()) == (0, ["TWICE=first", "PLAIN=x=y"]), error


def test_variables_that_break_pythons_neither_harm_us_nor_are_kept_from_main(tmp_path: Path) -> None:
    for module in ("os", "json", "site", "initd", "web", "encodings"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('a hostile module was imported')\n")
    hostile = {
        "PYTHONHOME": "/nonexistent",
        "PYTHONPATH": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "os.py"),
        "PYTHONWARNINGS": "error",
        "PYTHONINSPECT": "1",
        "PYTHONVERBOSE": "1",
        "PYTHONIOENCODING": "nonsense",
        "PYTHONDEVMODE": "1",
        "PYTHONUTF8": "7",
    }
    seen = world(env=hostile, http=True, before=("env", "-C", str(tmp_path)))
    assert seen["env"] == {**ENVIRONMENT, **hostile}


def test_directory_umask_and_nice_value_are_left_as_they_are(tmp_path: Path) -> None:
    before = ("nice", "-n", "5", *first(f"cd {tmp_path}; umask 0137"))
    seen = world(before=before, http=False)
    assert (seen["cwd"], seen["umask"], seen["nice"]) == (str(tmp_path), 0o137, 5)


def test_arguments_arrive_to_the_letter() -> None:
    words = ["", " ", "a b", "--", "-e", "*", "$HOME", "'\"", "\n", "ünï", "\udcff", "--restart"]
    assert world(*words, http=False)["argv"] == words


@pytest.mark.parametrize("listen", ["none", "127.0.0.1:0"])
def test_main_has_no_descriptor_more_than_under_tini(tmp_path: Path, listen: str) -> None:
    with (tmp_path / "inherited").open("w") as inherited:
        number = inherited.fileno()
        ours = world(http=True, listen=listen, fds=[number], options=["-q"])["fds"]
        theirs = world(init=TINI, fds=[number])["fds"]
    assert ours.keys() == theirs.keys() == {"0", "1", "2", str(number)}
    assert ours[str(number)] == theirs[str(number)]
    assert ours["0"] == os.devnull


def test_closed_standard_descriptors_do_not_become_something_of_ours() -> None:
    shut = first("exec 0<&- 2>&-")
    seen = world(http=True, listen="127.0.0.1:0", before=shut)["fds"]
    assert {target for number, target in seen.items() if number != "1"} <= {os.devnull}


def test_a_script_without_a_shebang_runs_by_sh(tmp_path: Path) -> None:
    script = tmp_path / "no-shebang"
    script.write_text('echo "$0 $1"\nexit 6\n')
    script.chmod(0o755)
    assert run(str(script), "two words")[:2] == (6, f"{script} two words\n")
    assert run("no-shebang", "x", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})[:2] == (6, f"{script} x\n")


def test_user_group_and_directory_can_be_chosen() -> None:
    seen = world(options=["--user", "nobody:nogroup", "--workdir", "/usr", "--umask", "077"], http=False)
    assert (seen["uid"], seen["gid"], seen["groups"]) == (65534, 65534, [65534])
    assert (seen["cwd"], seen["umask"]) == ("/usr", 0o077)


def limits(text: str, *names: str) -> list[str]:
    """Soft and hard limits in a /proc/PID/limits, by their names there."""
    rows = [next(line for line in text.splitlines() if line.startswith(f"Max {name} ")) for name in names]
    return [" ".join(row[26:].split()[:2]) for row in rows]


@pytest.mark.parametrize("http", [False, True])
def test_limits_can_be_chosen_and_neither_the_others_nor_ours_change(http: bool) -> None:
    names = ("open files", "core file size", "data size", "processes")
    before = limits(Path("/proc/self/limits").read_text(), *names)
    options = ["--rlimit", "NOFILE=100:200", "--rlimit", "core=0", "--rlimit", "RLIMIT_DATA=1000000000"]
    code, out, error = run("cat", "/proc/self/limits", "/proc/1/limits", options=options, http=http)
    assert code == 0, error
    mains, ours = out.split("Max cpu time")[1:]
    assert limits(mains, *names) == ["100 200", "0 0", "1000000000 1000000000", before[3]]
    assert limits(ours, *names) == before


@pytest.mark.parametrize("nice", [7, -7])
def test_the_nice_value_can_be_chosen_and_is_not_ours(nice: int) -> None:
    code, out, error = run("sh", "-c", "nice; ps -o ni= -p 1", options=["--nice", str(nice)])
    assert (code, out.split()) == (0, [str(nice), "0"]), error


def test_the_oom_score_can_be_chosen_and_is_not_ours() -> None:
    own = Path("/proc/self/oom_score_adj").read_text().strip()
    files = ("/proc/self/oom_score_adj", "/proc/1/oom_score_adj")
    code, out, error = run("cat", *files, options=["--oom-score-adj", "500"])
    assert (code, out.split()) == (0, ["500", own]), error


def test_what_only_root_may_do_is_done_before_main_is_another_user() -> None:
    options = ["--user", "nobody", "--nice", "-3"]
    code, out, error = run("sh", "-c", "id -u; nice", options=options)
    assert (code, out.split()) == (0, ["65534", "-3"]), error


def test_supplementary_groups_are_those_of_a_login(tmp_path: Path) -> None:
    """In a mount namespace of its own, where games is in two more groups."""
    groups = tmp_path / "group"
    groups.write_text(Path("/etc/group").read_text() + "one:x:7001:games\ntwo:x:7002:other,games\n")
    before = first(f"mount --bind {groups} /etc/group")
    seen = world(options=["--user", "games"], before=before, unshare=["--mount"], http=False)
    assert (seen["uid"], sorted(seen["groups"])) == (5, sorted([seen["gid"], 7001, 7002]))
    seen = world(options=["--user", "games:two"], before=before, unshare=["--mount"], http=False)
    assert (seen["gid"], sorted(seen["groups"])) == (7002, [7001, 7002])
    assert world(options=["--user", "12345:67"], http=False)["groups"] == [67]


# The capability that is taken away, what is asked for, and what the refusal has to name.
POWERLESS = [
    ("setuid", ["--user", "nobody"], "CAP_SETUID"),
    ("setgid", ["--user", "nobody"], "CAP_SETGID"),
    ("sys_nice", ["--nice", "-5"], "CAP_SYS_NICE"),
    ("sys_resource", ["--oom-score-adj", "-500"], "CAP_SYS_RESOURCE"),
    ("sys_resource", ["--rlimit", "NOFILE=60:70"], "CAP_SYS_RESOURCE"),
]


@pytest.mark.parametrize(("capability", "options", "named"), POWERLESS)
def test_a_refusal_names_the_capability_that_is_missing(
    capability: str, options: list[str], named: str
) -> None:
    before = (
        *first("ulimit -n 50"),
        *("setpriv", "--bounding-set", f"-{capability}", "--inh-caps", f"-{capability}"),
    )
    code, out, error = run("echo", "started", options=options, before=before)
    assert (code, out) == (125, ""), error
    line = one_cannot(error)
    assert line.startswith(f"cannot run 'echo': {options[0]} failed: ")
    assert named in line


@pytest.mark.parametrize(
    "option", [["--nice", "5"], ["--oom-score-adj", "500"], ["--rlimit", "NOFILE=40:50"]]
)
def test_what_needs_no_capability_is_done_without_it(option: list[str]) -> None:
    before = (*first("ulimit -n 50"), "setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
    code, out, error = run("echo", "started", options=option, before=before)
    assert (code, out) == (0, "started\n"), error
