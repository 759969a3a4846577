"""What the demo shows: timelines that tell the truth, lines that fit, a last page without a gap."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console, RenderableType

from stream_app.demo.board import Board
from stream_app.demo.closing import Kept, closing, picture, try_next
from stream_app.demo.faults import Fault
from stream_app.demo.plant import MINUTE
from stream_app.demo.scene import Scene, Stretch
from stream_app.demo.screen import screen
from stream_app.demo.summary import Pace, Verdict
from stream_app.demo.view import opinion, peaks, place, scores, truth, view
from stream_app.demo.words import spoken

END = 199 * MINUTE
SHIFT = Fault("level shift", "pump-1", "flow", 50 * MINUTE, 79 * MINUTE)
DRIFT = Fault("slow drift", "pump-2", "level", 20 * MINUTE, 39 * MINUTE)
SCENE = Scene(
    "plant",
    Path("var/demo/history.csv"),
    Path("var/demo/live.csv"),
    (Stretch("pump-1", 0, END, 200), Stretch("pump-2", 0, END, 200)),
    (SHIFT, DRIFT),
    MINUTE,
    labelled=True,
)
PACE = Pace(400, 4.0, 12.0, 30.0)


def board(minutes: int = 200, scene: Scene = SCENE) -> Board:
    """Both pumps up to that minute; pump 1 is flagged in its fault, and falsely at minute 150."""
    made = Board(scene, window=10 * MINUTE)
    for minute in range(minutes):
        for stretch in scene.stretches:
            made.read(stretch.series, minute * MINUTE)
            flagged = stretch.series == "pump-1" and (55 <= minute < 80 or minute == 150)
            blamed = ("flow", "level") if flagged else ()
            made.judge(Verdict(stretch.series, minute * MINUTE, 4.0 if flagged else 0.2, flagged, blamed))
    if minutes == 200:
        made.finish()
    return made


def printed(page: RenderableType, width: int = 100) -> str:
    """The page as plain text."""
    file = StringIO()
    Console(file=file, width=width, highlight=False).print(page)
    return file.getvalue()


def test_timelines_of_scores_and_truth_lie_above_each_other() -> None:
    """With a column for ten minutes: scores are high from minute 55 to 79 and at 150, the fault from 50 to 79.

    minute   0         50  80        150  200
    """
    lane = board().lanes["pump-1"]
    assert scores(lane, 20).plain == "▁▁▁▁▁███▁▁▁▁▁▁▁█▁▁▁▁"
    assert truth(lane, 20).plain == "─────▀▀▀────────────"


def test_nothing_is_drawn_of_the_future() -> None:
    """Half-way, the right half is empty, and a fault ends at the newest reading."""
    lane = board(minutes=65).lanes["pump-1"]
    assert scores(lane, 20).plain == "▁▁▁▁▁██" + " " * 13
    assert truth(lane, 20).plain == "─────▀▀"


@pytest.mark.parametrize("columns", [1, 7, 20, 64, 960])
def test_a_column_has_the_highest_score_of_its_time(columns: int) -> None:
    """Whatever the width, against looking at every verdict."""
    lane = board().lanes["pump-1"]
    expected = np.full(columns, -np.inf)
    for verdict in lane.verdicts:
        column = place(verdict.time, lane, columns)
        expected[column] = max(expected[column], verdict.score)
    np.testing.assert_array_equal(peaks(lane, columns), expected)


def test_colours_of_the_truth() -> None:
    """What was found is green, what was missed is yellow."""
    styles = {str(span.style) for lane in board().lanes.values() for span in truth(lane, 20).spans}
    assert styles == {"dim", "green", "yellow"}


def test_opinions() -> None:
    """Of no window, a calm one, and a flagged one."""
    flagged = Verdict("a", 0, 2.34, True, ("flow", "level"))
    assert [opinion(each).plain for each in (None, Verdict("a", 0, 0.5, False), flagged)] == [
        "warming up",
        "calm",
        "2.3 x threshold flow",
    ]


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_the_view_fits_its_terminal(width: int) -> None:
    """No line is wider, and its height is always the same, so that it can be drawn in place."""
    heights = set()
    for minutes in (0, 1, 65, 200):
        lines = printed(view(board(minutes), PACE, width), width).splitlines()
        assert max(map(len, lines)) <= width
        heights.add(len(lines))
    assert len(heights) == 1


def test_in_the_end_each_series_has_its_tally() -> None:
    """How many of its faults were found, instead of how it is now."""
    assert "calm" in printed(view(board(65), PACE, 100))
    text = printed(view(board(), PACE, 100))
    assert "found 1 of 1" in text
    assert "found 0 of 1" in text
    assert "calm" not in text


def test_the_news_in_words() -> None:
    """What was found, falsely flagged and missed is told with time, pump, fault, delay and sensor."""
    text = printed(view(board(), PACE, 100))
    assert "found       Thu 00:55  pump-1  level shift: flow, after 5 min; blames flow" in text
    assert "missed      Thu 00:39  pump-2  slow drift: level, since Thu 00:20" in text
    assert "false alarm Thu 02:30  pump-1  nothing was wrong; blames flow" in text
    assert "400 of 400 readings, found 1, missed 1, 1 false alarm, flags after 12 ms" in text


def test_many_series_are_not_all_drawn() -> None:
    """The first eight, and how many there are besides."""
    many = replace(SCENE, stretches=tuple(Stretch(f"pump-{k}", 0, END, 200) for k in range(30)))
    text = printed(view(board(10, many), PACE, 100))
    assert "pump-7" in text
    assert "and 22 more series" in text


def test_the_last_page() -> None:
    """Kinds, missed faults, false alarms a day, pace and latency."""
    text = re.sub(" +", " ", printed(closing(board(), PACE)))
    assert "level shift 1 of 1 after 5 min 1 of 1" in text
    assert "slow drift 0 of 1" in text
    assert "all 1 of 2" in text
    assert "Missed: slow drift: level on pump-2, Thu 00:20 to Thu 00:39" in text
    assert "False alarms: 1 in 0.278 days of all series together" in text
    assert "Readings: 400 at 100 a second" in text
    assert "12 ms (median), 30 ms (99 %)" in text


def test_without_labels_there_is_no_truth() -> None:
    """Then flags are alarms, neither true nor false, and no table of faults is shown."""
    unknown = board(scene=replace(SCENE, faults=(), labelled=False))
    text = printed(view(unknown, PACE, 100)) + printed(closing(unknown, PACE))
    assert "flagged     Thu 00:55  pump-1  4.0 times the threshold; blames flow" in text
    assert "Alarms: 2; the file has no labels to hold them against" in text
    assert not re.search("truth|fault|false", text)


def test_what_to_try_next() -> None:
    """How to start another worker, or to use and end the one left running; a Kafka of others is left alone."""
    gone, kept, foreign = (
        try_next(SCENE, local, kept).plain
        for local, kept in ((True, None), (True, Kept("http://127.0.0.1:1", 4711, Path("var/demo/env"))), (False, None))
    )
    assert "tidewatch kafka start && tidewatch worker\n" in gone
    assert ". var/demo/env\n" in kept
    assert "kill 4711; tidewatch kafka stop\n" in kept
    assert "kafka st" not in foreign


def test_a_picture(tmp_path: Path) -> None:
    """An SVG of the board that fetches nothing from anywhere."""
    picture(board(), PACE, tmp_path / "demo.svg")
    drawn = (tmp_path / "demo.svg").read_text()
    assert drawn.startswith("<svg")
    assert "level&#160;shift" in drawn
    assert not re.search(r"url\(.?http", drawn)
    assert len(drawn) < 300_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "at once"), (30, "after 30 s"), (60, "after 1 min"), (90, "after 1.5 min"), (1000, "after 17 min")),
        *((7199, "after 120 min"), (8000, "after 2.2 h"), (86_400, "after 24 h"), (180_000, "after 2.1 d")),
    ],
)
def test_spans_of_time(seconds: int, words: str) -> None:
    """In the unit that a person would use."""
    assert spoken(seconds * 1_000_000) == words


def test_without_a_terminal_it_is_told_line_by_line() -> None:
    """Each piece of news once, in ASCII, and progress every five seconds."""
    file = StringIO()
    console = Console(file=file, width=80, highlight=False)
    with screen(console) as show:
        made = board()
        show(made, PACE, made.events, 0.0)
        show(made, PACE, [], 1.0)
        show(made, PACE, [], 6.0)
    lines = file.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["missed", "found", "false", "400", "400"]
    assert file.getvalue().isascii()


def test_on_a_terminal_it_is_drawn() -> None:
    """The timelines are there."""
    file = StringIO()
    with screen(Console(file=file, width=100, height=40, force_terminal=True)) as show:
        show(board(), PACE, [], 0.0)
    assert "▀▀▀" in file.getvalue()
