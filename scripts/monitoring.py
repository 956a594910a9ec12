"""``python -m scripts.monitoring`` writes what of deploy/kubernetes/monitoring is made from other files.

Law of this file: text in, text out, indented and with a head; comments and order stay. A test says when it
is old.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
RULES = {"initd": "rules.yml", "initd-fleet": "fleet.yml"}
MADE = "# Made by python -m scripts.monitoring from {source}; change that one.\n"


def files() -> dict[Path, str]:
    """Every file that is made, with its text."""
    here = DEPLOY / "kubernetes/monitoring"
    return {
        here / "rules.yaml": "---\n".join(
            _rule(name, DEPLOY / "prometheus" / source) for name, source in RULES.items()
        ),
        here / "dashboard.yaml": _dashboard(DEPLOY / "grafana/initd.json"),
    }


def _rule(name: str, source: Path) -> str:
    """A PrometheusRule whose spec is the rule file, without the comment at its head."""
    groups = source.read_text().partition("\ngroups:\n")
    head = f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {name}\nspec:\n"
    return _made(source) + head + _indent("groups:\n" + groups[2], 2)


def _dashboard(source: Path) -> str:
    """A ConfigMap with the label by which Grafana's sidecar finds dashboards."""
    labels = '  labels:\n    grafana_dashboard: "1"\n'
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: initd-dashboard\n{labels}"
    return _made(source) + head + f"data:\n  {source.name}: |\n" + _indent(source.read_text(), 4)


def _made(source: Path) -> str:
    return MADE.format(source=source.relative_to(DEPLOY.parent))


def _indent(text: str, by: int) -> str:
    return textwrap.indent(text, " " * by)


def main() -> None:
    """Write them."""
    for path, text in files().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
