"""A training on the same file once more: all that the job was sent with is sent again, but what is changed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from tests.stream_app.admin.service import Json, ended, readings, send

pytestmark = pytest.mark.slow
COMMA = readings().replace(b"time,flow,temp", b'time,"flow, in m3",temp')
LONG = b"at,what,much\n" + b"".join(
    b"2026-01-01T00:%02d:%02dZ,flow,%d\n2026-01-01T00:%02d:%02dZ,temp,%d\n" % (2 * (*divmod(row, 60), row % 7))
    for row in range(300)
)
SENT = {
    "no field": {"time": "time", "ignore": ["flow, in m3"], "resample": "1s", "resample_by": "mean", "config": "quick"}
    | {"set": ["training.epochs=1", "training.threads=1"], "promote": False},
    "long form": {"time": "at", "feature": "what", "value": "much", "set": ["training.threads=1"]},
    "nothing": {},
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_what_was_sent_is_sent_again(browse, service, sent: Json):
    """Every option of the job, and of it nothing but what it was sent with."""
    job = begun(service, "again", LONG if "feature" in sent else COMMA, **sent)
    page = browse(f"/page/jobs/{job}")
    other = trained_again(page, service, job)
    assert other["options"] == service.get(f"/jobs/{job}").json()["options"]
    assert {name: other["options"][name] for name in sent} == sent


def test_what_is_changed_is_sent_otherwise(browse, service):
    """Names stand one a line; what was set can be emptied."""
    job = begun(service, "changed", readings(), set=["training.epochs=1"])
    page = browse(f"/page/jobs/{job}")
    page.get_by_text("Train again, understood otherwise").click()
    page.get_by_label("Columns to ignore").fill("temp\n\n")
    page.get_by_label("Detector settings").fill("")
    page.get_by_text("Publish only").check()
    options = trained_again(page, service, job)["options"]
    assert (options["ignore"], options["set"], options["promote"]) == (["temp"], [], False)


def test_an_upload_has_the_same_fields(browse, service):
    """A name with a comma is one name there too."""
    page = browse()
    page.set_input_files("#upload input[type=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": COMMA})
    page.get_by_label("Name of the dataset").fill("uploaded")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Columns to ignore").fill("flow, in m3")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Detector settings").fill("training.epochs=1\ntraining.threads=1")
    page.get_by_role("button", name="Train a detector").click()
    page.wait_for_url("**/page/jobs/*")
    options = cancelled(service, page.url.rsplit("/", 1)[1])["options"]
    assert (options["ignore"], options["set"]) == (["flow, in m3"], ["training.epochs=1", "training.threads=1"])


def begun(service: httpx.Client, dataset: str, content: bytes, **sent: Any) -> str:
    """The id of a job whose training was begun, and is cancelled."""
    job: str = send(service, dataset, content, **sent).json()["job"]["id"]
    cancelled(service, job)
    return job


def cancelled(service: httpx.Client, job: str) -> Json:
    """A job, ended before its time."""
    service.delete(f"/jobs/{job}")
    return ended(service, job)


def trained_again(page: Page, service: httpx.Client, job: str) -> Json:
    """Press the button on a job's page, and cancel what comes of it."""
    again = page.get_by_text("Train again, understood otherwise")
    if not page.get_by_role("button", name="Train again").is_visible():
        again.click()
    page.get_by_role("button", name="Train again").click()
    page.wait_for_url(lambda url: "/page/jobs/" in url and job not in url)
    return cancelled(service, page.url.rsplit("/", 1)[1])
