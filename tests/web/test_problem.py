"""web.problem: one table of codes, and one form of an error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from web.problem import CODES, Problem, response

LETTERBOX = Path(__file__).resolve().parents[2] / "docs" / "letterbox.md"


@pytest.mark.parametrize("code", CODES)
def test_each_code_is_a_problem_document_with_its_status(code: str) -> None:
    answer = response(Problem(code, "cannot do this", {"Retry-After": "5"}, more=[1]))
    status, title = CODES[code]
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "5"
    assert json.loads(bytes(answer.body)) == {
        "type": f"urn:initd:problem:{code}",
        "title": title,
        "status": status,
        "detail": "cannot do this",
        "code": code,
        "more": [1],
    }


def test_a_code_that_is_not_in_the_table_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Problem("nonsense", "cannot")


def test_every_code_that_the_core_may_answer_is_in_the_table() -> None:
    line = next(line for line in LETTERBOX.read_text().splitlines() if line.startswith("Error codes:"))
    codes = re.findall(r"`(\w+)`", line)
    assert len(codes) > 5
    assert set(codes) <= set(CODES)


def test_what_is_not_unicode_goes_out_as_an_escape() -> None:
    body = bytes(response(Problem("internal", "\udcff é")).body)
    assert b'"\\udcff \xc3\xa9"' in body
    assert json.loads(body)["detail"] == "\udcff é"
