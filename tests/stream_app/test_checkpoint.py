"""When a checkpoint is taken, what is written of it, and when."""

from __future__ import annotations

import pytest

from schemas.errors import TidewatchError
from stream_app.checkpoint import PATIENCE, REWRITE_EVERY, Checkpointer
from stream_app.progress import Chunk, Progress
from stream_app.recovery import Plan, Positions, Recovery
from stream_app.slabs import SLAB_BYTES, Marker, Slab, bucket, decode
from tests.stream_app.broker import Broker, Chains, Reading, recover

SLABS = 4


class Partition:
    """One owner of a partition: series are read, chunk by chunk, and checkpoints written to a broker."""

    def __init__(
        self, broker: Broker | None = None, slabs: int = SLABS, slab_bytes: int = SLAB_BYTES, earliest: int = 0
    ) -> None:
        self.broker = broker or Broker()
        self.state = Chains()
        positions = Positions(earliest, 10_000, self.broker.committed, earliest)
        self.plan: Plan = recover(Recovery(slabs), self.broker).plan(positions).restore(self.state)
        if self.plan.opening is not None:
            self.broker.append(self.plan.opening)
        self.progress: Progress[Reading] = Progress(self.plan, 1)
        self.checkpointer = Checkpointer(self.plan, self.state, slabs, slab_bytes)

    def read(self, *series: str, size: int = 1000, confirm: bool = True) -> Chunk[Reading]:
        """A chunk of a reading of each series."""
        start = self.progress.expected
        readings = [Reading(start + n, "pumps", name, start + n) for n, name in enumerate(series)]
        (chunk,) = self.progress.admit(readings, 1).chunks
        with self.progress.applying(chunk):
            for reading in readings:
                self.state.observe(reading)
        self.checkpointer.touch("pumps", series, size)
        if confirm:
            self.progress.confirm(chunk)
        return chunk

    def write(self) -> tuple[list[Slab], Marker]:
        """Write the checkpoint that was taken, to its end."""
        assert self.checkpointer.ready(self.progress)
        records = self.checkpointer.slabs()
        marker = self.checkpointer.marker([self.broker.append(record) for record in records])
        self.broker.append(marker)
        self.checkpointer.finish()
        slabs, written = [decode(*record) for record in records], decode(*marker)
        assert isinstance(written, Marker)
        return [slab for slab in slabs if isinstance(slab, Slab)], written

    def checkpoint(self) -> tuple[list[Slab], Marker]:
        assert self.checkpointer.take(self.progress)
        return self.write()


def names_in(slab: int, slabs: int = SLABS) -> list[str]:
    """Some series of a slab."""
    return [name for n in range(200) if bucket("pumps", name := f"pump-{n}") % slabs == slab][:5]


A, B, C = (names_in(slab)[0] for slab in range(3))


def test_only_slabs_that_changed_are_written() -> None:
    """The marker names the others with the cover that they had."""
    partition = Partition()
    partition.read(A, B)
    slabs, marker = partition.checkpoint()
    assert [(slab.number, slab.cover) for slab in slabs] == [(0, 2), (1, 2)]
    partition.read(B)
    slabs, marker = partition.checkpoint()
    assert [(slab.number, slab.cover) for slab in slabs] == [(1, 3)]
    assert (marker.start, marker.covers) == (3, {0: 2, 1: 3})


def test_a_checkpoint_is_the_state_at_its_start() -> None:
    """What comes after the copy is not in it, and is in the next one."""
    partition = Partition()
    partition.read(A)
    assert partition.checkpointer.take(partition.progress)
    partition.read(A)
    then, now = dict(partition.state.names()["pumps"]), Chains()
    (slab,), marker = partition.write()
    for dataset, data in slab.states:
        now.restore(dataset, data)
    assert (marker.start, slab.cover) == (1, 1)
    assert now.names()["pumps"] != then
    (slab,), marker = partition.checkpoint()
    assert (marker.start, slab.cover) == (2, 2)


