"""``python -m scripts.dashboard`` writes deploy/grafana/initd.json; a test says when it is old."""

from __future__ import annotations

from pathlib import Path

from scripts.dashboard.board import text

FILE = Path(__file__).resolve().parents[2] / "deploy/grafana/initd.json"


def main() -> None:
    """Write it."""
    FILE.write_text(text())


if __name__ == "__main__":
    main()
