"""The last page: what the detector found and missed, how fast it was, and what to try next."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.demo.board import Board, News
from stream_app.demo.scene import PLANT, Scene
from stream_app.demo.summary import KindSummary, Pace, Summary
from stream_app.demo.view import view
from stream_app.demo.words import called, clock, spoken

FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
MISSED = 6  # at most so many missed faults are named


def closing(board: Board, pace: Pace) -> RenderableType:
    """All of it: without labels only what was flagged, and how fast."""
    summary = board.summary()
    parts: list[RenderableType] = []
    if summary.findings:
        parts += [found(summary), Text()]
    parts += [Text(line) for line in remarks(board, summary, pace)]
    return Group(*parts)


def found(summary: Summary) -> Table:
    """Faults by kind: how many were found, how soon, and for how many the right sensor was named."""
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False)
    named = any(finding.fault.feature for finding in summary.findings)
    for title in ("kind of fault", "found", "median delay", *(["right sensor named"] * named)):
        table.add_column(title, header_style="bold")
    for kind in summary.kinds:
        table.add_row(*row(kind, named))
    table.add_row("all", f"{summary.found} of {summary.faults}", style="bold")
    return table


def row(kind: KindSummary, named: bool) -> list[str]:
    """The cells of one kind."""
    delay = "" if kind.delay is None else spoken(kind.delay)
    cells = [kind.kind, f"{kind.found} of {kind.faults}", delay]
    return [*cells, f"{kind.named} of {kind.found}" if kind.found else ""] if named else cells


def remarks(board: Board, summary: Summary, pace: Pace) -> Iterable[str]:
    """What the table does not say, a sentence a line."""
    if board.scene.labelled:
        yield from missed(summary)
        rate = f", {summary.false_alarms_a_day:.2g} a day and series" if summary.series_days >= 1 else ""
        yield f"False alarms: {summary.false_alarms} in {summary.series_days:.3g} days of all series together{rate}"
    else:
        alarms = sum(event.news is News.FLAGGED for event in board.events)
        yield f"Alarms: {alarms}; the file has no labels to hold them against"
    yield f"Readings: {pace.readings:,} at {pace.per_second:,.0f} a second, as fast as the demo sent them"
    if pace.p50 is not None and pace.p99 is not None:
        yield f"From a reading to its flag, both on Kafka: {pace.p50:.0f} ms (median), {pace.p99:.0f} ms (99 %)"


def missed(summary: Summary) -> Iterable[str]:
    """The faults that nobody flagged, by name as long as they are few."""
    faults = [finding.fault for finding in summary.findings if not finding.found]
    for fault in faults[:MISSED]:
        yield f"Missed: {called(fault)} on {fault.series}, {clock(fault.start)} to {clock(fault.end)}"
    if more := len(faults[MISSED:]):
        yield f"Missed: {more} more"


@dataclass(frozen=True)
class Kept:
    """A worker that was left running: where its port is, its process, and the file with its settings."""

    address: str
    pid: int
    settings: Path


def try_next(scene: Scene, local: bool, kept: Kept | None = None) -> Text:
    """Commands to go on with, each with what it is good for; `local` says whether Kafka is the local one."""
    return listed(ideas(scene, local, kept))


def listed(ideas: Iterable[tuple[str, str]]) -> Text:
    """Each command under what it is good for."""
    lines = Text()
    for command, why in ideas:
        lines.append(f"# {why}\n", "dim").append(f"{command}\n", "cyan")
    return lines


def ideas(scene: Scene, local: bool, kept: Kept | None) -> Iterable[tuple[str, str]]:
    """A command, and what it is good for."""
    data = f"--data {scene.live} --dataset {scene.dataset}"
    if kept:
        yield f". {kept.settings}", "go on with the worker and the topics of this run"
        yield f"curl -s {kept.address}/metrics", "the worker's metrics, for Prometheus"
        yield "tidewatch watch", "flags as they come; leave it open, and send more from another terminal"
        yield f"tidewatch produce {data} --rate 200 --shift-to-now", "the same readings, as if they were of today"
    else:
        kafka = "tidewatch kafka start && " * local
        yield f"{kafka}tidewatch worker", "a worker for every detector that was trained"
        yield "tidewatch watch", "flags as they come; in a second terminal"
        yield f"tidewatch produce {data} --rate 200", "readings to judge; in a third"
    yield f"tidewatch score {data}", "the same flags without Kafka"
    yield f"tidewatch releases show {scene.dataset}", "what the detector is"
    if scene.dataset == PLANT:
        yield "make demo DATA=your.csv", "all of this with a file of yours"
    if kept:
        yield f"kill {kept.pid}{'; tidewatch kafka stop' * local}", "when you have seen enough"


def picture(board: Board, pace: Pace, path: Path, width: int = 100) -> None:
    """Draw the board and the last page as an SVG that needs no font from elsewhere."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(view(board, pace, width), Text(), closing(board, pace), sep="\n", highlight=False)
    drawn = console.export_svg(title="tidewatch demo", unique_id="demo")
    path.write_text(FONT_FACE.sub("", drawn).replace("Fira Code", "Fira Code, Menlo, Consolas"))