def test_the_next_owner_has_what_the_last_one_wrote() -> None:
    """Load after checkpoint: the same state, the same offset."""
    partition = Partition()
    partition.read(A, B, C, A)
    partition.checkpoint()
    following = Partition(partition.broker)
    assert following.state.names() == partition.state.names()
    assert following.plan.start == 4


def test_slabs_wait_until_all_flags_below_are_confirmed() -> None:
    """Else the next owner would skip readings whose flags were never published."""
    partition = Partition()
    first, second = partition.read(A, confirm=False), partition.read(B, confirm=False)
    assert partition.checkpointer.take(partition.progress)
    for chunk in (second, first):
        assert not partition.checkpointer.ready(partition.progress)
        partition.progress.confirm(chunk)
    assert partition.checkpointer.ready(partition.progress)
    assert len(partition.checkpointer.slabs()) == 2
    assert not partition.checkpointer.ready(partition.progress)


def test_one_at_a_time() -> None:
    """While a checkpoint is being written none is taken, and none twice at the same offset."""
    partition = Partition()
    assert not partition.checkpointer.take(partition.progress)
    partition.read(A)
    assert partition.checkpointer.take(partition.progress)
    partition.read(A)
    assert not partition.checkpointer.take(partition.progress)
    partition.write()
    assert partition.checkpointer.take(partition.progress)


def test_none_within_a_chunk() -> None:
    """While a chunk changes the state, nothing is copied."""
    partition = Partition()
    (chunk,) = partition.progress.admit([Reading(0, "pumps", A, 0)], 1).chunks
    with partition.progress.applying(chunk):
        assert not partition.checkpointer.take(partition.progress)
    assert partition.checkpointer.take(partition.progress)


def test_none_during_a_replay() -> None:
    """While some slab holds more than what is applied, or flags of what is applied are out already."""
    partition = Partition()
    partition.read(A, B, C)
    partition.checkpoint()
    partition.broker.committed = 6
    following = Partition(partition.broker)
    following.read(A, B)
    assert not following.checkpointer.take(following.progress)
    following.read(C)
    assert following.checkpointer.take(following.progress)


def test_nothing_is_written_that_was_not_taken() -> None:
    """That is a fault of the program."""
    partition = Partition()
    partition.read(A)
    assert not partition.checkpointer.ready(partition.progress)
    with pytest.raises(RuntimeError, match="call take first"):
        partition.checkpointer.slabs()


def test_base_is_the_oldest_record_needed() -> None:
    """Loading reads from there: the slab that has not changed for longest."""
    partition = Partition()
    partition.read(A)
    assert partition.checkpoint()[1].base == 1
    partition.read(B)
    assert partition.checkpoint()[1].base == 1
    partition.read(A)
    assert partition.checkpoint()[1].base == 3


def test_an_unchanged_slab_is_written_every_tenth_time() -> None:
    """So the tail that a loader reads stays short; the count goes on under the next owner."""
    partition = Partition()
    partition.read(A, B)
    assert len(partition.checkpoint()[0]) == 2
    written = []
    for n in range(2 * REWRITE_EVERY):
        if n == 5:
            partition = Partition(partition.broker)
        partition.read(B)
        slabs, _ = partition.checkpoint()
        written.append(0 in [slab.number for slab in slabs])
    assert [n for n, was in enumerate(written, start=1) if was] == [REWRITE_EVERY, 2 * REWRITE_EVERY]


def test_a_checkpoint_larger_than_its_input_waits() -> None:
    """But not for ever: log retention must not overtake it."""
    partition = Partition()
    partition.read(*names_in(0))
    partition.checkpoint()
    partition.read(A, size=10)
    assert not partition.checkpointer.take(partition.progress)
    partition.read(A, size=1000)
    assert partition.checkpointer.take(partition.progress)
    partition.write()
    partition.read(A, size=1)
    taken = [partition.checkpointer.take(partition.progress) for _ in range(PATIENCE + 1)]
    assert taken == [False] * PATIENCE + [True]


