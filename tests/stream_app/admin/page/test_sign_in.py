"""The page of a service that asks for tokens: signing in, what a reader sees, and signing out."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.stream_app.admin.service import ended, readings, send, served, settings


@pytest.fixture(scope="module")
def chosen(tmp_path_factory, detector):
    """Settings of a service."""
    return settings(tmp_path_factory.mktemp("asking"), config=detector)


@pytest.fixture(scope="module")
def service(chosen, tokens):
    """The service, which asks for one."""
    tokens.create("somebody")
    with served(chosen) as client:
        yield client


def sign_in(page: Page, text: str) -> None:
    """Give a token on the page."""
    page.get_by_label("Token").fill(text)
    page.get_by_role("button", name="Sign in").click()


def test_in_and_out(browse, tokens, file, complaints):
    """Every page leads to the sign-in; a wrong token is told so; the right one may upload; then out again."""
    page = browse("/page/datasets/pumps")
    page.wait_for_url("**/page/sign-in")
    sign_in(page, "tw_wrong")
    expect(page.locator(".problem")).to_contain_text("unknown or revoked")
    assert len(complaints) == 2, "the browser says that it was refused, and htmx does"
    complaints.clear()
    sign_in(page, tokens.create("anna")[1])
    page.wait_for_url(lambda url: url.endswith("/"))
    expect(page.get_by_role("banner")).to_contain_text("anna")
    page.set_input_files("#upload input[type=file]", file)
    page.get_by_role("button", name="Train a detector").click()
    page.wait_for_url("**/page/jobs/*")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#progress h1")).to_contain_text("cancelled", timeout=30_000)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/page/sign-in")
    page.goto("/")
    page.wait_for_url("**/page/sign-in")


def test_a_reader_looks_only(browse, tokens):
    """With the scope to read there is nothing to upload with."""
    page = browse("/page/sign-in")
    sign_in(page, tokens.create("ben", ("read",))[1])
    expect(page.get_by_role("banner")).to_contain_text("ben, may look")
    expect(page.get_by_role("button", name="Train a detector")).to_have_count(0)
    expect(page.get_by_text("None yet")).to_be_visible()


def test_a_page_whose_session_has_ended_asks_again(browse, tokens, complaints):
    """What looks again every few seconds is led to the sign-in when the token is revoked, and told so."""
    made, text = tokens.create("carla")
    page = browse("/page/sign-in")
    sign_in(page, text)
    expect(page.get_by_role("banner")).to_contain_text("carla")
    tokens.revoke(made.id)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("was revoked")
    assert all("401" in words for words in complaints)
    complaints.clear()


@pytest.mark.parametrize("button", ["Train again", "Score"])
def test_who_was_signed_out_in_another_tab_signs_in_again(browse, service, tokens, complaints, button):
    """What is clicked on a page that is still open leads there, as what looks again by itself does."""
    text = tokens.create("fred")[1]
    hers = httpx.Client(base_url=service.base_url, headers={"Authorization": f"Bearer {text}"}, trust_env=False)
    job = ended(hers, send(hers, "freds", readings()).json()["job"]["id"])["id"]
    page = browse("/page/sign-in")
    sign_in(page, text)
    page.wait_for_url(lambda url: url.endswith("/"))
    page.clock.install()
    page.goto(f"/page/jobs/{job}" if button == "Train again" else "/page/datasets/freds")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))  # so it does not look again by itself
    page.locator("summary").first.click()
    if button == "Score":
        page.get_by_label("Rows as CSV").fill(readings().decode())
    other = page.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/page/sign-in")
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url("**/page/sign-in")
    assert all("401" in words for words in complaints)
    complaints.clear()


def test_a_page_of_another_s_says_why_it_is_stale(browse, service, tokens, file, complaints):
    """Who signs in as somebody else in another tab is told what the page that is still open asks for in vain."""
    hers = tokens.create("gina")[1]
    page = browse("/page/sign-in")
    sign_in(page, hers)
    page.wait_for_url(lambda url: url.endswith("/"))
    send(service, "ginas", file.read_bytes(), headers={"Authorization": f"Bearer {hers}"})
    page.goto("/page/datasets/ginas")
    other = page.context.new_page()
    other.goto("/page/sign-in")
    sign_in(other, tokens.create("hugo")[1])
    expect(page.locator("#trouble")).to_contain_text("no dataset 'ginas'")
    assert all("404" in words for words in complaints)
    complaints.clear()


def test_nobody_sees_another_s(browse, service, tokens, file, complaints):
    """Neither a dataset, nor its job, nor its releases, nor that there are any."""
    hers = {"Authorization": f"Bearer {tokens.create('dora')[1]}"}
    job = send(service, "secret", file.read_bytes(), headers=hers).json()["job"]["id"]
    assert service.delete(f"/jobs/{job}", headers=hers).status_code == 202
    page = browse("/page/sign-in")
    sign_in(page, tokens.create("emil")[1])
    expect(page.get_by_text("None yet")).to_be_visible()
    for path in ("datasets/secret", "datasets/secret/releases", f"jobs/{job}"):
        page.goto(f"/page/{path}")
        expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
    assert all("404" in words for words in complaints)
    complaints.clear()
