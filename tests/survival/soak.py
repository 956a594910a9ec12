"""How much is enough: a fraction in CI, everything in ``make reliability``."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("INITD_TEST_SOAK", "0.02"))  # 1 is what docs/reliability.md speaks of


def soak(whole: int, least: int = 1) -> int:
    """So many of ``whole``, by the environment variable INITD_TEST_SOAK, and at least ``least``."""
    return max(least, round(whole * SCALE))
