"""What people do on the page, in a real browser, from a file to flags and back."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.stream_app.admin.service import ended, readings, send, served, settings

pytestmark = pytest.mark.slow
PATIENCE = 90_000.0  # milliseconds, for a training on a busy machine
REFUSED = "Failed to load resource"  # what a browser says of any answer above 399
FEATURES = ["flow", "temp"]
# What can be done and what is in tables, where it reaches beyond the screen.
BEYOND = """width => [document.documentElement, ...document.querySelectorAll("a:not(.skip), button, .wide *")]
    .filter((one) => one.scrollWidth > width || one.getBoundingClientRect().right > width)
    .map((one) => one.outerHTML.slice(0, 99))"""


@pytest.fixture(scope="module")
def pumps(service):
    """A dataset with two releases, the first of which came first into service."""
    for _ in range(2):
        assert ended(service, send(service, "pumps", readings()).json()["job"]["id"])["state"] == "succeeded"
    return [one["release"] for one in service.get("/releases/pumps").json()["releases"]]


def odd_rows() -> bytes:
    """Readings of which twenty have a `temp` far from all that was."""
    lines = readings(seed=8).decode().splitlines()
    for at in range(150, 170):
        time, flow, temp = lines[at].split(",")
        lines[at] = f"{time},{flow},{float(temp) + 9}"
    return "\n".join([*lines, ""]).encode()


def test_a_file_becomes_a_detector_in_service(browse, file):
    """Choose a file, see what it was understood as, watch the training, read its report, and find it in service."""
    page = browse()
    expect(page.get_by_text("None yet. The first file makes the first dataset.")).to_be_visible()
    page.set_input_files("#upload input[type=file]", file)
    expect(page.get_by_label("Name of the dataset")).to_have_value("pump-hall-3")
    page.get_by_role("button", name="Train a detector").click()

    page.wait_for_url("**/page/jobs/*")
    for feature in FEATURES:
        expect(page.locator("#understood").get_by_role("rowheader", name=feature)).to_be_visible()
    expect(page.locator(".stages .now, .stages .done").first).to_be_visible()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"serves\s+pump-hall-3"), timeout=PATIENCE)
    expect(page.locator("#progress").get_by_role("rowheader", name="cnn_ae")).to_be_visible()
    report = page.frame_locator("iframe")
    expect(report.get_by_role("heading", name="pump-hall-3")).to_be_visible()

    page.get_by_role("link", name="Try it on rows").click()
    expect(page.get_by_role("heading", name="pump-hall-3")).to_contain_text("in service")
    page.get_by_role("link", name="Tidewatch").click()
    expect(page.locator(".card")).to_contain_text("in service")


def test_two_clicks_are_one_upload(browse, service, file):
    """The button can not be pressed again while the file is on its way."""
    page = browse()
    page.set_input_files("#upload input[type=file]", file)
    page.get_by_label("Name of the dataset").fill("clicked-twice")
    page.get_by_role("button", name="Train a detector").dblclick()
    page.wait_for_url("**/page/jobs/*")
    jobs = service.get("/jobs?dataset=clicked-twice").json()["jobs"]
    assert len(jobs) == 1
    service.delete(f"/jobs/{jobs[0]['id']}")


def test_who_comes_back_finds_the_file_chosen(browse, service, file):
    """The browser still has the file in its field: then the page says so."""
    page = browse()
    page.set_input_files("#upload input[type=file]", file)
    page.get_by_role("button", name="Train a detector").click()
    page.wait_for_url("**/page/jobs/*")
    service.delete(f"/jobs/{page.url.rsplit('/', 1)[1]}")
    page.go_back()
    expect(page.locator("#upload .drop-words")).to_contain_text(file.name)
    expect(page.get_by_label("Name of the dataset")).to_have_value("pump-hall-3")


def test_a_dropped_file_is_taken(browse, service):
    """What is dropped on the field is in it, as if it had been chosen."""
    page = browse()
    dropped = page.evaluate_handle(
        "() => { const all = new DataTransfer(); all.items.add(new File(['a,b'], 'line-2.csv')); return all; }"
    )
    page.dispatch_event("#upload .drop", "drop", {"dataTransfer": dropped})
    expect(page.locator("#upload .drop-words")).to_have_text("line-2.csv, 1 kB")
    expect(page.get_by_label("Name of the dataset")).to_have_value("line-2")


def test_rows_become_scores_and_the_features_to_blame(browse, pumps):
    """Score a file: figures, a plot that keys move over, and what was odd, with the feature that is to blame."""
    page = browse("/page/datasets/pumps")
    rows = {"name": "rows.csv", "mimeType": "text/csv", "buffer": odd_rows()}
    page.set_input_files("#ask input[type=file]", rows)
    page.get_by_role("button", name="Score", exact=True).click()
    worst = page.locator(".happening").first
    expect(worst).to_contain_text(re.compile(r"temp \d\d %"))
    expect(page.locator("#answer-figures")).to_contain_text("293")  # windows of 8 in 300 rows
    expect(page.locator("#timeline canvas")).to_be_visible()
    expect(page.get_by_label("Series", exact=True)).to_be_hidden()

    before = page.evaluate("shown.main.scales.x.max - shown.main.scales.x.min")
    worst.get_by_role("button").click()
    page.wait_for_function("before => shown.main.scales.x.max - shown.main.scales.x.min < before", arg=before)
    page.locator("#timeline").press("0")
    page.wait_for_function("before => shown.main.scales.x.max - shown.main.scales.x.min === before", arg=before)


def test_pasted_rows_are_scored_again_and_again(browse, pumps):
    """Without a file, from the clipboard, and by another threshold that leaves nothing."""
    page = browse("/page/datasets/pumps")
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill(odd_rows().decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".happening").first).to_be_visible()
    assert page.evaluate("new Set(data.timelines[0].columns[2]).size") > 1  # the threshold is drawn as it adapts
    page.get_by_label("Threshold").fill("1e9")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#happenings")).to_contain_text("Nothing: every window is as in training.")


def test_rows_that_were_left_out_are_told(browse, pumps):
    """A few rows of what is tried may be broken: the others are scored, and those are named by line."""
    lines = readings(seed=8).splitlines()
    lines[40] = b"no time,1,2"
    page = browse("/page/datasets/pumps")
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill(b"\n".join(lines).decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#answer-figures")).to_contain_text("292")  # windows of 8 in 299 rows
    expect(page.locator("#left-out")).to_have_text(re.compile("1 row was left out: line 41: .*no time"))
    page.get_by_label("Rows as CSV").fill(readings(seed=8).decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#answer-figures")).to_contain_text("293")
    expect(page.locator("#left-out")).to_be_hidden()


def test_drift_is_seen_at_a_glance(browse, service, pumps):
    """After rows whose mean has moved, the dataset says which feature, on its page and among all."""
    moved = [[0.5, 30.0 + row % 3] for row in range(400)]
    assert service.post("/predict", json={"dataset": "pumps", "data": moved}).status_code == 200
    page = browse("/page/datasets/pumps")
    expect(page.locator("#standing .figures")).to_contain_text("temp: mean", timeout=15_000)
    expect(page.locator("#standing")).to_contain_text("No worker answers at")
    page.goto("/")
    expect(page.locator(".card", has_text="pumps").locator(".sign")).to_contain_text("mean")


def test_roll_back_and_promote(browse, service, pumps):
    """One click each, asked for once more before a roll back, where there is one; the page shows what serves then."""
    first, second = pumps
    page = browse("/page/datasets/pumps")
    page.on("dialog", lambda dialog: dialog.accept())
    expect(page.locator("#releases tr", has_text=second)).to_contain_text("in service")
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("#releases tr", has_text=first)).to_contain_text("in service")
    assert service.get("/datasets/pumps").json()["champion"] == first
    expect(page.get_by_role("button", name="Roll back")).to_be_hidden()
    page.get_by_role("button", name=f"Promote {second}").click()
    expect(page.locator("#releases tr", has_text=second)).to_contain_text("in service")
    assert service.get("/datasets/pumps").json()["champion"] == second


def test_what_is_refused_is_said_where_it_was_asked(browse, complaints, pumps):
    """A file that is none, rows that fit no release, no rows at all, a page that is not there: each in words."""
    page = browse()
    page.set_input_files(
        "#upload input[type=file]", {"name": "no.csv", "mimeType": "text/csv", "buffer": b"PK\x03\x04"}
    )
    page.get_by_role("button", name="Train a detector").click()
    expect(page.locator("#upload .problem")).to_contain_text("zip archive")
    page.goto("/page/datasets/pumps")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#ask .problem")).to_contain_text("no rows yet")
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill("a,b\n1,2\n2,3\n")
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator("#ask .problem")).to_contain_text("flow")
    for path, words in (
        ("/page/datasets/nobody", "nobody"),
        ("/page/jobs/none", "none"),
        ("/page/elsewhere", "nothing at"),
    ):
        page.goto(path)
        expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
        expect(page.locator("main")).to_contain_text(words)
    assert {words for words in complaints if REFUSED not in words and "Response Status Error" not in words} == set()
    complaints.clear()


def test_names_are_words_and_never_markup(browse, service, complaints):
    """A file and a column may be called like a script, or at length: it is shown, fits a phone, and nothing runs."""
    name, script, long = "<img src=x onerror=alert(1)>.csv", b"<script>alert(2)</script>", b"x" * 300
    content = readings().replace(b"flow,temp", script + b"," + long)
    answer = service.post("/upload", files={"file": (name, content)}, data={"dataset": "hostile"})
    page = browse(f"/page/jobs/{answer.json()['job']['id']}", viewport={"width": 360, "height": 800})
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    for column in (script, long):
        expect(page.locator("#understood")).to_contain_text(column.decode())
    expect(page.locator("#progress .fine")).to_be_visible(timeout=PATIENCE)
    assert page.evaluate(BEYOND, 360) == []
    page.goto("/page/datasets/hostile")
    page.get_by_text("Or paste rows").click()
    page.get_by_label("Rows as CSV").fill(odd_rows().replace(b"flow,temp", script + b"," + long).decode())
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.locator(".happening").first).to_contain_text(long.decode())
    expect(page.locator("#standing .wide")).to_contain_text(script.decode())
    assert page.evaluate(BEYOND, 360) == []
    page.goto("/")
    expect(page.locator("#jobs")).to_contain_text(name)
    assert page.evaluate(BEYOND, 360) == []


def test_a_file_gives_no_orders_to_the_page(browse, service, pumps):
    """A column may be called like a part of a page that asks for something: what the API repeats is not looked into."""
    order = "<div id=trouble hx-swap-oob=true hx-post=/releases/pumps/rollback hx-trigger=load>x</div>"
    content = readings().replace(b"flow", order.encode())
    page = browse()
    asked = []
    page.on("request", lambda request: asked.append(f"{request.method} {urlsplit(request.url).path}"))
    page.locator("#upload form").evaluate("form => form.removeAttribute('data-then')")  # stay, to see what comes
    page.set_input_files("#upload input[type=file]", {"name": "a.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_label("Name of the dataset").fill("orders")
    with page.expect_response("**/upload") as answered:
        page.get_by_role("button", name="Train a detector").click()
    expect(page.locator(".card", has_text="orders")).to_be_visible()
    job = answered.value.json()["job"]["id"]
    assert order in answered.value.json()["preview"]["features"][0]["name"]
    assert {one for one in asked if not one.startswith("GET")} == {"POST /upload"}
    service.delete(f"/jobs/{job}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_no_page_is_wider_than_the_screen(browse, service, pumps, width, scheme):
    """On a phone and on a desk, light and dark: nothing has to be scrolled sideways, and words can be read."""
    job = service.get("/jobs?dataset=pumps").json()["jobs"][-1]["id"]
    page = browse("/", viewport={"width": width, "height": 800}, color_scheme=scheme)
    for path in ("/", f"/page/jobs/{job}", "/page/datasets/pumps", "/page/sign-in"):
        page.goto(path)
        expect(page.locator("#releases tbody tr")).to_have_count(2 if "datasets" in path else 0)
        assert page.evaluate(BEYOND, width) == []
        ink, paper = page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert abs(brightness(ink) - brightness(paper)) > 150
        assert (brightness(paper) < 100) == (scheme == "dark")


def brightness(colour: str) -> float:
    """The mean of red, green and blue, 0 to 255."""
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_keys_are_enough(browse, pumps):
    """From the top of the page Tab goes through all that can be done, the field for files too."""
    page = browse()
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
    assert reached >= {"To the content", "Tidewatch", "file", "dataset", "Train a detector", "Options", "pumps"}


def test_a_service_that_is_gone_is_said(chromium, tmp_path_factory, detector):
    """A page that stays open tells that nothing answers any more."""
    with served(settings(tmp_path_factory.mktemp("gone"), config=detector)) as client:
        page = chromium.new_context(base_url=str(client.base_url)).new_page()
        page.goto("/")
    expect(page.locator("#trouble")).to_contain_text("does not answer", timeout=15_000)
