"""A partition's stream of chunks, for as long as one owner has it: which are let in, which are confirmed, what to commit.

Chunks tile the offsets: each starts where the one before ended, so nothing is applied twice or left out unseen. Offsets
of the log itself need not be dense (transactions, compaction): a chunk ends one past its last record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from stream_app.recovery import Plan


class Fetched(Protocol):
    """A record of the readings topic; all that matters here is its offset."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""


R = TypeVar("R", bound=Fetched)


@dataclass(frozen=True, eq=False)
class Chunk(Generic[R]):
    """Consecutive records of a partition, let in under one generation; compared by identity, never by offset."""

    start: int  # where the chunk before ended; records before the first one do not exist
    end: int  # one past the last record's offset
    records: Sequence[R]  # never empty, ascending offsets
    publish: bool  # False: apply without publishing, the flags are out already
    settled: bool  # False: ask `Progress.holds` for each reading, the state may have it already


@dataclass(frozen=True)
class Admission(Generic[R]):
    """What becomes of a fetch: chunks to hand on, in order, or an offset to seek the partition to."""

    chunks: tuple[Chunk[R], ...] = ()
    seek: int | None = None  # the fetch is not what was asked for: seek here and fetch again
    hole: tuple[int, int] | None = None  # offsets [from, to) that the log does not have


class OutOfOrder(Exception):
    """A chunk that does not follow the one applied before: going on would corrupt windows, so the worker must stop."""


class Progress(Generic[R]):
    """The offsets of one partition under one generation; on revocation drop it, and late acks go nowhere."""

    def __init__(self, plan: Plan, generation: int) -> None:
        self.plan = plan
        self.generation = generation
        self.expected = plan.start  # the next offset to be let in
        self.applied = plan.start  # all below is in the state
        self._open: deque[Chunk[R]] = deque()
        self._confirmed: set[Chunk[R]] = set()

    def admit(self, records: Sequence[R], generation: int) -> Admission[R]:
        """Judge a fetch: trim what is let in already, doubt what lies too far ahead, split at `publish_from`.

        `generation` is the group's when the fetch came back. A seek back is asked for once: if the log then still
        begins above the expected offset, that is a hole, and is reported with the chunk.
        """
        raise NotImplementedError

    def holds(self, offset: int, dataset: str, series: str) -> bool:
        """True if the restored state contains this reading already; needed only for chunks that are not settled."""
        raise NotImplementedError

    def apply(self, chunk: Chunk[R]) -> None:
        """Say that the chunk is about to change the state; raises `OutOfOrder` unless it is the very next one."""
        raise NotImplementedError

    def confirm(self, chunk: Chunk[R]) -> None:
        """All that the chunk had to publish is confirmed. A chunk of another generation changes nothing."""
        raise NotImplementedError

    @property
    def confirmed(self) -> int:
        """The offset to commit: all flags below are on the topic. The first unconfirmed chunk's start."""
        raise NotImplementedError
