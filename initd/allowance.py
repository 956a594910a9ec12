"""A token bucket: so many at once, and so many a second after that. Pure."""

from __future__ import annotations


class Allowance:
    """Full at the start; what is not taken fills it up again."""

    def __init__(self, at_once: int, per_second: float) -> None:
        self._most, self._per_second = float(at_once), per_second
        self._left, self._at = self._most, 0.0

    def take(self, now: float) -> bool:
        """One, if there is any left. ``now`` in seconds, never going back."""
        refilled = self._left + (now - self._at) * self._per_second
        self._left, self._at = min(self._most, refilled), now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
