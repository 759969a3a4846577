"""The arithmetic of the demo's last page, against cases by hand and the obvious way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.demo.faults import Fault
from stream_app.demo.summary import Pace, Verdict, pace, summarise
from tests import naive

WINDOW = 10


def flag(time: int, series: str = "a", score: float = 2.0, blamed: tuple[str, ...] = ()) -> Verdict:
    """A flagged window."""
    return Verdict(series, time, score, True, blamed)


SHIFT = Fault("shift", "a", "flow", 100, 120)


@pytest.mark.parametrize(
    ("time", "found"), [(99, False), (100, True), (120, True), (130, True), (131, False)], ids=lambda value: str(value)
)
def test_reach_of_a_fault(time: int, found: bool) -> None:
    """A flag belongs to a fault from its first reading to one window after its last, both included.

    fault        [100 ====== 120]
    flags     99 |100 ...... 120 ... 130| 131
    """
    summary = summarise([SHIFT], [flag(time)], WINDOW, 1.0)
    assert (summary.found, summary.false_alarms) == ((1, 0) if found else (0, 1))


def test_delay_is_to_the_first_flag() -> None:
    """Whatever order the flags come in, and however high the later ones are."""
    summary = summarise([SHIFT], [flag(125, score=9), flag(107), flag(110)], WINDOW, 1.0)
    assert summary.findings[0].delay == 7


def test_the_highest_score_names_the_sensor() -> None:
    """The first feature of the highest score counts, not that of the first flag."""
    flags = [flag(101, score=1.1, blamed=("level", "flow")), flag(105, score=3.0, blamed=("flow", "level"))]
    summary = summarise([SHIFT], flags, WINDOW, 1.0)
    assert summary.findings[0].blamed == "flow"
    assert summary.kinds[0].named == 1


def test_another_series_finds_nothing() -> None:
    """A flag at the right time on the wrong series misses, and is false."""
    summary = summarise([SHIFT], [flag(105, series="b")], WINDOW, 1.0)
    assert (summary.found, summary.false_alarms) == (0, 1)


def test_calm_windows_are_no_flags() -> None:
    """With everything published, what is not flagged counts for nothing."""
    summary = summarise([SHIFT], [Verdict("a", 105, 0.9, False), Verdict("a", 500, 0.2, False)], WINDOW, 1.0)
    assert (summary.found, summary.false_alarms) == (0, 0)


def test_false_alarms_are_runs() -> None:
    """Flags at most one window apart are one alarm: 1..11 | 22 | 22 of another series."""
    summary = summarise([], [flag(1), flag(11), flag(22), flag(22, series="b")], WINDOW, 2.0)
    assert summary.false_alarms == 3
    assert summary.false_alarms_a_day == 1.5


def test_kinds_add_up() -> None:
    """Two of a kind, one found after 4 and one missed; another kind of which none was found has no delay."""
    others = [Fault("shift", "a", "level", 300, 310), Fault("drift", "b", "flow", 0, 50)]
    shift, drift = summarise([SHIFT, *others], [flag(104)], WINDOW, 1.0).kinds
    assert (shift.kind, shift.faults, shift.found, shift.delay) == ("shift", 2, 1, 4.0)
    assert (drift.faults, drift.found) == (1, 0)
    assert drift.delay is None


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Fault], list[Verdict]]:
    """Some faults and windows, close enough to touch and to overlap."""
    moments = st.integers(0, 120)
    series = st.sampled_from("ab")
    starts = draw(st.lists(st.tuples(series, moments, st.integers(0, 30)), max_size=5))
    faults = [Fault("kind", name, f"feature {k}", begin, begin + more) for k, (name, begin, more) in enumerate(starts)]
    verdicts = st.builds(Verdict, series, moments, st.floats(0, 9), st.booleans())
    return faults, draw(st.lists(verdicts, max_size=25, unique_by=lambda each: (each.series, each.time)))


@given(situations())
def test_equals_the_obvious_way(situation: tuple[list[Fault], list[Verdict]]) -> None:
    """Minute by minute and flag by flag gives the same figures."""
    faults, verdicts = situation
    summary = summarise(faults, verdicts, WINDOW, 1.0)
    marks = [(fault.series, fault.start, fault.end) for fault in faults]
    flags = [(verdict.series, verdict.time) for verdict in verdicts if verdict.flagged]
    delays, false_alarms = naive.faults_found(marks, flags, WINDOW)
    assert [finding.delay for finding in summary.findings] == delays
    assert summary.false_alarms == false_alarms


def test_pace() -> None:
    """Readings a second, and the middle and the slow end of the latencies."""
    paced = pace(100, 4.0, [10.0] * 98 + [20.0, 30.0])
    assert paced.per_second == 25
    assert paced.p50 == 10.0
    assert paced.p99 == pytest.approx(20.1)


def test_pace_of_nothing() -> None:
    """Without flags there is no latency, and no error either."""
    assert pace(5, 1.0, []) == Pace(5, 1.0, None, None)
