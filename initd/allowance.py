"""A token bucket: so many at once, and so many a second after that. Pure."""

from __future__ import annotations


class Allowance:
    """Full at the start; what is not taken fills it up again.

    ``fine``: the first refusal after a grant costs so many: whoever asks without end gets fewer a second.
    """

    def __init__(self, at_once: int, per_second: float, fine: float = 0.0) -> None:
        self._most, self._per_second, self._fine = float(at_once), per_second, fine
        self._left, self._at = self._most, 0.0
        self._fined = False  # since it last granted one

    def take(self, now: float) -> bool:
        """One, if there is any left. ``now`` in seconds, never going back."""
        refilled = self._left + (now - self._at) * self._per_second
        self._left, self._at = min(self._most, refilled), now
        if self._left >= 1.0:
            self._left -= 1.0
            self._fined = False
            return True
        if not self._fined:
            self._left -= self._fine
            self._fined = True
        return False
