"""Where a worker's time goes."""

from __future__ import annotations

from collections import defaultdict
from time import perf_counter


class Stopwatch:
    """Adds up seconds by stage."""

    def __init__(self, laps: defaultdict[str, float] | None = None) -> None:
        """Goes on with `laps` where another one stopped."""
        self.laps: defaultdict[str, float] = defaultdict(float) if laps is None else laps
        self._since = perf_counter()

    def lap(self, stage: str) -> None:
        """Put the time since the last lap down to a stage."""
        now = perf_counter()
        self.laps[stage] += now - self._since
        self._since = now
