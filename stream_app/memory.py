"""The cap on series: over all partitions and datasets of a worker, the longest silent go first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import numpy as np

from models.stream import StreamDetector
from stream_app.logs import Seldom

log = logging.getLogger(__name__)

SLACK = 0.01  # of the cap is freed at once, so that a worker at its cap does not look for silent series every chunk


class SeriesCap:
    """Keeps a worker's series below a cap; to be called in the scoring thread, after each chunk."""

    def __init__(
        self, cap: int, streams: Callable[[], Iterable[StreamDetector]], on_evicted: Callable[[int], None]
    ) -> None:
        self._cap = cap
        self._streams = streams
        self._on_evicted = on_evicted
        self._telling = Seldom()

    def __call__(self) -> None:
        """Drop the longest silent series if there are too many."""
        streams = list(self._streams())
        count = sum(stream.series_count for stream in streams)
        if count > self._cap:
            dropped = self._drop(streams, count - self._cap + int(self._cap * SLACK))
            self._on_evicted(dropped)
            if said := self._telling.due(dropped):
                log.warning("%d series dropped from memory, the longest silent: worker.series_cap=%d", said, self._cap)

    def _drop(self, streams: list[StreamDetector], most: int) -> int:
        oldest = [stream.oldest_seen(most) for stream in streams]  # ascending, at most `most` of each
        seen = np.concatenate(oldest)
        owner = np.repeat(np.arange(len(streams)), [len(times) for times in oldest])
        chosen = owner[np.argsort(seen, kind="stable")[:most]]
        for number, share in enumerate(np.bincount(chosen, minlength=len(streams)).tolist()):
            if share:
                streams[number].evict(share)
        return len(chosen)
