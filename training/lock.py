"""A lock file that one process holds; the system takes it back from a process that dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ATTEMPTS, PAUSE_SECONDS = 5, 0.02  # somebody may only be looking whether it is held


class Held(Exception):
    """Another process holds the lock: its id, as far as it is known."""


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock, with this process' id in the file. Raises Held."""
    with path.open("a+") as file:
        if not any(_take(file.fileno(), fcntl.LOCK_EX) for _ in range(ATTEMPTS)):
            file.seek(0)
            raise Held(file.read() or "?")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Whether a process holds it now."""
    if not path.exists():
        return False
    with path.open() as file:
        return not _take(file.fileno(), fcntl.LOCK_SH)


def _take(descriptor: int, kind: int) -> bool:
    """Take the lock; False, after a pause, if it is not to be had."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(PAUSE_SECONDS)
        return False
    return True
