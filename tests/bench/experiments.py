"""Everything that is measured, in the order of the page."""

from __future__ import annotations

from . import of_http, of_orphans, of_rest, of_start

EXPERIMENTS = (
    *of_start.EXPERIMENTS,
    *of_orphans.EXPERIMENTS,
    *of_rest.EXPERIMENTS,
    *of_http.EXPERIMENTS,
)
