"""web.openapi: every row is described, and what is answered is what is described."""

from __future__ import annotations

import json
import os
from typing import Any

import jsonschema_rs
import pytest

from tests.web.fake_core import CONTROL, HEALTH, READ, hello
from tests.web.served import Web, wait_for
from web import openapi
from web.access import ROLES
from web.app import TABLE
from web.house import Config

CONFIG = Config.of(hello())
DOCUMENT = json.loads(openapi.describe(TABLE, CONFIG))


def described(path: str, method: str) -> dict[str, Any]:
    found = DOCUMENT["paths"][path][method.lower()]
    assert isinstance(found, dict)
    return found


def test_the_description_has_the_rows_of_the_table_and_no_others() -> None:
    assert {row.path: {m.lower() for m in row.methods} for row in TABLE} == {
        path: set(operations) for path, operations in DOCUMENT["paths"].items()
    }
    assert set(openapi.SAID) == {row.path for row in TABLE}


def test_every_operation_has_its_own_name() -> None:
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


def test_every_schema_is_valid_and_every_reference_leads_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
        assert f'"#/components/schemas/{name}"' in text, name


@pytest.mark.parametrize("anonymous", ROLES)
def test_a_token_is_asked_for_where_the_anonymous_role_does_not_reach(anonymous: str) -> None:
    document = json.loads(openapi.describe(TABLE, Config.of(hello(anonymous=anonymous))))
    for row in TABLE:
        security = document["paths"][row.path][row.methods[0].lower()]["security"]
        if row.role == "health":
            assert security == []
        elif ROLES.index(anonymous) >= ROLES.index(row.role):
            assert security == [{}, {"bearer": []}]
        else:
            assert security == [{"bearer": []}]


def test_a_certificate_will_do_where_there_is_a_ca_for_them() -> None:
    for authority, shown in ((None, ["bearer"]), ("ca.pem", ["bearer", "certificate"])):
        files = {"cert": "c", "key": "k", "client_ca": authority}
        document = json.loads(openapi.describe(TABLE, Config.of(hello(tls=files))))
        security = document["paths"]["/api/v1/status"]["get"]["security"]
        assert [scheme for each in security for scheme in each] == shown
        assert set(document["components"]["securitySchemes"]) >= set(shown)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.path)
def test_an_answer_is_of_a_status_type_and_shape_that_are_described(web: Web, row: Any) -> None:
    for _ in range(3):
        web.core.happen(process={"id": "1-1", "pid": 1, "name": "x"})
    wait_for(lambda: len(web.ask("/api/v1/events", token=READ).json()["events"]) >= 3, "events")
    path = row.path.format(id=os.getpid(), n=1, name="index.html")
    for method in row.methods:
        for token in (CONTROL, HEALTH, None, "bad" * 9):
            for data, kind in ((b"signal=WINCH", "application/x-www-form-urlencoded"), (b"x", "text/plain")):
                body = {"body": data, "Content_Type": kind} if method == "POST" else {}
                _conforms(row.path, method, web.ask(path, method, token=token, **body))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.path)
def test_what_gets_to_no_row_is_described_at_each(web: Web, row: Any) -> None:
    path = row.path.format(id=os.getpid(), n=1, name="index.html")
    for method in row.methods:
        for status, headers in (
            (400, {"Transfer_Encoding": "chunked", "Content_Length": "0"}),
            (400, {"Content_Length": "x"}),
            (431, {f"X-{number}": "1" for number in range(101)}),
        ):
            answer = web.ask(path, method, token=CONTROL, **headers)
            assert answer.status == status
            _conforms(row.path, method, answer)


def _conforms(path: str, method: str, answer: Any) -> None:
    responses = described(path, method)["responses"]
    assert str(answer.status) in responses, answer
    content = responses[str(answer.status)].get("content", {})
    if method == "HEAD":
        return
    media = answer.headers["Content-Type"].partition(";")[0]
    assert media in content
    if "json" in media:
        schema = {**content[media]["schema"], "components": DOCUMENT["components"]}
        jsonschema_rs.Draft202012Validator(schema).validate(answer.json())


def test_the_description_is_served_as_it_is_made(web: Web) -> None:
    assert web.ask("/openapi.json").json() == DOCUMENT
