"""The ring of panes: what is within the horizon, whoever cut the stream, and whatever a clock says."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import horizon
from monitoring.horizon import Horizon, Span
from monitoring.yardstick import Yardstick, yardstick
from schemas.drift import Sample, Totals
from tests.monitoring.drifting import NOW, PANE_US, drawn, part, reference, sample

MEASURED = yardstick(reference())
SPAN = Span(PANE_US, 5)


def same(mine: Totals, others: Totals) -> None:
    """Counts exactly, sums but for rounding."""
    for name, wanted in vars(others).items():
        np.testing.assert_allclose(getattr(mine, name), wanted, rtol=1e-12, atol=1e-9, err_msg=name)


@given(
    panes=st.lists(st.integers(0, 12), min_size=30, max_size=30),
    cuts=st.sets(st.integers(1, 29)),
    looks=st.sets(st.integers(0, 30)),
)
def test_it_does_not_matter_how_the_stream_is_cut(panes: list[int], cuts: set[int], looks: set[int]):
    """In one sample or many, looked at meanwhile or not, in whatever order: what is in the newest panes counts."""
    times = NOW + np.array(panes) * PANE_US
    whole, now, watched = sample(drawn(30), times), NOW + 13 * PANE_US, Horizon(SPAN, MEASURED)
    for a, b in pairwise([0, *sorted(cuts), 30]):
        watched.observe(part(whole, slice(a, b)), now)
        if a in looks:
            watched.totals(now)
    same(watched.totals(now), MEASURED.tally(part(whole, times > max(times) - SPAN.us)))


@pytest.mark.parametrize(("limit", "most"), [("MOST_ROWS", 100), ("MOST_VALUES", 200)])
def test_many_readings_are_counted_together(monkeypatch: pytest.MonkeyPatch, limit: str, most: int):
    """When enough wait, without anybody looking; not one by one."""
    tallies: list[int] = []

    def tally(self: Yardstick, seen: Sample) -> Totals:
        tallies.append(len(seen.values))
        return Totals.none(2, 1)

    monkeypatch.setattr(horizon, limit, most)
    monkeypatch.setattr(Yardstick, "tally", tally)
    watched = Horizon(SPAN, MEASURED)
    for _ in range(25):
        watched.observe(sample(drawn(10)), NOW)
    watched.observe(sample(drawn(1000), NOW - 10**12 + np.arange(1000) * PANE_US), NOW)
    assert tallies == [100, 100, 50]  # what is long over is not counted at all, which takes as long for each pane


@pytest.mark.parametrize("wrong", [NOW + 10**12, NOW - 10**12, -1000])
def test_a_wrong_clock_does_not_push_the_others_out(wrong: int):
    """A record from the future, or one without a time, counts as of now; one from the past does not count."""
    watched, good, bad = Horizon(SPAN, MEASURED), sample(drawn(20)), sample(drawn(3, seed=5), wrong)
    watched.observe(good, NOW)
    watched.observe(bad, NOW + PANE_US)
    assert watched.totals(NOW + PANE_US).readings == (20 if wrong == NOW - 10**12 else 23)
    watched.observe(sample(drawn(1), NOW + 2 * PANE_US), NOW + 2 * PANE_US)
    assert watched.totals(NOW + 2 * PANE_US).readings >= 21


def test_what_is_old_is_forgotten_pane_by_pane():
    """With five panes, what was counted in the first is gone with the sixth."""
    watched = Horizon(SPAN, MEASURED)
    counts = []
    for minute in range(8):
        at = NOW + minute * PANE_US
        watched.observe(sample(drawn(10 + minute), at), at)
        counts.append(watched.totals(at).readings)
    assert counts == [10, 21, 33, 46, 60, 65, 70, 75]


def test_a_stream_that_stops_is_forgotten_after_a_horizon():
    """Else a worker whose partitions moved would tell for ever what it saw last."""
    watched = Horizon(SPAN, MEASURED)
    watched.observe(sample(drawn(10)), NOW)
    assert watched.totals(NOW + SPAN.us - 1).readings == 10
    assert watched.totals(NOW + SPAN.us).readings == 0


def test_old_readings_that_come_now_are_within_the_horizon():
    """A worker that catches up, or a replayed file: the stream's own time counts."""
    watched = Horizon(SPAN, MEASURED)
    for minute in range(20):
        watched.observe(sample(drawn(10), NOW - 10**12 + minute * PANE_US), NOW)
    assert watched.totals(NOW).readings == 50


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """However long the stream, and though nobody looks."""
    monkeypatch.setattr(horizon, "MOST_ROWS", 64)
    watched, sizes = Horizon(SPAN, MEASURED), []
    for minute in range(600):
        watched.observe(sample(drawn(10), NOW + minute * PANE_US), NOW + minute * PANE_US)
        sizes.append(len(pickle.dumps(watched)))
    assert max(sizes[300:]) <= max(sizes[:300])


def test_readings_without_windows_count():
    """While a series warms up."""
    watched = Horizon(SPAN, MEASURED)
    watched.observe(sample(drawn(10), windows=False), NOW)
    watched.observe(sample(drawn(0)), NOW)
    totals = watched.totals(NOW)
    assert (totals.readings, totals.windows) == (10, 0)
