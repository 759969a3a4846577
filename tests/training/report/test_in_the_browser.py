"""The report as a reader has it: drawn, to be zoomed into, in both schemes, and inert whatever things are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from schemas.evaluation import Events
from tests.training.report.conftest import Open
from tests.training.report.made import evaluation, findings

HOSTILE = "</script><script>hacked=1</script>\"'><img src=x onerror=hacked=1><!--{{7*7}}\u2028"

# How many colours there are on a canvas.
COLOURS = """canvas => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    return new Set(new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
}"""


def colours(tab: Page, place: str) -> list[int]:
    """Of each canvas in a place."""
    return [canvas.evaluate(COLOURS) for canvas in tab.locator(f"{place} canvas").all()]


def seen(tab: Page) -> tuple[float, float]:
    """The span of time on show, in seconds from the first window."""
    low, high = tab.evaluate("[shown.main.scales.x.min - shown.first, shown.main.scales.x.max - shown.first]")
    return low / 1000, high / 1000


def test_everything_is_drawn(open_page: Open):
    """The score, its overview, the worst event's features and still pictures; other events when they are opened."""
    tab = open_page(findings())
    assert len(colours(tab, "#timeline")) == len(colours(tab, "#overview")) == 1
    assert len(colours(tab, ".event")) == 2
    tab.locator(".event summary").nth(1).click()
    tab.locator(".event canvas").nth(3).wait_for()
    assert len(colours(tab, ".event")) == 4
    assert min(colours(tab, "body")) > 3
    assert tab.locator("svg.plot path.line").count() == 2 * (1 + 2) + 2 * 2  # distributions, then losses


def drag(tab: Page, place: str, start: float, end: float) -> None:
    """From one share of a plot's width to another."""
    plot = tab.locator(f"{place} .u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * start, height)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * end, height, steps=5)
    tab.mouse.up()


def test_the_mouse_zooms(open_page: Open):
    """Dragging over the plot shows that part, in the overview too; a double click shows all again."""
    tab = open_page(findings(windows=300))
    drag(tab, "#timeline", 0.25, 0.5)
    assert seen(tab) == pytest.approx((299 / 4, 299 / 2), abs=1.5)
    share = tab.evaluate("shown.overview.select.width / shown.overview.over.clientWidth")
    assert share == pytest.approx(0.25, abs=0.01)
    tab.locator("#timeline .u-over").dblclick()
    assert seen(tab) == pytest.approx((0, 299))


def test_the_overview_leads_the_plot(open_page: Open):
    """Dragging over the overview shows that part above it."""
    tab = open_page(findings(windows=300))
    drag(tab, "#overview", 0.5, 0.75)
    assert seen(tab) == pytest.approx((299 / 2, 299 * 3 / 4), abs=1.5)


def test_the_keyboard_zooms(open_page: Open):
    """Plus, arrows, n and 0, on the focused plot; the words below say what is there."""
    tab = open_page(findings(windows=300))
    tab.locator("#timeline").focus()
    tab.keyboard.press("+")
    assert seen(tab) == pytest.approx((299 / 4, 299 * 3 / 4))
    tab.keyboard.press("ArrowLeft")
    assert seen(tab) == pytest.approx((299 / 8, 299 * 5 / 8))
    tab.keyboard.press("0")
    assert seen(tab) == pytest.approx((0, 299))
    tab.keyboard.press("n")
    low, high = seen(tab)
    assert (low + high) / 2 == pytest.approx(104.5)  # the event's middle
    assert "flagged · labelled anomaly" in tab.locator("#readout").inner_text()


def test_pointing_reads_values(open_page: Open):
    """The window under the pointer is told in words."""
    tab = open_page(findings(windows=300))
    tab.locator("#timeline .u-over").hover()
    expect(tab.locator("#readout")).to_contain_text("2023-11-14 22:15:")


def test_the_worst_series_comes_first_and_others_can_be_chosen(open_page: Open):
    """Of two series the second has the higher scores."""
    tab = open_page(findings())
    assert tab.evaluate("shown.line.series") == "pump-2"
    tab.locator("#series").select_option("1")
    assert tab.evaluate("shown.line.series") == "pump-1"


def test_an_event_is_found_in_the_plot(open_page: Open):
    """Its button shows its series and its time."""
    tab = open_page(findings(windows=3000))
    tab.locator("[data-show='0']").click()
    assert (
        tab.evaluate("shown.line.series") == tab.locator("#series option:checked").inner_text().split()[0] == "pump-1"
    )
    low, high = seen(tab)
    assert 800 < low < 1000 < 1009 < high < 1200


@pytest.mark.parametrize("labelled", [True, False])
def test_names_are_only_names(open_page: Open, labelled: bool):
    """Markup, scripts and templates in the names of series and features are shown as they are, and do nothing."""
    tab = open_page(findings(series=[HOSTILE, "b"], features=[HOSTILE, "c"], labelled=labelled))
    assert tab.evaluate("typeof hacked") == "undefined"
    assert tab.locator("img").count() == 0
    assert tab.evaluate("data.timelines.map(line => line.series)") == ["b", HOSTILE]
    assert HOSTILE[:40] in tab.locator(".blame th[scope=row]").first.inner_text()


def test_a_script_that_is_not_ours_does_not_run(open_page: Open, complaints: list[str]):
    """The page's policy knows its scripts by their digests; a name that got through all the same would do nothing."""
    tab = open_page(findings())
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'hacked = 1'}))")
    assert tab.evaluate("typeof hacked") == "undefined"
    assert "Content Security Policy" in complaints.pop()


