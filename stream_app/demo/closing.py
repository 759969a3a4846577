"""The last page: what the detector found and missed, how fast it was, and what to try next."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from stream_app.demo.board import Board, News
from stream_app.demo.scene import Scene
from stream_app.demo.summary import KindSummary, Pace, Summary
from stream_app.demo.view import view
from stream_app.demo.words import called, clock, spoken

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
        yield (
            f"False alarms: {summary.false_alarms} in {summary.series_days:.3g} days of all series together, "
            f"{summary.false_alarms_a_day:.2g} a day and series"
        )
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


def try_next(scene: Scene, folder: Path, metrics: str | None) -> RenderableType:
    """Commands to go on with; `metrics` is where the worker is, if it was left running."""
    table = Table.grid(padding=(0, 3, 0, 0))
    for command, why in ideas(scene, folder, metrics):
        table.add_row(Text(command, "cyan", no_wrap=True), Text(why, "dim"))
    return table


def ideas(scene: Scene, folder: Path, metrics: str | None) -> Iterable[tuple[str, str]]:
    """A command, and what it is good for."""
    if metrics:
        yield f". {folder}/env", "use the topics of the worker that was left running"
        yield f"curl -s {metrics}/metrics", "its metrics, for Prometheus"
    else:
        yield "tidewatch kafka start", "a Kafka of your own again"
        yield "tidewatch worker", "serve every dataset that has a release; in a terminal of its own"
    yield "tidewatch watch", "see flags as they come; in another terminal"
    shift = " --shift-to-now" if metrics else ""  # what a worker has seen already, it takes for late
    yield (
        f"tidewatch produce --data {scene.live} --dataset {scene.dataset} --rate 200{shift}",
        "the same readings again",
    )
    yield f"tidewatch score --data {scene.live} --dataset {scene.dataset}", "the same flags without Kafka"
    yield f"tidewatch releases list --dataset {scene.dataset}", "every detector trained so far"
    if scene.dataset == "plant":
        yield "make demo DATA=your.csv", "all of this with a file of yours"
    if metrics:
        yield "tidewatch kafka stop", "when you have seen enough; the worker ends by kill or Ctrl-C"


def picture(board: Board, pace: Pace, path: Path, width: int = 100) -> None:
    """Draw the board and the last page as an SVG."""
    console = Console(record=True, width=width, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(view(board, pace, width), Text(), closing(board, pace), highlight=False)
    console.save_svg(str(path), title="tidewatch demo")
