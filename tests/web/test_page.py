"""web.page: no data in it, nothing from elsewhere, no script in the text."""

from __future__ import annotations

import os
import re

import pytest

from tests.web.fake_core import CONTROL
from tests.web.served import Web
from web import page
from web.app import TABLE


@pytest.mark.parametrize("path", ["/", *(f"/static/{name}" for name in page.FILES)])
def test_every_file_is_served_under_a_strict_policy(web: Web, path: str) -> None:
    answer = web.ask(path)
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_no_answer_is_guessed_at_framed_or_lent_to_other_sites(web: Web) -> None:
    for row in TABLE:
        path = row.path.format(id=os.getpid(), n=1, name="main.js")
        for method in (row.methods[0], "PUT"):
            answer = web.ask(path, method, token=CONTROL)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path


def test_the_page_keeps_its_own_policy(web: Web) -> None:
    text = web.ask("/").text
    assert re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=|javascript:", text) is None
    assert re.search(r"(?:src|href)=\"(?!/)", text) is None


def test_every_link_of_the_page_is_served(web: Web) -> None:
    paths = {row.path for row in TABLE} | {f"/static/{name}" for name in page.FILES}
    links = re.findall(r'(?:href|src)="([^"?]+)', web.ask("/").text)
    assert len(links) > 5
    assert set(links) <= paths


def test_types_are_said_as_browsers_need_them(web: Web) -> None:
    assert web.ask("/").headers["Content-Type"] == "text/html; charset=utf-8"
    assert web.ask("/static/page.css").headers["Content-Type"] == "text/css; charset=utf-8"
    assert web.ask("/static/favicon.svg").headers["Content-Type"] == "image/svg+xml"
