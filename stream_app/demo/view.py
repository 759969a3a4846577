"""How the board looks: for each series a timeline of scores above the truth; the news; where things stand.

Everything here makes something to print out of a board. Nothing prints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream_app.demo.board import CELLS, Board, Event, Lane, News
from stream_app.demo.faults import Fault
from stream_app.demo.summary import Pace, Verdict
from stream_app.demo.words import called, told

LANES = 8  # at most so many series are drawn
NEWS = 6  # lines
BARS = "▁▂▃▄▅▆▇█"
Cell = tuple[str, str]  # a character and its style
FULL = 3.0  # times the threshold: the score of a bar of full height
STYLES = {News.FOUND: "green", News.MISSED: "yellow", News.FALSE: "magenta", News.FLAGGED: "red"}


def view(board: Board, pace: Pace, width: int) -> RenderableType:
    """The whole board, for a terminal of this width."""
    return Group(lanes(board, width), legend(board), Text(), *news(board.events), Text(), standing(board, pace, width))


def lanes(board: Board, width: int) -> RenderableType:
    """For each series its name, a timeline of scores above the truth, and what is the matter now."""
    shown = list(board.lanes.values())[:LANES]
    widths = min(max(len(lane.stretch.series) for lane in shown), 16), max(width // 3, 12)
    columns = min(max(width - sum(widths) - 4, 8), CELLS)
    table = Table.grid(padding=(0, 2, 0, 0))
    for column in (widths[0], columns, widths[1]):
        table.add_column(width=column, no_wrap=True, overflow="ellipsis")
    for lane in shown:
        matter = tally(lane) if board.complete and board.scene.labelled else opinion(lane.newest)
        table.add_row(Text(lane.stretch.series, "bold"), scores(lane, columns), matter)
        if board.scene.labelled:
            table.add_row(Text("truth", "dim"), truth(lane, columns), trouble(lane.fault_at(lane.time)))
    if more := len(board.lanes) - len(shown):
        table.add_row("", Text(f"and {more} more series", "dim"), "")
    return table


def legend(board: Board) -> Text:
    """What the colours mean."""
    words = "red: over the threshold"
    if board.scene.labelled:
        words += "   green: a fault that was found   yellow: not found, or not yet"
    return Text(words, "dim", no_wrap=True, overflow="ellipsis")


def scores(lane: Lane, columns: int) -> Text:
    """The highest score of each part of the series' time as a bar: the threshold is at a third, red is over it."""
    return joined([bar(score) for score in peaks(lane, columns).tolist()])


def bar(score: float) -> Cell:
    """A score as a cell; nothing where there is none."""
    if not math.isfinite(score):
        return " ", ""
    height = min(max(int(score / FULL * len(BARS)), 0), len(BARS) - 1)
    return BARS[height], "bold red" if score > 1 else "cyan"


def joined(cells: Sequence[Cell]) -> Text:
    """Cells as one line, neighbours of one style together."""
    runs = groupby(cells, key=lambda cell: cell[1])
    return Text.assemble(*(("".join(character for character, _ in run), style) for style, run in runs))


def peaks(lane: Lane, columns: int) -> NDArray[np.float64]:
    """The highest score in each of so many equal parts of the series' time, (column,); -inf where there is none."""
    first_cells = -(-np.arange(columns) * CELLS // columns)
    highest: NDArray[np.float64] = np.maximum.reduceat(lane.peaks, first_cells)
    return highest


def place(time: int, lane: Lane, columns: int) -> int:
    """In which column of a series' timeline this time falls."""
    return lane.cell(time) * columns // CELLS


def truth(lane: Lane, columns: int) -> Text:
    """The faults up to now: green if found, yellow if not, or not yet."""
    if lane.time is None:
        return Text()
    cells = [("─", "dim")] * (place(lane.time, lane, columns) + 1)
    for fault in lane.faults:
        if fault.start <= lane.time:
            first, last = (place(time, lane, columns) for time in (fault.start, min(fault.end, lane.time)))
            cells[first : last + 1] = [("▀", "green" if fault in lane.found else "yellow")] * (last + 1 - first)
    return joined(cells)


def opinion(newest: Verdict | None) -> Text:
    """What the worker says of the newest window."""
    if newest is None:
        return Text("warming up", "dim")
    if not newest.flagged:
        return Text("calm", "dim")
    return Text(f"{newest.score:.1f} x threshold {' '.join(newest.blamed[:1])}", "bold red")


def tally(lane: Lane) -> Text:
    """What became of a series' faults."""
    return Text(f"found {len(lane.found)} of {len(lane.faults)}", "bold" if lane.faults else "dim")


def trouble(fault: Fault | None) -> Text:
    """What is wrong at this moment, if anything."""
    return Text(called(fault), "yellow") if fault else Text()


def news(events: Sequence[Event]) -> list[Text]:
    """The latest events, a line each, and always so many lines."""
    lines = [headline(event) for event in events[-NEWS:]]
    return lines + [Text()] * (NEWS - len(lines))


def headline(event: Event) -> Text:
    """One line of news."""
    kind = (f"{event.news.value:<12}", STYLES[event.news])
    return Text.assemble(kind, told(event), no_wrap=True, overflow="ellipsis")


def standing(board: Board, pace: Pace, width: int) -> RenderableType:
    """How far the stream is, how fast, and what was found so far."""
    bar = ProgressBar(total=board.scene.readings, completed=board.readings, width=max(width // 8, 8))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(bar, Text(progress(board, pace), no_wrap=True, overflow="ellipsis"))
    return grid


def progress(board: Board, pace: Pace) -> str:
    """The same in words."""
    parts = [f"{board.readings:,} of {board.scene.readings:,} readings"]
    kinds = [event.news for event in board.events]
    if board.scene.labelled:
        parts.append(f"found {kinds.count(News.FOUND)}, missed {kinds.count(News.MISSED)}")
    alarms = kinds.count(News.FALSE if board.scene.labelled else News.FLAGGED)
    parts.append(f"{alarms} {'false ' * board.scene.labelled}alarm{'s' * (alarms != 1)}")
    if pace.p50 is not None:
        parts.append(f"flags after {pace.p50:.0f} ms")
    return ", ".join(parts)