def test_readings_of_no_series_move_the_start_too() -> None:
    """A chunk of nothing but garbage need not be read again: a marker alone says so."""
    partition = Partition()
    (chunk,) = partition.progress.admit([Reading(0, "pumps", A, 0)], 1).chunks
    with partition.progress.applying(chunk):
        pass
    partition.progress.confirm(chunk)
    slabs, marker = partition.checkpoint()
    assert (slabs, marker.start, marker.covers) == ([], 1, {})
    assert Partition(partition.broker).plan.start == 1


def test_slabs_that_grow_too_large_become_twice_as_many() -> None:
    """All are written anew under the new number, each below the limit, and the next owner goes by it."""
    partition = Partition(slab_bytes=200)
    names = [f"pump-{n}" for n in range(60)]
    partition.read(A)
    partition.checkpoint()
    partition.read(*names)
    slabs, marker = partition.checkpoint()
    assert marker.slabs == 8
    assert all(len(data) <= 200 for slab in slabs for _, data in slab.states)
    following = Partition(partition.broker)
    assert following.plan.slabs == 8
    assert following.state.names() == partition.state.names()
    following.read(A)
    assert following.checkpoint()[1].slabs == 8


def test_a_series_larger_than_a_slab_is_said() -> None:
    """No number of slabs makes it smaller."""
    partition = Partition(slab_bytes=30)
    partition.read(A)
    with pytest.raises(TidewatchError, match=r"lower window\.size"):
        partition.checkpointer.take(partition.progress)


def test_more_slabs_by_the_settings_take_effect() -> None:
    """The first checkpoint writes all under the new number; fewer are not gone back to."""
    partition = Partition()
    partition.read(A, B, C)
    partition.checkpoint()
    more = Partition(partition.broker, slabs=7)
    more.read(A)
    slabs, marker = more.checkpoint()
    assert marker.slabs == 7
    assert {slab.number for slab in slabs} == {bucket("pumps", name) % 7 for name in (A, B, C)}
    fewer = Partition(more.broker, slabs=2)
    assert fewer.state.names() == more.state.names()
    fewer.read(A)
    assert fewer.checkpoint()[1].slabs == 7


def test_a_slab_that_warmed_up_is_written_anew() -> None:
    """Its old record, which reaches too little, must not be met again; even if no reading came since."""
    partition = Partition()
    partition.read(A)
    partition.checkpoint()
    partition.read(A, B)
    partition.checkpoint()
    partition.broker.append(partition.broker.state[1])  # a zombie's
    following = Partition(partition.broker, earliest=2)
    assert following.plan.hole == (1, 2)
    following.read(C)
    following.read(C)
    slabs, _ = following.checkpoint()
    assert [(slab.number, slab.cover) for slab in slabs] == [(0, 4), (2, 4)]
    assert Partition(partition.broker, earliest=2).plan.hole is None


def test_a_series_that_was_dropped_is_dropped_from_its_slab() -> None:
    """Evicted after a reading, it must not come back as it was before that reading."""
    partition = Partition()
    partition.read(A)
    partition.checkpoint()
    partition.read(A)
    del partition.state.chains["pumps"][A]
    partition.checkpoint()
    assert Partition(partition.broker).state.names().get("pumps", {}) == {}


def test_series_that_are_read_and_not_kept_make_their_slab_outdated():
    """What a slab has of them is written over without them, or it would claim to cover readings that it lacks.

    offset    0         1          2
              a kept    passed over, dataset without a release
    slab of a cover 1   cover 2, empty
    """
    partition = Partition()
    partition.read("a")
    partition.checkpoint()
    partition.state.clear()
    (chunk,) = partition.progress.admit([Reading(1, "pumps", "a", 1)], 1).chunks
    with partition.progress.applying(chunk):
        partition.checkpointer.touch("pumps", ["a"], 1000)
    partition.progress.confirm(chunk)
    slabs, marker = partition.checkpoint()
    number = bucket("pumps", "a") % SLABS
    assert [(slab.number, slab.cover, slab.states) for slab in slabs] == [(number, 2, [])]
    assert marker.covers[number] == 2
