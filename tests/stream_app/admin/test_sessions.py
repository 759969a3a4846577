"""The page's way in: a cookie instead of a token, good from that page alone."""

from __future__ import annotations

import httpx
import pytest

from stream_app.admin.audit import Audit
from stream_app.admin.database import Database
from stream_app.admin.parts import DATABASE
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


def test_the_record_has_who_signed_in_and_what_was_refused(browser, chosen):
    """Signing in and out, and what did not come from the page itself."""
    csrf = browser.get("/session").json()["csrf"]
    problem(browser.post("/datasets/pumps/jobs", json={}), 403)
    assert browser.delete("/session", headers={"X-CSRF-Token": csrf}).status_code == 204
    database = Database(chosen.admin.folder / DATABASE)
    signed_out, refused, signed_in = Audit(database).newest(3)
    database.close()
    assert {row["owner"] for row in (signed_in, refused, signed_out)} == {"anna"}
    assert (signed_in["action"], signed_in["subject"]) == ("sign in", "from 127.0.0.1")
    assert (refused["action"], refused["subject"]) == ("POST", "/datasets/pumps/jobs")
    assert "X-CSRF-Token" in refused["outcome"]
    assert signed_out["action"] == "sign out"


def test_a_wrong_token_is_told_in_words_for_a_person(service):
    """Who signs in on the page sends no header themselves."""
    told = problem(service.post("/session", json={"token": "tw_wrong"}), 401)
    assert "unknown or revoked" in told
    assert "Bearer" not in told


def test_who_was_signed_out_is_told_why(service, browser, tokens):
    """The sign-in says that the token was revoked, or that the session is over; to others nothing."""
    out = {"revoked": "was revoked", "over": "session is over"}
    assert not any(words in service.get("/page/sign-in").text for words in out.values())
    assert not any(words in browser.get("/page/sign-in").text for words in out.values())
    tokens.revoke(tokens.all()[-1].id)
    wait_until(lambda: browser.get("/session").status_code == 401, "it is signed out", 10)
    assert out["revoked"] in browser.get("/page/sign-in").text
    assert out["over"] in service.get("/page/sign-in", headers={"Cookie": f"{COOKIE}=of-yesterday"}).text


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
