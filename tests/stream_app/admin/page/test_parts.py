"""What the page is made of, without a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import sha256

import httpx
import pytest

from stream_app.admin.page import assets, view
from stream_app.admin.page.sparks import spark
from tests.stream_app.admin.service import problem


def test_htmx_is_the_published_one():
    """The file has the digest that its page names."""
    folder = assets.HERE / "htmx"
    ((digest, name),) = re.findall(r"^    ([0-9a-f]{64})  (\S+)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert sha256((folder / name).read_bytes()).hexdigest() == digest


def test_every_asset_is_served_for_a_year_by_an_address_of_its_content(service: httpx.Client):
    """And no other file is."""
    for name in assets.SOURCES:
        answer = service.get(assets.asset(name).address)
        assert answer.content == assets.SOURCES[name].read_bytes()
        assert "immutable" in answer.headers["cache-control"]
    for name in ("../routes.py", "..%2froutes.py", "admin.py", ""):
        assert service.get(f"{assets.PREFIX}/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/page/sign-in", "/page/datasets/none"])
def test_pages_run_nothing_but_the_service_s_own_scripts(service: httpx.Client, path: str):
    """By their policy; and no template has a script, a style or a handler of its own in it."""
    answer = service.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<style|<script(?! src=|\s+type=.application/json)|\son\w+=|\sstyle=", answer.text) == []


def test_every_answer_says_to_browsers_what_not_to_do(service: httpx.Client):
    """Problems and JSON too: no guessing of kinds, no frames, no keeping."""
    for path in ("/jobs", "/nowhere", "/healthz", "/openapi.json"):
        headers = service.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


def test_the_api_keeps_its_own_errors(service: httpx.Client):
    """Only the page's addresses answer in HTML."""
    assert problem(service.get("/datasets/none"), 404)
    assert service.get("/page/datasets/none").headers["content-type"].startswith("text/html")


def test_a_misspelt_name_in_a_template_is_an_error():
    """It is no empty place on a page."""
    with pytest.raises(Exception, match="title"):
        view.render("error.html", who=None, may=False)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-01-01T12:00:00.000Z", "just now"),
        ("2026-01-01T11:59:00.000Z", "60 s ago"),
        ("2026-01-01T11:57:00.000Z", "3 min ago"),
        ("2026-01-01T09:00:00.000Z", "3 h ago"),
        ("2025-12-25T12:00:00.000Z", "7 days ago"),
    ],
)
def test_how_long_ago(moment: str, words: str):
    """In the largest unit of which there are two."""
    assert view.ago(moment, datetime(2026, 1, 1, 12, tzinfo=UTC)) == words


def test_sparks_rise_and_fall():
    """The lowest at the bottom, the highest at the top; equal values in the middle; one alone too."""
    assert spark([1.0, 3.0, 2.0]) == "2.0,20.0 55.0,2.0 108.0,11.0"
    assert spark([5.0, 5.0]) == "2.0,11.0 108.0,11.0"
    assert spark([5.0]) == "2.0,11.0"
