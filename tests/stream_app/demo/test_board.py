"""The board: every fault and every false alarm is told once, when it can be known."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from stream_app.demo.board import Board, News
from stream_app.demo.faults import Fault
from stream_app.demo.scene import Scene, Stretch
from stream_app.demo.summary import Verdict

WINDOW = 10
FAULTS = (Fault("shift", "a", "flow", 100, 120), Fault("stuck", "b", "flow", 50, 60))
STRETCHES = (Stretch("a", 0, 200, 201), Stretch("b", 0, 200, 201))
SCENE = Scene("plant", Path("h.csv"), Path("l.csv"), STRETCHES, FAULTS, 1, labelled=True)


def played(*verdicts: tuple[str, int, bool]) -> Board:
    """A board that saw these windows (series, time, flagged) and then the end."""
    board = Board(SCENE, WINDOW)
    for series, time, flagged in verdicts:
        board.judge(Verdict(series, time, 2.0 if flagged else 0.1, flagged))
    board.finish()
    return board


def news(board: Board) -> list[tuple[News, str, int]]:
    """What was told, in order."""
    return [(event.news, event.series, event.time) for event in board.events]


def test_a_story() -> None:
    """A false alarm, a fault found at its second window and not told again, a fault missed.

    a        20 21         [100 104 ==== 120] 129
    news     false         found
    b        [50 === 60]            131 calm: missed
    """
    flags = [("a", 20, True), ("a", 21, True), ("a", 104, True), ("a", 129, True), ("b", 131, False)]
    assert news(played(*flags)) == [(News.FALSE, "a", 20), (News.FOUND, "a", 104), (News.MISSED, "b", 60)]


def test_missed_is_told_when_no_window_can_see_it_any_more() -> None:
    """One window after the fault's end it may still be found, later not."""
    board = Board(SCENE, WINDOW)
    assert board.judge(Verdict("b", 70, 0.0, False)) == []
    assert [event.news for event in board.judge(Verdict("b", 71, 0.0, False))] == [News.MISSED]


def test_flags_that_come_twice_are_counted_once() -> None:
    """Delivery is at least once: what comes again, or late, changes nothing."""
    once = played(("a", 20, True), ("a", 104, True))
    twice = played(("a", 20, True), ("a", 20, True), ("a", 104, True), ("a", 20, True), ("a", 104, True))
    assert news(once) == news(twice)
    assert once.summary() == twice.summary()
    assert twice.windows == 2


def test_readings_of_other_series_are_none_of_ours() -> None:
    """Only the scene's series are counted; the newest reading is where a series stands."""
    board = Board(SCENE, WINDOW)
    for series, time in (("a", 5), ("a", 4), ("stranger", 9)):
        board.read(series, time)
    assert board.readings == 2
    assert board.lanes["a"].time == 5


def test_complete_when_every_series_was_judged_to_its_end() -> None:
    """One series is not enough."""
    board = Board(SCENE, WINDOW)
    board.judge(Verdict("a", 200, 0.0, False))
    assert not board.complete
    board.judge(Verdict("b", 200, 0.0, False))
    assert board.complete


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 200), st.booleans()), max_size=40))
def test_the_news_add_up_to_the_summary(windows: list[tuple[str, int, bool]]) -> None:
    """Every fault is told once, found or missed, as the summary counts it; so is every false alarm."""
    board = played(*sorted(set(windows), key=lambda window: window[1]))
    told = [event.news for event in board.events]
    summary = board.summary()
    assert told.count(News.FOUND) == summary.found
    assert told.count(News.FOUND) + told.count(News.MISSED) == len(FAULTS)
    assert told.count(News.FALSE) == summary.false_alarms
