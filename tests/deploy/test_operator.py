"""What the Prometheus operator is given: by its own CRDs, as models, and by promtool."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule
from pydantic import BaseModel, ValidationError

from tests.deploy.files import DEPLOY, Json, document
from tests.deploy.manifests import KUBERNETES, kind, rendered
from tests.deploy.test_rules import promtool

MODELS: dict[str, type[BaseModel]] = {"PodMonitor": PodMonitor, "PrometheusRule": PrometheusRule}
OBJECTS = [each for each in rendered(KUBERNETES / "monitoring") if each["kind"] in MODELS]
RULE_FILES = {"initd": "rules.yml", "initd-fleet": "fleet.yml"}


def checked(given: Json) -> Json:
    """What the CRD knows of it. Raises ValidationError where a value is not as it must be."""
    made = MODELS[given["kind"]].model_validate(copy.deepcopy(given))
    known: Json = json.loads(made.model_dump_json(by_alias=True, exclude_unset=True))
    return known


@pytest.mark.parametrize("given", OBJECTS, ids=[each["metadata"]["name"] for each in OBJECTS])
def test_the_operator_knows_every_field_and_takes_every_value(given: Json) -> None:
    assert checked(given) == given


def test_a_wrong_value_and_an_unknown_field_are_found() -> None:
    (monitor,) = kind(rendered(KUBERNETES / "monitoring"), "PodMonitor")
    endpoint = monitor["spec"]["podMetricsEndpoints"][0]
    endpoint["intervall"] = "15s"
    assert checked(monitor) != monitor
    endpoint["interval"] = "15x"
    with pytest.raises(ValidationError):
        checked(monitor)


@pytest.mark.parametrize("name", RULE_FILES)
def test_the_rules_are_those_of_the_rule_file(name: str, tmp_path: Path) -> None:
    (found,) = (each for each in OBJECTS if each["metadata"]["name"] == name and "groups" in each["spec"])
    assert found["spec"] == document(DEPLOY / "prometheus" / RULE_FILES[name])
    (tmp_path / "rules.yml").write_text(json.dumps(found["spec"]))
    promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yml")
