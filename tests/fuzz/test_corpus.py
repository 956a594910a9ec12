"""What was ever found stays found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.target import CORPUS, Target
from tests.fuzz.targets import TARGETS

KEPT = [
    pytest.param(target, path, id=f"{target.name}-{path.name}")
    for target in TARGETS.values()
    for path in target.corpus
]


@pytest.mark.parametrize(("target", "path"), KEPT)
def test_what_was_kept_breaks_no_promise(target: Target, path: Path) -> None:
    target.run(path.read_bytes())


def test_each_target_has_a_corpus_and_each_corpus_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
