"""Where a worker's time goes."""

from __future__ import annotations

from collections import defaultdict
from time import thread_time


class Stopwatch:
    """Adds up CPU seconds of the thread it is used in, by stage.

    Of the wall's seconds some belong to whatever else had the core or the interpreter meanwhile.
    """

    def __init__(self, laps: defaultdict[str, float] | None = None) -> None:
        """Goes on with `laps` where another one stopped."""
        self.laps: defaultdict[str, float] = defaultdict(float) if laps is None else laps
        self._since = thread_time()

    def lap(self, stage: str) -> None:
        """Put the time since the last lap down to a stage."""
        now = thread_time()
        self.laps[stage] += now - self._since
        self._since = now
