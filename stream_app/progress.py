"""A partition's stream of chunks while one owner has it: which are let in, what is applied, what may be committed.

Chunks tile the offsets: each starts where the one before ended, so nothing is applied twice or left out unseen. Offsets
of the log itself need not be dense (transactions, compaction): a chunk ends one past its last record.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from stream_app.recovery import Plan
from stream_app.slabs import bucket


class Fetched(Protocol):
    """A record of the readings topic; all that matters here is its offset."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""


R = TypeVar("R", bound=Fetched)
offset_of = attrgetter("offset")


@dataclass(frozen=True, eq=False)
class Chunk(Generic[R]):
    """Consecutive records of a partition, let in under one generation; compared by identity, never by offset."""

    start: int  # where the chunk before ended; between it and the first record the log has nothing
    end: int  # one past the last record's offset
    records: Sequence[R]  # never empty, offsets ascend
    publish: bool  # False: apply without publishing, the flags are out already
    settled: bool  # False: ask `Progress.holds` for each reading, the state may have it already


@dataclass(frozen=True)
class Admission(Generic[R]):
    """What becomes of a fetch: chunks to hand on in order, or an offset to seek the partition to, or nothing."""

    chunks: tuple[Chunk[R], ...] = ()
    seek: int | None = None  # the fetch is not what was asked for: seek here and fetch again
    hole: tuple[int, int] | None = None  # the log has no offsets [from, to): lost, if its earliest is above `from`
    behind: bool = False  # all was let in before; or the log is another one, if it ends before what is expected


class OutOfOrderError(Exception):
    """A chunk that does not follow the one applied before: going on would corrupt windows, the worker must stop."""


class Progress(Generic[R]):
    """The offsets of one partition under one generation. On revocation drop it: acks that come late go nowhere."""

    def __init__(self, plan: Plan, generation: int) -> None:
        self.plan = plan
        self.generation = generation
        self.expected = plan.start  # the next offset to be let in
        self.applied = plan.start  # all below is in the state
        self.between_chunks = True  # False while a chunk is changing the state, and for ever after it failed
        self._doubted: int | None = None  # the first offset of the fetch for which a seek back was asked
        self._confirmed = plan.start
        self._open: deque[Chunk[R]] = deque()  # let in, in order
        self._unconfirmed: set[Chunk[R]] = set()

    def admit(self, records: Sequence[R], generation: int) -> Admission[R]:
        """Judge a fetch: trim what was let in before, doubt what lies too far ahead, split at `publish_from`.

        `generation` is the group's at the moment the fetch came back: one that was on its way during a rebalance comes
        back after it, with the new generation and the offsets of the old one.
        """
        if generation != self.generation:
            return Admission()
        fetched, records = records, self._trim(records)
        if not records:
            return Admission(behind=bool(fetched))
        first = records[0].offset
        if self._is_doubtful(first):
            self._doubted = first
            return Admission(seek=self.expected)
        hole = (self.expected, first) if first > self.expected else None
        self._doubted = None
        return Admission(tuple(self._let_in(part) for part in self._split(records)), hole=hole)

    def _trim(self, records: Sequence[R]) -> Sequence[R]:
        return records[bisect_left(records, self.expected, key=offset_of) :]

    def _is_doubtful(self, first: int) -> bool:
        """Above the expected offset; unless the log, asked again, begins there again: then it is a hole."""
        return first > self.expected and first != self._doubted

    def _split(self, records: Sequence[R]) -> list[Sequence[R]]:
        cut = bisect_left(records, self.plan.publish_from, key=offset_of)
        return [part for part in (records[:cut], records[cut:]) if part]

    def _let_in(self, records: Sequence[R]) -> Chunk[R]:
        start, end = self.expected, records[-1].offset + 1
        publish = records[0].offset >= self.plan.publish_from
        chunk = Chunk(start, end, records, publish=publish, settled=start >= self.plan.settled)
        self.expected = end
        self._open.append(chunk)
        self._unconfirmed.add(chunk)
        return chunk

    def owns(self, chunk: Chunk[R]) -> bool:
        """True for a chunk let in here and not yet confirmed; any other is to be dropped without a word."""
        return chunk in self._unconfirmed

    def holds(self, offset: int, dataset: str, series: str) -> bool:
        """True if the restored state contains this reading already; to be asked for chunks that are not settled."""
        return offset < self.plan.floors[bucket(dataset, series) % self.plan.slabs]

    @contextmanager
    def applying(self, chunk: Chunk[R]) -> Iterator[None]:
        """Around the change of the state by a chunk; raises `OutOfOrderError` unless it is the very next one.

        If the body raises, the state is half changed: no checkpoint is taken of it any more.
        """
        if not self.between_chunks or chunk.start != self.applied or not self.owns(chunk):
            raise OutOfOrderError(f"a chunk from offset {chunk.start} came, {self.applied} is next; restart the worker")
        self.between_chunks = False
        yield
        self.applied = chunk.end
        self.between_chunks = True

    def confirm(self, chunk: Chunk[R]) -> None:
        """All that the chunk had to publish is confirmed. A chunk of another generation changes nothing."""
        self._unconfirmed.discard(chunk)
        while self._open and self._open[0] not in self._unconfirmed:
            self._confirmed = self._open.popleft().end

    @property
    def confirmed(self) -> int:
        """The offset to commit: all flags of readings below are confirmed on the topic."""
        return max(self._confirmed, self.plan.publish_from)
