"""Which runs may go, and what that frees; the releases they made are in the store and stay there."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from training.runs import Run, RunError


def superfluous(runs: Sequence[Run], now: datetime, keep: int | None, older_than: timedelta | None) -> list[Run]:
    """Of runs in order of time, those beyond the newest `keep` of their dataset and older than that, oldest first.

    A rule that is None rules nothing out. A run in progress always stays, and counts as one of the newest.
    """
    newer: defaultdict[str, int] = defaultdict(int)
    found = []
    for run in reversed(runs):
        dataset = run.record.identity.dataset
        beyond = keep is None or newer[dataset] >= keep
        newer[dataset] += 1
        old = older_than is None or now - datetime.fromisoformat(run.record.created) > older_than
        if beyond and old and not run.is_at_work:
            found.append(run)
    return found[::-1]


def remove(run: Run) -> bool:
    """Remove a run with all its files; False if a process has begun to work on it meanwhile."""
    try:
        with run.locked():
            shutil.rmtree(run.root)
    except RunError:
        return False
    return True


def size(path: Path) -> int:
    """The bytes that a file, or a folder's files hold; a hard link is counted once."""
    files = [each.lstat() for each in (path, *path.rglob("*")) if not each.is_dir()]
    return sum({(file.st_dev, file.st_ino): file.st_size for file in files}.values())
