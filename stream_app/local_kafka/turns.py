"""One at a time: a lock file that the kernel lets go of by itself when its holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import TidewatchError

POLL_SECONDS = 0.02


def try_lock(descriptor: int, exclusive: bool = True) -> bool:
    """Lock an open file if nobody else has it; closing it, or dying, lets go."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def turn(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold `path` alone; another holder is waited for at most `wait_seconds`, then it is a TidewatchError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise TidewatchError(f"another tidewatch has held '{path}' for {wait_seconds:g} s; stop it, then retry")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
