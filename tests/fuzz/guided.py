"""One target, guided by coverage: ``python -m tests.fuzz.guided tests.fuzz.ROOM NAME [OPTIONS] [DIRECTORY…]``

Options are libFuzzer's. What is found is written to the working directory; move it to corpus/NAME, and give
it a name that says what it is.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import atheris  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from tests.fuzz.target import Target

INSTRUMENTED = ["tests", "initd", "web", "h11", "json", "urllib"]  # whose branches guide
LONGEST_WORD = 60  # libFuzzer takes 64 bytes


def main(room: str, name: str, *options: str) -> None:
    """Never returns: libFuzzer ends the process, with 0 when it found nothing."""
    _show_json()
    with atheris.instrument_imports(include=INSTRUMENTED):
        found: list[Target] = importlib.import_module(room).TARGETS
    (target,) = (target for target in found if target.name == name)
    atheris.Setup([sys.argv[0], f"-dict={_dictionary(target.words)}", *options], target.run)
    atheris.Fuzz()


def _show_json() -> None:
    """The C half of json hides its branches, and whoever only tries bytes hardly ever hits on an object."""
    from initd import compact_json

    rules = compact_json._Rules  # noqa: SLF001  it has no other half of its own
    for module in [module for module in sys.modules if module.partition(".")[0] == "json"]:
        del sys.modules[module]
    sys.modules["_json"] = None  # type: ignore[assignment]  # as if it were missing
    with atheris.instrument_imports(include=INSTRUMENTED):
        from json import JSONDecoder
    decoder = JSONDecoder(parse_float=rules.parse_float, parse_constant=rules.parse_constant)
    compact_json._scan = decoder.scan_once  # type: ignore[attr-defined]  # noqa: SLF001  as above


def _dictionary(words: Iterable[bytes]) -> str:
    """A file that is gone with us: libFuzzer reads it late, and never comes back."""
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in word[:LONGEST_WORD]) + '"\n' for word in words)
    descriptor = os.memfd_create("words")
    os.write(descriptor, "".join(lines).encode())
    return f"/proc/self/fd/{descriptor}"


if __name__ == "__main__":
    main(*sys.argv[1:])
