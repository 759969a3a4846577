"""The page's way in: a cookie instead of a token, good from that page alone."""

from __future__ import annotations

import httpx
import pytest

from stream_app.admin.sessions import COOKIE, LASTS_SECONDS, MOST, Sessions
from tests.stream_app.admin.service import problem, served, settings
from tests.watchers import wait_until


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Settings of a service."""
    return settings(tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="module")
def service(chosen, tokens):
    """The service, with a token, so that it asks for one."""
    tokens.create("somebody")
    with served(chosen) as client:
        yield client


@pytest.fixture
def browser(service, tokens):
    """A browser in which anna has signed in."""
    _, text = tokens.create("anna")
    with httpx.Client(base_url=service.base_url, trust_env=False) as browser:
        assert browser.post("/session", json={"token": text}).status_code == 204
        yield browser


def test_the_cookie_is_out_of_reach(service, tokens):
    """Scripts do not read it, other sites' pages do not send it, and it is not the token."""
    _, text = tokens.create("anna")
    with httpx.Client(base_url=service.base_url, trust_env=False) as browser:
        cookie = browser.post("/session", json={"token": text}).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    assert text not in cookie


def test_a_session_reads_as_its_owner(browser):
    """The cookie is enough to look; signing out ends it."""
    assert browser.get("/session").json()["owner"] == "anna"
    csrf = browser.get("/session").json()["csrf"]
    kept = browser.cookies[COOKIE]
    assert browser.delete("/session", headers={"X-CSRF-Token": csrf}).status_code == 204
    assert problem(browser.get("/jobs", headers={"Cookie": f"{COOKIE}={kept}"}), 401)


def test_what_changes_something_comes_from_the_page_itself(browser):
    """Without the page's own word, with a wrong one, or from another site's page: 403."""
    csrf = browser.get("/session").json()["csrf"]
    path = "/datasets/pumps/jobs"
    assert "X-CSRF-Token" in problem(browser.post(path, json={}), 403)
    assert problem(browser.post(path, json={}, headers={"X-CSRF-Token": "é".encode()}), 403)
    right = {"X-CSRF-Token": csrf}
    assert problem(browser.post(path, json={}, headers={**right, "Origin": "https://example.org"}), 403)
    assert problem(browser.post(path, json={}, headers={**right, "Sec-Fetch-Site": "cross-site"}), 403)
    assert "nothing was uploaded" in problem(browser.post(path, json={}, headers=right), 404)


def test_a_session_ends_with_its_token(service, tokens):
    """A revoked token signs its browsers out."""
    made, text = tokens.create("anna")
    with httpx.Client(base_url=service.base_url, trust_env=False) as browser:
        browser.post("/session", json={"token": text})
        tokens.revoke(made.id)
        wait_until(lambda: browser.get("/session").status_code == 401, "it is signed out", 10)
    assert problem(service.post("/session", json={"token": text}), 401)


def test_sessions_are_bounded_in_time_and_number():
    """After twelve hours one is over; beyond a thousand the oldest is forgotten."""
    sessions = Sessions()
    first = sessions.begin("id", 0.0)
    assert sessions.find(first, LASTS_SECONDS - 1.0) is not None
    assert sessions.find(first, float(LASTS_SECONDS)) is None
    for _ in range(MOST):
        sessions.begin("id", 0.0)
    assert sessions.find(first, 1.0) is None
