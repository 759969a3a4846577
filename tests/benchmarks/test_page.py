from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.accuracy import goals, page, picture
from benchmarks.accuracy.comparison import Result, summary
from benchmarks.accuracy.figures import figures
from benchmarks.accuracy.nab import File
from benchmarks.accuracy.picture import SHOWN
from benchmarks.markdown import written

LABELS = np.arange(400) // 40 == 5


@pytest.fixture
def content():
    """The figures of a small run of two sets."""
    judged = {name: figures(LABELS * 1.0, LABELS, LABELS, buffer=10) for name in SHOWN}
    files = {name: File(LABELS * 2.0, np.array([[200, 239]])) for name in SHOWN}
    found = {name: summary([Result(name, "1", 32, judged, {}, files, {"2": (3, 4)})]) for name in ("skab", "nab")}
    machine = {"date": "2026-01-02", "processor": "Z80", "cores": 1, "packages": {"torch": "2", "numpy": "2"}}
    return {"machine": machine, "overrides": ["ensemble.hold=0.9"], "files": 1, "sets": found}


def test_the_page_keeps_what_stands_around_the_figures(content):
    """Figures go between the marks, however often they are written."""
    text = "above\n<!-- accuracy -->\nof last year\n<!-- end of accuracy -->\nbelow\n"
    once = written(text, "accuracy", page.figures(content))
    assert once.startswith("above\n")
    assert once.endswith("below\n")
    assert "of last year" not in once
    assert written(once, "accuracy", page.figures(content)) == once


def test_the_page_says_what_was_run(content):
    """Fewer series or other settings than the default are named; so are NAB's own scores and steps."""
    text = "\n".join(page.figures(content))
    assert "The first 1 series of each set only. Changed: ensemble.hold=0.9." in text
    assert "| Tidewatch | 1.000 | 1.000 | 1.000 | 1.000 | 0.000 |" in text
    assert "| Tidewatch | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |" in text
    assert "| skab | 0.75 |" in text
    assert "| skab | F1 of all rows | 1.000 | at least 0.83 | yes |" in text


def test_goals_are_held_against_their_bounds(content):
    """Ours is no better than the rest here, and flags no normal row; a set that was not run has no line."""
    content["sets"]["skab"]["means"][SHOWN[2]]["vus_pr"] = 1.5
    found = {(goal.set, goal.what): met for goal, _, met in goals.reached(content["sets"])}
    assert not found["skab", goals.AHEAD]
    assert found["skab", "FAR of all rows"]
    assert found["nab", "NAB's standard profile, best single threshold"]
    assert {name for name, _ in found} == {"skab", "nab"}


def test_a_page_without_marks_is_left_alone(content):
    """Rather than figures in a place where nobody looks for them."""
    with pytest.raises(ValueError, match="end of accuracy"):
        written("no marks here", "accuracy", page.figures(content))


def test_the_picture_has_a_bar_for_each_figure(content):
    """As long as the figure, on a scale from 0 to 1; a figure that is not there has none."""
    content["sets"]["skab"]["means"][SHOWN[1]]["vus_pr"] = None
    content["sets"]["skab"]["means"][SHOWN[2]]["vus_pr"] = 0.5
    drawn = ElementTree.fromstring(picture.svg(content["sets"]))
    widths = [float(bar.attrib["width"]) for bar in drawn.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(widths) == 2 * len(SHOWN) - 1
    assert widths[1] == picture.WIDTH / 2


def test_a_rule_has_a_line_in_the_table_of_each_set(content):
    """With the share of steps that it still flagged, if the series were long enough for any."""
    values = dict.fromkeys(page.KEYS, 0.25)
    rules = {"asd": {"rolling": values | {"steps_still_flagged": {"2": 0.5}}}}
    rules["skab"] = {"rolling": values | {"steps_still_flagged": {}}}
    text = "\n".join(page.thresholds({"machine": content["machine"], "files": None, "sets": rules}))
    assert "| events | steps of 2 |" in text
    assert f"| rolling |{' 0.250 |' * 6} 0.50 |\n" in text
    assert f"| rolling |{' 0.250 |' * 6}\n" in text
