"""``python -m scripts.pages`` writes docs/man/ and docs/completions/; a test says when they are old."""

from __future__ import annotations

from pathlib import Path

from scripts.pages import bash, fish, man, zsh

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "docs/man/initd.1": man.initd_man,
    "docs/man/initctl.1": man.initctl_man,
    "docs/completions/initd": bash.initd_bash,
    "docs/completions/initctl": bash.initctl_bash,
    "docs/completions/_initd": zsh.initd_zsh,
    "docs/completions/_initctl": zsh.initctl_zsh,
    "docs/completions/initd.fish": fish.initd_fish,
    "docs/completions/initctl.fish": fish.initctl_fish,
}


def main() -> None:
    """Write them all."""
    for name, make in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make())


if __name__ == "__main__":
    main()
