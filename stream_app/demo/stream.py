"""The live part: wait for the worker, follow what comes off Kafka, stop when all was judged."""

from __future__ import annotations

import time
from urllib.error import URLError
from urllib.request import urlopen

from stream_app.demo.board import Board
from stream_app.demo.feed import Feed
from stream_app.demo.processes import Background, DemoError
from stream_app.demo.screen import Show

READY_SECONDS = 60.0
READY_POLL_SECONDS = 0.2
QUIET_SECONDS = 5.0  # without a record after the last reading was sent: nothing more will come


def wait_until_ready(process: Background, address: str) -> None:
    """Poll a process's /readyz. Raises DemoError if it dies or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(address):
        process.check()
        if time.monotonic() > deadline:
            late = f"`{process.name}` is not ready at {address}/readyz after {READY_SECONDS:g} s"
            raise DemoError(f"{late}; the end of its log:{process.tail}")
        time.sleep(READY_POLL_SECONDS)


def is_ready(address: str) -> bool:
    """Whether /readyz answers 200."""
    try:
        with urlopen(f"{address}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


async def follow(feed: Feed, board: Board, worker: Background, producer: Background, show: Show) -> None:
    """Show readings and flags until every series was judged to its end, or nothing comes any more."""
    heard = time.monotonic()
    while not (producer.ended and (board.complete or time.monotonic() - heard > QUIET_SECONDS)):
        news = await feed.poll()
        heard = heard if news is None else time.monotonic()
        worker.check()
        producer.check(may_end=True)
        show(board, feed.pace(), news or [], time.monotonic())
    show(board, feed.pace(), board.finish(), time.monotonic())
