"""Taking checkpoints of a partition, without I/O, clock or Faust.

The invariants of `slabs`, `recovery`, `progress` and this module. From them it follows that windows are exact and that
no flag is missing, whoever dies when:

1. A slab contains exactly the readings of its series below its cover.
2. All flags of readings below a cover, or below a committed offset, are confirmed on the anomalies topic.
3. A marker's start claims only what its slabs can bear: no reading of slab k lies from its cover up to the start.
4. A new owner skips a reading only if its slab contains it, and is silent only below the committed offset.
5. Chunks tile the offsets; an owner confirms and commits only chunks that it was given in this generation.

None of them needs the old owner to be dead: what a zombie writes late is still true, so it only lengthens the replay.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from schemas.errors import TidewatchError
from stream_app.progress import Progress
from stream_app.recovery import Plan, SeriesState
from stream_app.slabs import MOST_SLABS, SLAB_BYTES, Marker, Record, Slab, bucket, encode

PATIENCE = 20  # a checkpoint larger than the input since the last is put off at most so often
REWRITE_EVERY = 10  # checkpoints after which an unchanged slab is written again: bounds the tail that a loader reads

Members = dict[int, dict[str, list[str]]]  # slab number -> dataset -> series


@dataclass(frozen=True)
class Written:
    """The last record of a slab: what it covers, and where it stands in the state topic."""

    checkpoint: int
    cover: int
    offset: int


@dataclass
class Copy:
    """The state of some slabs at `start`, to be written when all flags below are confirmed."""

    start: int
    slabs: list[Slab]
    sent: bool = False


class Checkpointer:
    """The checkpoints of one partition under one generation, one at a time.

    Driven so:

        checkpointer.touch(dataset, series, size)   # after every chunk, for every dataset in it
        checkpointer.take(progress)                 # every state.checkpoint_seconds
        if checkpointer.ready(progress):            # at any later moment, when flags were confirmed
            offsets = send(checkpointer.slabs())    # all confirmed, at these state offsets
            send([checkpointer.marker(offsets)])    # confirmed
            checkpointer.finish()
    """

    def __init__(self, plan: Plan, state: SeriesState, slabs: int, slab_bytes: int = SLAB_BYTES) -> None:
        """`state` is restored by `plan`; `slabs` is the configured number, used if the checkpoint has fewer."""
        self._slab_bytes = slab_bytes
        self._plan = plan
        self._state = state
        self._count = max(plan.slabs, slabs)
        same = self._count == plan.slabs
        self._stale = plan.stale if same else frozenset()
        self._written = {n: Written(s.checkpoint, s.cover, s.offset) for n, s in plan.stored.items()} if same else {}
        self._state_end = plan.state_end
        self._checkpoint = plan.checkpoint
        self._last = plan.start
        self._touched: set[int] = set()  # slab numbers, not names: strangers can make up any number of those
        self._sizes: dict[int, int] = {}
        self._input = 0
        self._put_off = 0
        self._copy: Copy | None = None

    @property
    def pending(self) -> bool:
        """A checkpoint is taken and not finished."""
        return self._copy is not None

    def touch(self, dataset: str, series: Collection[str], size: int) -> None:
        """These series have readings, kept or not, that no slab has yet; `size` bytes were read for it."""
        if len(self._touched) < self._count:  # else it is known of all
            self._touched.update(bucket(dataset, name) % self._count for name in series)
        self._input += size

    def take(self, progress: Progress[Any]) -> bool:
        """Copy what changed, if it is allowed now, worth its bytes, and no checkpoint is pending."""
        if self.pending or not progress.between_chunks or not self._may_take(progress):
            return False
        members = self._members()
        chosen = self._changed(members) | self._unwritten_for_long()
        if not self._is_worth(chosen):
            self._put_off += 1
            return False
        self._checkpoint += 1
        self._copy = Copy(progress.applied, self._pack(progress.applied, members, chosen))
        self._touched.clear()
        self._input = self._put_off = 0
        return True

    def _may_take(self, progress: Progress[Any]) -> bool:
        """Not before the replay is over: until then some slabs hold more than what is applied."""
        return progress.applied >= self._plan.settled and progress.applied > self._last

    def _members(self) -> Members:
        members: Members = defaultdict(lambda: defaultdict(list))
        for dataset, names in self._state.names().items():
            for name in names:
                members[bucket(dataset, name) % self._count][dataset].append(name)
        return members

    def _changed(self, members: Members) -> set[int]:
        """The slabs that have no record, or a series that was touched since."""
        return self._touched | ((members.keys() | self._stale) - self._written.keys())

    def _unwritten_for_long(self) -> set[int]:
        due = self._checkpoint + 1 - REWRITE_EVERY
        return {number for number, written in self._written.items() if written.checkpoint <= due}

    def _is_worth(self, chosen: set[int]) -> bool:
        cost = sum(self._sizes.get(number, 0) for number in chosen)
        return self._input >= cost or self._put_off >= PATIENCE

    def _pack(self, cover: int, members: Members, chosen: set[int]) -> list[Slab]:
        """Copies of the chosen slabs; if one would be too large for a message, of all, in twice as many slabs."""
        slabs = [self._snapshot(number, cover, members.get(number, {})) for number in sorted(chosen)]
        self._sizes.update((slab.number, _size(slab)) for slab in slabs)
        if all(_size(slab) <= self._slab_bytes for slab in slabs):
            return slabs
        if self._count * 2 > MOST_SLABS:
            raise TidewatchError(
                f"a checkpoint of {self._count} slabs still has one over {self._slab_bytes} bytes; "
                "lower window.size or the number of features, or spread the series over more partitions"
            )
        self._count *= 2
        self._written, self._sizes, self._stale = {}, {}, frozenset()
        members = self._members()
        return self._pack(cover, members, set(members))

    def _snapshot(self, number: int, cover: int, members: dict[str, list[str]]) -> Slab:
        states = [(dataset, self._state.snapshot(dataset, names)) for dataset, names in members.items()]
        return Slab(self._count, number, self._checkpoint, cover, states)

    def ready(self, progress: Progress[Any]) -> bool:
        """A copy is taken and not yet sent, and all flags below it are confirmed: it is to be written now.

        Before that a new owner would skip readings whose flags were never published.
        """
        return self._copy is not None and not self._copy.sent and progress.confirmed >= self._copy.start

    def slabs(self) -> list[Record]:
        """The slabs to send, if `ready`; there may be none, then the marker alone moves the start."""
        copy = self._copied()
        copy.sent = True
        return [encode(slab) for slab in copy.slabs]

    def marker(self, offsets: list[int]) -> Record:
        """The marker to send when all slabs are confirmed, `offsets` in the order of the records."""
        copy = self._copied()
        for slab, offset in zip(copy.slabs, offsets, strict=True):
            self._written[slab.number] = Written(slab.checkpoint, slab.cover, offset)
            self._state_end = max(self._state_end, offset + 1)
        covers = {number: written.cover for number, written in self._written.items()}
        return encode(Marker(self._count, self._checkpoint, copy.start, self._base(), covers))

    def _base(self) -> int:
        """The lowest state offset that a loader needs."""
        return min((written.offset for written in self._written.values()), default=self._state_end)

    def finish(self) -> None:
        """The marker is confirmed: the next checkpoint may be taken."""
        self._last = self._copied().start
        self._copy = None

    def _copied(self) -> Copy:
        if self._copy is None:
            raise RuntimeError("no checkpoint was taken, there is nothing to write; call take first")
        return self._copy


def _size(slab: Slab) -> int:
    """The bytes of its value, but for a hundred of framing."""
    return sum(len(dataset) + len(data) + 16 for dataset, data in slab.states)
