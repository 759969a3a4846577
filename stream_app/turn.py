"""A turn of the scoring thread: the chunks that wait, one of each partition, with all their windows scored at once.

Networks take not much longer for dozens of windows than for one (`python -m benchmarks.networks`). So while many
partitions send a little each, scoring what waits together is what keeps up; and when one sends much, a turn is a chunk.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import ExitStack
from time import thread_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.detector import Detector, Scored
from models.windows import Float32
from stream_app.batches import Record
from stream_app.partition import Outcome
from stream_app.progress import Chunk

if TYPE_CHECKING:
    from stream_app.lane import Lane

Windows = tuple[Detector, Float32]  # (m, time, feature) in scaled units


class Work(NamedTuple):
    """A chunk and the lane that let it in."""

    lane: Lane
    chunk: Chunk[Record]


class Waiting:
    """The chunks that wait for their turn: of each lane in the order in which they were let in, and lanes in turn."""

    def __init__(self, records: int) -> None:
        """A turn has at most `records` records, or one chunk."""
        self._most = records
        self._lanes: dict[Lane, deque[Work]] = {}  # the longest without a turn first

    def add(self, work: Work) -> None:
        """Put a chunk at the end of its lane."""
        self._lanes.setdefault(work.lane, deque()).append(work)

    def clear(self) -> None:
        """Forget all."""
        self._lanes.clear()

    def next_turn(self) -> list[Work]:
        """The oldest chunk of each lane that has room, of as many lanes as a turn takes; they wait no more."""
        turn: list[Work] = []
        room = self._most
        for work in [works[0] for lane, works in self._lanes.items() if lane.has_room]:
            if turn and len(work.chunk.records) > room:
                break
            turn.append(work)
            room -= len(work.chunk.records)
        for work in turn:
            self._remove_first(work.lane)
        return turn

    def _remove_first(self, lane: Lane) -> None:
        works = self._lanes.pop(lane)
        works.popleft()
        if works:
            self._lanes[lane] = works


def play(turn: Sequence[Work]) -> tuple[list[Outcome], float]:
    """Change the states by a turn: what each chunk led to, and the CPU seconds that the networks took."""
    with ExitStack() as changing:
        for lane, chunk in turn:
            changing.enter_context(lane.progress.applying(chunk))
        begun = [lane.state.cut(chunk, lane.progress.holds) for lane, chunk in turn]
        started = thread_time()
        scored = iter(score([(part.stream.detector, part.cut.windows) for one in begun for part in one.parts]))
        seconds = thread_time() - started
        outcomes = [
            lane.state.judge(one, [next(scored) for _ in one.parts]) for (lane, _), one in zip(turn, begun, strict=True)
        ]
    return outcomes, seconds


def score(windows: Sequence[Windows]) -> list[Scored]:
    """Score windows of several chunks, those of one detector together; the answers in the order of the questions."""
    groups: defaultdict[Detector, list[int]] = defaultdict(list)
    for number, (detector, _) in enumerate(windows):
        groups[detector].append(number)
    scored: dict[int, Scored] = {}
    for detector, numbers in groups.items():
        ends = np.cumsum([len(windows[number][1]) for number in numbers]).tolist()
        together = detector.score(_joined([windows[number][1] for number in numbers]))
        scored |= {n: together.part(begin, end) for n, begin, end in zip(numbers, [0, *ends], ends, strict=False)}
    return [scored[number] for number in range(len(windows))]


def _joined(windows: Sequence[Float32]) -> Float32:
    return windows[0] if len(windows) == 1 else np.concatenate(windows)
