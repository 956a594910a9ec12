"""web.links: each leads to an operation that is described, from a part of an answer to a parameter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.fake_core import hello
from web import openapi
from web.app import TABLE
from web.house import Config
from web.links import LINKS
from web.schemas import Schema

DOCUMENT = json.loads(openapi.describe(TABLE, Config.of(hello())))
OPERATIONS = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
CASES = [
    pytest.param(path, link, id=f"{path}-{name}")
    for path, links in LINKS.items()
    for name, link in links.items()
]


@pytest.mark.parametrize(("path", "link"), CASES)
def test_a_link_leads_somewhere(path: str, link: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in OPERATIONS[link["operationId"]]["parameters"]}
    assert set(link["parameters"]) <= names
    (operation,) = DOCUMENT["paths"][path].values()
    for status, answer in operation["responses"].items():
        assert ("links" in answer) == (int(status) < 400)
        for pointer in link["parameters"].values() if "links" in answer else ():
            schema = answer["content"]["application/json"]["schema"]
            assert _part(schema, pointer.removeprefix("$response.body#/").split("/"))


def _part(schema: Schema, steps: list[str]) -> bool:
    """Whether what is described by ``schema`` has this part."""
    if "$ref" in schema:
        return _part(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], steps)
    choices = [*schema.get("allOf", []), *schema.get("anyOf", [])]
    if not steps or any(_part(choice, steps) for choice in choices):
        return True
    inner = schema.get("items") if steps[0] == "0" else schema.get("properties", {}).get(steps[0])
    return inner is not None and _part(inner, steps[1:])
