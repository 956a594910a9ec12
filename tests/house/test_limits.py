"""docs/limits.md: every bound stands there as it is in the code."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from typing import NamedTuple

import pytest

from tests.house.imports import ROOT

TEXT = (ROOT / "docs/limits.md").read_text()
ROW = re.compile(r"^\| .* \| ([\d,.]+)( s)?\b.* \| .* \| `web\.([\w.]+)\.([A-Z_]+)` \|$", re.MULTILINE)
TIMES = {"web.connection", "web.handshake", "web.server"}  # all that is a number there is a time
AT_1024 = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
from web import limits
print({name: value for name, value in vars(limits).items() if name.isupper() and name[0] != "_"})
"""


class Bound(NamedTuple):
    """One line of the table."""

    number: float
    seconds: bool
    module: str
    constant: str


BOUNDS = [
    Bound(float(number.replace(",", "")), bool(seconds), f"web.{module}", constant)
    for number, seconds, module, constant in ROW.findall(TEXT)
]


def at_1024_descriptors() -> dict[str, float]:
    """web.limits of a process that has as many descriptors as is usual."""
    done = subprocess.run(
        [sys.executable, "-c", AT_1024], cwd=ROOT, capture_output=True, check=True, text=True
    )
    found: dict[str, float] = ast.literal_eval(done.stdout)
    return found


LIMITS = at_1024_descriptors()


def test_every_line_of_the_table_is_looked_at() -> None:
    assert len(BOUNDS) == sum(line.startswith("| ") for line in TEXT.splitlines()) - 2


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.constant)
def test_a_bound_is_the_one_of_the_code(bound: Bound) -> None:
    if bound.module == "web.limits":
        value = LIMITS[bound.constant]
    else:
        value = getattr(importlib.import_module(bound.module), bound.constant)
    assert bound.number == value


@pytest.mark.parametrize("name", sorted(TIMES))
def test_every_patience_of_a_connection_is_in_the_table(name: str) -> None:
    module = importlib.import_module(name)
    told = {bound.constant for bound in BOUNDS if bound.module == name and bound.seconds}
    numbers = {key for key, value in vars(module).items() if isinstance(value, int | float) and key.isupper()}
    assert told == {key for key in numbers if not key.startswith("_")}


def test_every_limit_but_what_no_client_sees_is_in_the_table() -> None:
    told = {bound.constant for bound in BOUNDS if bound.module == "web.limits"}
    assert told == LIMITS.keys() - {"WATCHED", "KEPT"}  # processes that we watch and look at
