"""Completions for zsh."""

from __future__ import annotations

from scripts.pages.flags import COMMON_FLAGS, DIRECTORIES, FILES, Flag, ctl_flags, initd_flags, operands
from web.ctl.verbs import VERBS


def _zsh(text: str) -> str:
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def _zsh_flag(flag: Flag) -> str:
    action = ""
    if flag.value:
        action = f":{_zsh(flag.value)}:"
        if flag.name in FILES + DIRECTORIES:
            action += "_files -/" if flag.name in DIRECTORIES else "_files"
        elif flag.words:
            action += f"({' '.join(flag.words)})".replace(":", "\\:")
    # A star: every option may be given again, and then the last one counts or they add up.
    names = "{" + ",".join(f"'*{name}'" for name in (flag.short, flag.name) if name) + "}"
    spelled = names if flag.short else f"'*{flag.name}'"
    return f"    {spelled}'[{_zsh(flag.help)}]{action}' \\"


def initd_zsh() -> str:
    """For zsh's function path."""
    flags = [_zsh_flag(flag) for flag in initd_flags()]
    return "\n".join(["#compdef initd", "_arguments -s -S \\", *flags, "    '*:::command:_normal'", ""])


def initctl_zsh() -> str:
    """For zsh's function path."""
    verbs = " ".join(f"'{verb.name}:{_zsh(verb.help)}'" for verb in VERBS)
    lines = ["#compdef initctl", "local -a verbs", f"verbs=({verbs})", "_arguments -C \\"]
    lines += [_zsh_flag(flag) for flag in COMMON_FLAGS]
    lines += [
        "    '1:command:->verb' '*::word:->word'",
        "case $state in",
        "    verb) _describe command verbs ;;",
    ]
    lines += ["    word) case $words[1] in"]
    for verb in VERBS:
        flags = [_zsh_flag(flag).strip() for flag in ctl_flags(verb.words)]
        found = operands(verb.words)
        rest = f"'*:word:({' '.join(found)})'" if found else "'*:word: '"
        joined = " ".join(flag.removesuffix("\\").strip() for flag in flags)
        lines.append(f"        {verb.name}) _arguments {joined} {rest} ;;")
    return "\n".join([*lines, "    esac ;;", "esac", ""])
