"""Man pages and completions: current, well-formed, and true where a shell can be asked."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from initd.options import TABLE
from scripts.pages.__main__ import PAGES, ROOT
from web.ctl.verbs import VERBS

COMPLETIONS = ROOT / "docs/completions"


def output(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_current_run_python_m_scripts_pages(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name]()


@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith(".1")])
def test_a_man_page_has_nothing_to_warn_of(name: str) -> None:
    output("mandoc", "-Tlint", "-Wwarning", name)


def test_initds_man_page_shows_every_option() -> None:
    page = re.sub(".\b", "", output("mandoc", "-Tascii", "docs/man/initd.1"))  # bold is overstruck
    assert [option.name for option in TABLE if f"--{option.name}" not in page] == []


def bash(*words: str) -> set[str]:
    """What bash offers after these words; the last one is being typed."""
    typed = " ".join(f"'{word}'" for word in words)
    program = words[0]
    script = f"""
        source docs/completions/{program}
        COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _{program}; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    return set(output("bash", "--norc", "-c", script).split())


def fish(*words: str) -> set[str]:
    """The same of fish."""
    script = f"source docs/completions/{words[0]}.fish; complete -C '{' '.join(words)}'"
    return {line.split("\t")[0] for line in output("fish", "--no-config", "-c", script).splitlines()}


@pytest.mark.parametrize("shell", [bash, fish])
def test_a_shell_completes_options_values_and_verbs(shell: Callable[..., set[str]]) -> None:
    assert "--restart" in shell("initd", "--re")
    assert "always" in shell("initd", "--restart", "a")
    assert "USR1" in shell("initd", "--stop-signal", "U")
    assert "zombies" in shell("initctl", "zo")
    assert "HUP" in shell("initctl", "signal", "H")
    assert "--follow" in shell("initctl", "events", "--f")


def test_after_initds_options_bash_completes_the_command_and_not_initds_options() -> None:
    assert "true" in bash("initd", "--restart", "always", "tru")
    assert "--restart" not in bash("initd", "--", "sh", "--re")


def test_zsh_takes_both_files_for_completions_of_their_programs() -> None:
    load = "fpath=(docs/completions $fpath); autoload -U compinit; compinit -u -D"
    script = f"{load}; print $_comps[initd] $_comps[initctl]"
    assert output("zsh", "-f", "-c", script).split() == ["_initd", "_initctl"]
    for name in ("_initd", "_initctl"):
        output("zsh", "-n", str(COMPLETIONS / name))


def test_every_verb_is_completed_everywhere() -> None:
    for name in ("initctl", "_initctl", "initctl.fish"):
        text = Path(COMPLETIONS / name).read_text()
        assert [verb.name for verb in VERBS if verb.name not in text] == []
