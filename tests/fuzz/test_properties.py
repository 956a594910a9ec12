"""By hypothesis: what is kept, cut up and put together again with words of its language, and with noise."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.survival.soak import soak

# The same inputs in each run, and none remembered: what is found goes to the corpus, where everybody sees it.
EACH_TIME = settings(
    max_examples=soak(10_000, least=100),
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def sentences(target: Target) -> st.SearchStrategy[bytes]:
    """Inputs that begin in sense and end in nonsense, or the other way round."""
    kept = st.sampled_from([path.read_bytes() for path in target.corpus])
    cut = st.tuples(kept, st.integers(0, 400), st.integers(1, 400)).map(lambda c: c[0][c[1] : -c[2]])
    pieces = st.sampled_from(target.words) | st.binary(max_size=6) | cut | kept
    return st.lists(pieces, max_size=12).map(b"".join)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_that_is_sent_breaks_a_promise(target: Target) -> None:
    EACH_TIME(given(sentences(target))(target.run))()
