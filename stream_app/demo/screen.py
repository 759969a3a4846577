"""Where the board is shown: drawn anew in place on a terminal, told line by line anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from stream_app.demo.board import Board, Event
from stream_app.demo.summary import Pace
from stream_app.demo.view import progress, view
from stream_app.demo.words import told

FRAME_SECONDS = 0.15
LINE_SECONDS = 5.0  # between two lines of progress where nothing can be drawn

Show = Callable[[Board, Pace, Sequence[Event], float], None]


@contextmanager
def screen(console: Console) -> Iterator[Show]:
    """A function to call as often as one likes with the board, its pace, the news and the time in seconds."""
    if console.is_terminal and not console.is_dumb_terminal and not console.options.ascii_only:
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            yield drawing(live, console)
    else:
        yield telling(console)


def drawing(live: Live, console: Console) -> Show:
    """Draw the board, some times a second."""
    due = 0.0

    def show(board: Board, pace: Pace, news: Sequence[Event], now: float) -> None:
        nonlocal due
        if now >= due or board.complete:
            live.update(view(board, pace, console.width), refresh=True)
            due = now + FRAME_SECONDS

    return show


def telling(console: Console) -> Show:
    """Print every piece of news, and now and then how far it is."""
    due = 0.0

    def show(board: Board, pace: Pace, news: Sequence[Event], now: float) -> None:
        nonlocal due
        for event in news:
            console.print(f"{event.news.value:<12}{told(event)}", markup=False, highlight=False, soft_wrap=True)
        if now >= due:
            console.print(f"{'':<12}{progress(board, pace)}", markup=False, highlight=False, soft_wrap=True)
            due = now + LINE_SECONDS

    return show
