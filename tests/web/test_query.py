"""What a request asks for: checked values, or a problem that names the parameter."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from web import query
from web.problem import Problem


def request(*pairs: tuple[str, str], accept: str | None = None) -> Request:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    return Request({"type": "http", "query_string": urlencode(pairs).encode(), "headers": headers})


@given(st.integers(1, 9_999_999), st.none() | st.integers(0, 10**18 - 1))
def test_an_id_that_we_wrote_can_be_read(pid: int, starttime: int | None) -> None:
    assert query.parse_id(str(pid) if starttime is None else f"{pid}-{starttime}") == (pid, starttime)


@given(st.text(max_size=12) | st.from_regex(query.ID_PATTERN))
def test_the_pattern_that_the_description_shows_is_the_one_that_counts(text: str) -> None:
    described = re.search(query.ID_PATTERN, text) is not None and not text.endswith("\n")
    if described:
        assert query.parse_id(text)[0] > 0
    else:
        with pytest.raises(Problem, match="cannot read the parameter id: it is PID or PID-STARTTIME"):
            query.parse_id(text)


@given(st.text(max_size=20))
def test_a_number_is_read_as_decimal_digits_or_refused(text: str) -> None:
    plain = re.fullmatch(r"-?[0-9]{1,18}", text) is not None
    if plain and -5 <= int(text) <= 5:
        assert query.integer(request(("n", text)), "n", None, -5, 5) == int(text)
    else:
        with pytest.raises(Problem, match="cannot read the parameter n: it is a whole number from -5 to 5"):
            query.integer(request(("n", text)), "n", None, -5, 5)


def test_what_is_not_asked_for_is_the_default_and_other_parameters_are_ignored() -> None:
    asked = request(("other", "1"), ("other", "2"))
    assert query.integer(asked, "n", 7, 1, 9) == 7
    assert query.boolean(asked, "n") is None
    assert query.text(asked, "n", 5) is None
    assert query.process_id(asked, "n") is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_flag_has_four_spellings(text: str, value: bool) -> None:
    assert query.boolean(request(("f", text)), "f") is value


@given(st.text(max_size=60))
def test_any_accept_header_leads_to_one_of_the_offers(accept: str) -> None:
    asked = request(accept=accept.encode("latin-1", "replace").decode("latin-1"))
    assert query.preferred(asked, ("a/b", "c/d")) in ("a/b", "c/d")
