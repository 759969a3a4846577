"""A page that stays open while things change elsewhere: it shows them, and disturbs nobody who is at work on it."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.stream_app.admin.service import ended, readings, send

pytestmark = pytest.mark.slow
PATIENCE = 90_000.0  # milliseconds, for a training on a busy machine
ENDLESS = ["training.epochs=100000", "training.patience=100000"]


@pytest.fixture
def endless(service: httpx.Client):
    """A training that runs until it is cancelled."""
    job = send(service, "endless", readings(), set=ENDLESS).json()["job"]["id"]
    yield job
    service.delete(f"/jobs/{job}")
    ended(service, job)


def mark(page: Page) -> None:
    """Make sure that a page is not loaded again unseen."""
    page.evaluate("window.marked = true")


def test_the_first_release_needs_no_reload(browse, service):
    """Open before there is any release: when the training ends there is one in the list, and a place to try rows."""
    job = send(service, "first", readings()).json()["job"]["id"]
    page = browse("/page/datasets/first")
    mark(page)
    expect(page.locator("#standing")).to_contain_text("No release serves it")
    expect(page.locator("#predict")).to_be_hidden()
    release = ended(service, job)["release"]
    expect(page.locator("#releases tr", has_text=release)).to_contain_text("in service")
    expect(page.locator("#release option")).to_have_text(["the one in service", release])
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill(readings(seed=8).decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#answer-figures")).to_contain_text(release)
    assert page.evaluate("window.marked")


def test_another_tab_s_roll_back_disturbs_nothing(browse, service):
    """What serves and the list of releases are new; the answer, and what is filled in, are as they were."""
    first, second = (ended(service, send(service, "two", readings()).json()["job"]["id"])["release"] for _ in range(2))
    page = browse("/page/datasets/two")
    mark(page)
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill(readings(seed=8).decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#answer-figures")).to_contain_text(second)
    page.get_by_label("Threshold").fill("2.5")
    page.get_by_label("Release").select_option(second)

    third = ended(service, send(service, "two", readings(), promote="false").json()["job"]["id"])["release"]
    expect(page.locator("#releases tr", has_text=third)).to_contain_text("Promote")
    expect(page.locator("#release option")).to_have_text(["the one in service", third, second, first])
    assert service.post("/releases/two/rollback").status_code == 200
    expect(page.locator("#releases tr", has_text=first)).to_contain_text("in service")
    expect(page.locator("#standing")).to_contain_text(first)
    expect(page.locator("#answer-figures")).to_contain_text(second)
    expect(page.get_by_label("Rows as CSV")).to_have_value(readings(seed=8).decode())
    expect(page.get_by_label("Threshold")).to_have_value("2.5")
    expect(page.get_by_label("Release")).to_have_value(second)
    assert page.evaluate("window.marked")


def test_a_key_on_cancel_stays_there(browse, endless):
    """While the job's page looks again each second the button keeps the focus, and ends the training by a key."""
    page = browse(f"/page/jobs/{endless}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel").focus()
    looked_again(page, "#progress")
    page.keyboard.press("Enter")
    expect(page.locator("#progress h1")).to_contain_text("cancelled", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_why_cancel_was_refused_stays_on_the_page(browse, service, endless, complaints):
    """A job that has ended elsewhere can not be cancelled: that is still told when the page has looked again."""
    page = browse()
    page.clock.install()
    page.goto(f"/page/jobs/{endless}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))  # so it does not look again by itself
    service.delete(f"/jobs/{endless}")
    ended(service, endless)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".problem").first).to_contain_text("has ended already")
    page.clock.resume()
    expect(page.locator("#progress h1")).to_contain_text("cancelled")
    expect(page.locator(".problem").first).to_contain_text("has ended already")
    assert all("409" in words for words in complaints)
    complaints.clear()


@pytest.mark.parametrize(
    ("path", "part", "focused"),
    [
        ("/", "#datasets", "#dataset-endless"),
        ("/", "#jobs", "#jobs a"),
        ("/page/datasets/endless", "#standing", "#standing a"),
        ("/page/datasets/endless", "#trainings", "#trainings a"),
    ],
)
def test_a_key_stays_where_it_is(browse, endless, path, part, focused):
    """Every link in a part that looks again keeps the focus."""
    page = browse(path)
    page.locator(focused).first.focus()
    looked_again(page, part)
    expect(page.locator(focused).first).to_be_focused()


def looked_again(page: Page, part: str) -> None:
    """Wait until a part of the page has been replaced."""
    page.eval_on_selector(part, "part => { part.seen = true; }")
    page.wait_for_function("part => !document.querySelector(part).seen", arg=part)
