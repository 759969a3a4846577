"""The page of a service that asks for tokens: signing in, what a reader sees, and signing out."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stream_app.admin.service import send, served, settings


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
    """What looks again every few seconds is led to the sign-in when the token is revoked."""
    made, text = tokens.create("carla")
    page = browse("/page/sign-in")
    sign_in(page, text)
    expect(page.get_by_role("banner")).to_contain_text("carla")
    tokens.revoke(made.id)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert all("401" in words for words in complaints)
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
