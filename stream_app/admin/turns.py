"""Predictions in turns: short ones that wait for the same detector are scored together, a long one a part at a turn.

Networks take not much longer for dozens of windows than for one, and a stream knows its series apart. So what waits
together becomes one batch of one stream, in which each prediction's series are others'.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.batch import Batch
from monitoring.metrics import DatasetRecord
from schemas.drift import Sample
from stream_app import tally
from stream_app.admin.prediction import Prediction


class Waiting:
    """The predictions that wait for a turn, the longest without one first."""

    def __init__(self, rows: int) -> None:
        """A turn has at most `rows` rows, or is of one prediction."""
        self._most = rows
        self._predictions: deque[Prediction] = deque()

    def __len__(self) -> int:
        return len(self._predictions)

    def add(self, prediction: Prediction) -> None:
        """Put a prediction at the end."""
        self._predictions.append(prediction)

    def next_turn(self) -> list[Prediction]:
        """The first and, if it is short, other short ones of its detector as there is room; they wait no more."""
        turn: list[Prediction] = []
        others: deque[Prediction] = deque()
        room = self._most
        for one in self._predictions:
            if not turn or (_alike(one, turn[0]) and one.rows <= room):
                turn.append(one)
                room -= one.rows
            else:
                others.append(one)
        self._predictions = others
        return turn


@dataclass(frozen=True, eq=False)
class Played:
    """What metrics and drift hear of a turn."""

    record: DatasetRecord
    sample: Sample


def play(turn: Sequence[Prediction], now: int) -> Played:
    """Score the next rows of each prediction of a turn, all at once, into their answers; `now` in microseconds UTC.

    Of a long prediction, which is alone, the stream goes on in its next turn. Short ones share the first one's.
    """
    stream, detector = turn[0].stream, turn[0].detector
    numbers, batches = zip(*(one.next() for one in turn), strict=True)
    joined = _joined(batches, now)
    cut = stream.cut(replace(joined, series=_apart(batches)))
    judged = stream.judge(cut, detector.score(cut.windows))
    played = Played(tally.counts(judged), tally.sample(cut, judged))
    observed, number = replace(judged, batch=joined), np.concatenate(numbers)[judged.rows]
    bounds = np.searchsorted(judged.rows, np.cumsum([0, *map(len, numbers)])).tolist()
    for one, begin, end in zip(turn, bounds, bounds[1:], strict=False):
        one.take(observed, np.arange(begin, end), number[begin:end])
    return played


def _joined(batches: Sequence[Batch], now: int) -> Batch:
    times, values = (np.concatenate([getattr(one, name) for one in batches]) for name in ("times", "values"))
    return Batch([name for one in batches for name in one.series], times, values, np.full(len(times), now))


def _apart(batches: Sequence[Batch]) -> list[str]:
    """The series' names, such that those of one batch are none of another's."""
    return [f"{place} {name}" for place, one in enumerate(batches) for name in one.series]


def _alike(one: Prediction, other: Prediction) -> bool:
    return one.is_short and other.is_short and one.detector is other.detector
