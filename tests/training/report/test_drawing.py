"""Still pictures: values at their places, round ticks, well-formed SVG."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.report.made import findings, judged, learning
from training.history import History
from training.report.distributions import distributions
from training.report.drawing import Line, Plot, Rule, Scale, spanning
from training.report.losses import learnings
from training.report.page import picture
from training.report.plots import plots

KINDS = st.sampled_from(["linear", "log", "asinh"])
POSITIVE = st.floats(1e-6, 1e6)


def plot(**changes) -> Plot:
    """A plot of one line with one rule."""
    line = Line("line", "first", np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 4.0]))
    plain: dict[str, Any] = {
        "name": "a",
        "sentence": "<b>&",
        "x": Scale(0, 2),
        "y": Scale(0, 4),
        "x_title": "x",
        "y_title": "y",
    }
    return Plot(**plain | {"lines": (line,), "rules": (Rule("here", 1.0),)} | changes)


@given(KINDS, POSITIVE, st.floats(1.1, 1e4), st.lists(POSITIVE, min_size=2))
def test_places_keep_the_order(kind, low, factor, values):
    """Ends are at 0 and 1, what is larger is not further left, and nothing is outside."""
    scale = Scale(low, low * factor, kind)
    assert scale.place([low, low * factor]).tolist() == pytest.approx([0, 1])
    places = scale.place(sorted(values))
    assert (np.diff(places) >= 0).all()
    assert ((places >= 0) & (places <= 1)).all()


@given(KINDS, POSITIVE, st.floats(1.1, 1e4))
def test_ticks_are_within(kind, low, factor):
    """A few values, in order, on the scale."""
    scale = Scale(low, low * factor, kind)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 9
    assert ticks == sorted(ticks)
    assert all(low * 0.999 <= tick <= low * factor * 1.001 for tick in ticks)


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (Scale(1, 3, whole=True), [1, 2, 3]),
        (Scale(0.001, 1, "log"), [0.001, 0.01, 0.1, 1]),
        (Scale(-2, 150, "asinh"), [-1, 0, 1, 10, 100]),
    ],
)
def test_ticks_are_round(scale, ticks):
    """As a person would choose them."""
    assert scale.ticks() == pytest.approx(ticks)


def test_edges_look_equally_wide():
    """Bins of a bent scale are as wide as each other once they are drawn."""
    scale = Scale(0, 1000, "asinh")
    np.testing.assert_allclose(np.diff(scale.place(scale.edges(10))), 0.1)


def test_a_line_goes_through_its_points():
    """From the lower left to the upper right, in the picture's pixels; y counts downwards."""
    drawn = plot()
    left, top, right, bottom = drawn.box
    assert drawn.path(drawn.lines[0]) == (
        f"M{left:.1f} {bottom:.1f}L{(left + right) / 2:.1f} {(top + bottom) / 2:.1f}L{right:.1f} {top:.1f}"
    )


def test_a_missing_value_breaks_a_line():
    """There is a second stroke after it."""
    line = Line("line", "first", np.arange(4.0), np.array([1.0, 2.0, np.nan, 3.0]))
    assert plot(lines=(line,)).path(line).count("M") == 2


def test_steps_have_two_corners_each():
    """A count lies over its whole bin: of two bins, three edges."""
    line = Line("line", "first", np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0]), steps=True)
    assert plot(lines=(line,)).path(line).count("L") == 3


def test_a_picture_is_svg_of_its_own():
    """Well-formed, with its sentence, its style and no network."""
    root = ElementTree.fromstring(picture(plot()))
    assert root.get("aria-label") == root.findtext("{*}title") == "<b>&"
    assert ".plot" in str(root.findtext("{*}style"))
    assert len(root.findall("{*}path[@class='line first']")) == 1


def test_a_run_has_a_few_plots():
    """Losses of each network, the distribution, the worst series' score; each is a picture with a file's name."""
    found = list(plots(findings()))
    assert [each.name for each in found] == ["losses-lstm_ae", "losses-cnn_ae", "distribution-score", "score"]
    assert all(ElementTree.fromstring(picture(each)).findall("{*}path") for each in found)


def test_losses_mark_the_best_epoch():
    """The rule stands at the epoch whose weights were kept."""
    (found,) = learnings({"lstm_ae": learning()})
    assert found.plot.rules == (Rule("best: 2", 2),)
    assert found.plot.sentence == (
        "lstm_ae: validation loss 2 after the first epoch, 0.5 in epoch 2 of 3, whose weights were kept."
    )


def test_one_epoch_is_drawn_too():
    """A scale has two ends, even where all is in one place."""
    history = History(learning().epochs[:1])
    assert ElementTree.fromstring(picture(learnings({"a": history})[0].plot)) is not None


@pytest.mark.parametrize("labelled", [True, False])
def test_distributions_add_up(labelled):
    """Shares of all bins sum to 1 for each line, but for bins that are empty."""
    found = distributions(judged(["a"], 3000, labelled=labelled), ["lstm_ae"])
    assert [each.name for each in found] == ["distribution-score", "distribution-lstm_ae"]
    assert len(found[0].lines) == 1 + labelled
    for line in found[0].lines:
        shares = line.y[line.y > line.y.min()]
        assert shares.sum() == pytest.approx(1, abs=0.02)


def test_the_distribution_is_told():
    """How many are above the threshold, where there are labels and where there are none."""
    table = judged(["a"], 100, labelled=True)
    assert distributions(table, [])[0].sentence == (
        "The detector's score is above 1 in 0 % of 90 test windows without a label, "
        "and in 100 % of 10 labelled windows."
    )
    unlabelled = distributions(judged(["a"], 100, labelled=False), [])[0].sentence
    assert unlabelled == "The detector's score is above 1 in 10 % of 100 test windows."


def test_nothing_spans_something():
    """No value, and one value, make a scale all the same."""
    assert spanning([]) == (0, 1)
    assert spanning([np.array([3.0, np.nan])]) == (2.5, 3.5)
