"""What every refusal of the command line has in common."""

from __future__ import annotations

import pytest

from initd.cli import Refusal, parse


def refusal(*argv: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(Refusal) as caught:
        parse(argv, environ or {})
    text = str(caught.value)
    assert caught.value.code == 125
    assert text.startswith("cannot ")
    assert text.isprintable()
    return text
