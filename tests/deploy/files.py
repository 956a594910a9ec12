"""What deploy/ holds, read for the tests.

Law of this file: paths and parsers; it judges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana/initd.json"
PROMETHEUS = DEPLOY / "prometheus/prometheus.yml"
RULES = DEPLOY / "prometheus/rules.yml"
RULES_TEST = DEPLOY / "prometheus/rules_test.yml"

Json = dict[str, Any]


def dashboard() -> Json:
    """A copy of one's own, to break if need be."""
    found: Json = json.loads(DASHBOARD.read_text())
    return found


def panels(board: Json) -> list[Json]:
    """All that show something: rows left out, panels inside collapsed rows not."""
    everything = (each for panel in board["panels"] for each in (panel, *panel.get("panels", ())))
    return [panel for panel in everything if panel["type"] != "row"]


def targets(board: Json) -> Iterator[tuple[str, Json]]:
    """Every query, with where it stands."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield f"{panel.get('title')}/{target.get('refId')}", target


def document(path: Path) -> Json:
    """A YAML file."""
    found: Json = yaml.safe_load(path.read_text())
    return found


def rules() -> list[Json]:
    """Every rule, recording and alerting."""
    return [rule for group in document(RULES)["groups"] for rule in group["rules"]]


def alerts() -> list[Json]:
    return [rule for rule in rules() if "alert" in rule]