def test_nothing_is_fetched(open_page: Open, complaints: list[str]):
    """Not even where something in the page asks for it."""
    tab = open_page(findings())
    tab.evaluate("new Promise(done => Object.assign(new Image(), {onerror: done, src: 'http://localhost:9/a.png'}))")
    assert any("Content Security Policy" in complaint for complaint in complaints)
    complaints.clear()


def test_the_scheme_is_the_readers(open_page: Open):
    """Light or dark, and the canvases change with it; on paper it is light."""
    tab = open_page(findings(), color_scheme="dark")
    body = tab.locator("body")
    expect(body).to_have_css("background-color", "rgb(18, 22, 28)")
    dark = tab.locator("#timeline canvas").evaluate("canvas => canvas.toDataURL()")
    tab.emulate_media(color_scheme="light")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    tab.wait_for_function("dark => document.querySelector('#timeline canvas').toDataURL() !== dark", arg=dark)
    tab.emulate_media(color_scheme="dark", media="print")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


def test_a_plot_fits_on_paper(open_page: Open):
    """Printed from a wide and dark screen it is narrow and light, and afterwards as it was."""
    tab = open_page(findings(), color_scheme="dark")
    wide = tab.evaluate("shown.main.width")
    printed = tab.evaluate("""async () => {
        dispatchEvent(new Event("beforeprint"));
        await null;
        const seen = [shown.main.width, colour("page")()];
        dispatchEvent(new Event("afterprint"));
        return seen;
    }""")
    assert printed == [680, "#ffffff"]
    assert tab.evaluate("[shown.main.width, colour('page')()]") == [wide, "#12161c"]


def test_a_phone_is_wide_enough(open_page: Open):
    """Nothing has to be scrolled sideways but tables; plots are as wide as the page."""
    tab = open_page(findings(), viewport={"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    assert tab.evaluate("shown.main.width") == 360 - 2 * 16


def test_a_plot_grows_with_the_page(open_page: Open):
    """Turning the phone draws it anew."""
    tab = open_page(findings(), viewport={"width": 360, "height": 740})
    tab.set_viewport_size({"width": 740, "height": 360})
    tab.wait_for_function("shown.main.width === 740 - 2 * 24")


def test_a_hundred_thousand_windows_are_drawn(open_page: Open, tmp_path: Path):
    """All of them, in a file of a few megabytes."""
    tab = open_page(findings(series=["a"], windows=100_000))
    assert tab.evaluate("shown.line.columns[0].length") == 100_000
    assert min(colours(tab, "#timeline")) > 3
    assert (tmp_path / "report.html").stat().st_size < 4_000_000


def test_rows_without_a_time_are_numbered(open_page: Open):
    """There is no clock to read."""
    found = findings(series=["a"])
    tab = open_page(findings(series=["a"], ingestion=found.ingestion | {"time_column": None}, windows=300))
    tab.locator("#timeline .u-over").hover()
    expect(tab.locator("#readout")).to_contain_text("row 1")


def test_a_run_without_flags_is_no_error(open_page: Open):
    """Nothing was flagged, nothing injected; the page says so."""
    bare = evaluation(300, labelled=False, injected=[])
    tab = open_page(findings(labelled=False, events=Events([]), evaluation=bare))
    assert "Nothing was flagged" in tab.locator("#events").inner_text()


def test_a_run_without_a_judged_window_is_no_error(open_page: Open):
    """The test part was too short for one; there is nothing to draw."""
    found = findings(labelled=False)
    tab = open_page(findings(labelled=False, events=Events([]), judged=found.judged.slice(0, 0)))
    assert "There was no such window" in tab.locator("#score").inner_text()
    assert tab.locator("canvas").count() == 0


def test_what_is_left_out_is_said(open_page: Open):
    """Many windows are thinned, and of very many series only the worst are there."""
    tab = open_page(findings(series=[f"s{number}" for number in range(210)], windows=1000))
    said = tab.locator("#score").inner_text()
    assert "the highest of up to 3 windows" in said
    assert "Of 210 series, these 200" in said
    assert tab.locator("#series option").count() == 200
