"""By atheris: inputs that reach a branch that none before them has are kept, and changed further."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.target import CORPUS, Target
from tests.fuzz.targets import TARGETS
from tests.survival.soak import soak

ROOT = Path(__file__).parents[2]
SLOW = 10  # seconds for one input: what takes longer is a finding


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_no_branch_that_is_found_breaks_a_promise(target: Target, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    words = [
        *(sys.executable, "-m", "tests.fuzz.guided", target.run.__module__, target.name),
        *(f"-runs={soak(target.whole)}", f"-artifact_prefix={tmp_path}/", "-seed=1", f"-timeout={SLOW}"),
        *(str(found), str(CORPUS / target.name)),  # what is new goes to the first one
    ]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    inputs = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert run.returncode == 0, f"{inputs}\n{run.stderr[-4_000:]}"
