"""web.page: no data in it, nothing from elsewhere, no script in the text."""

from __future__ import annotations

import re

import pytest

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
