"""The moment in which the process is told to end: the server tells the app only when its connections have ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def heard(told: Callable[[], None]) -> Iterator[None]:
    """Call `told` at SIGTERM or Ctrl-C, before the server does what it does then. It must neither wait nor raise."""
    numbers = (signal.SIGTERM, signal.SIGINT) if current_thread() is main_thread() else ()
    servers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}

    def handle(number: int, frame: FrameType | None) -> None:
        told()
        servers[signal.Signals(number)](number, frame)

    for number in servers:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in servers.items():
            signal.signal(number, handler)
