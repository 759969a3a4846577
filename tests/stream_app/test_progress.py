"""Which fetches are let in, and what is confirmed. Drawn as offsets; E is the next one expected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.progress import Admission, Chunk, OutOfOrderError, Progress
from stream_app.recovery import Plan
from stream_app.slabs import bucket
from tests.stream_app.broker import Reading

GENERATION = 3


def progress(start: int = 50, publish_from: int = 0, floors: tuple[int, ...] | None = None) -> Progress[Reading]:
    """A partition that was just assigned."""
    floors = floors or (start, start)
    return Progress(Plan(len(floors), floors, {}, publish_from, earliest=0, state_end=0), GENERATION)


def readings(*offsets: int) -> list[Reading]:
    """Records at these offsets."""
    return [Reading(offset, "pumps", "a", 0) for offset in offsets]


def admit(progress: Progress[Reading], *offsets: int) -> Admission[Reading]:
    """A fetch of these offsets, in the right generation."""
    return progress.admit(readings(*offsets), GENERATION)


def offsets(admission: Admission[Reading]) -> list[list[int]]:
    """The offsets of each chunk that was let in."""
    return [[reading.offset for reading in chunk.records] for chunk in admission.chunks]


def only(admission: Admission[Reading]) -> Chunk[Reading]:
    """The one chunk that was let in."""
    (chunk,) = admission.chunks
    return chunk


def applied(progress: Progress[Reading], *offsets: int) -> Chunk[Reading]:
    """A chunk that is let in and in the state."""
    chunk = only(admit(progress, *offsets))
    with progress.applying(chunk):
        pass
    return chunk


def test_what_is_expected_is_let_in() -> None:
    """E=50 ├50 51 52┤ E=53."""
    partition = progress(50)
    chunk = only(admit(partition, 50, 51, 52))
    assert (chunk.start, chunk.end, partition.expected) == (50, 53, 53)


def test_what_was_let_in_before_is_trimmed() -> None:
    """E=53, ├51 52│53 54┤: only the end; a fetch that lies wholly below leaves nothing and changes nothing."""
    partition = progress(53)
    assert admit(partition, 50, 51, 52) == Admission(behind=True)
    assert offsets(admit(partition, 51, 52, 53, 54)) == [[53, 54]]


def test_a_gap_inside_a_chunk_is_no_matter() -> None:
    """Offsets of a compacted or transactional topic are not dense: E is one past the last record."""
    partition = progress(50)
    assert offsets(admit(partition, 50, 57, 58)) == [[50, 57, 58]]
    assert partition.expected == 59


def test_a_fetch_from_too_far_ahead_is_asked_for_again() -> None:
    """E=50, ├80 81┤ was on its way during a rebalance: seek to 50, and what then comes is taken."""
    partition = progress(50)
    assert admit(partition, 80, 81) == Admission(seek=50)
    assert offsets(admit(partition, 50, 51)) == [[50, 51]]


def test_a_hole_is_believed_the_second_time() -> None:
    """E=50, ├80┤, seek, ├80┤ again: the log has nothing from 50 to 80; chunks still tile the offsets."""
    partition = progress(50)
    admit(partition, 80, 81)
    admission = admit(partition, 80, 81, 82)
    assert admission.hole == (50, 80)
    assert (only(admission).start, only(admission).end) == (50, 83)


@pytest.mark.parametrize("stale", [60, 90])
def test_a_hole_is_believed_only_where_it_ends_twice(stale: int) -> None:
    """E=50, ├60┤ or ├90┤ was on its way, seek, ├80┤: is that what the log has? Asked once more, then believed."""
    partition = progress(50)
    assert admit(partition, stale).seek == 50
    assert admit(partition, 80).seek == 50
    assert admit(partition, 80).hole == (50, 80)


def test_each_hole_is_doubted_anew() -> None:
    """That one hole was real says nothing of the next fetch from too far ahead."""
    partition = progress(50)
    admit(partition, 60)
    admit(partition, 60)
    assert admit(partition, 90).seek == 61


def test_another_generation_is_passed_over() -> None:
    """A partition that was lost in between is not this one, whatever its offsets."""
    partition = progress(50)
    assert partition.admit(readings(50), GENERATION + 1) == Admission()
    assert partition.expected == 50


def test_a_chunk_across_the_committed_offset_is_split() -> None:
    """start=50, C=52: ├50 51┤ is applied in silence, ├52 53┤ is published."""
    below, above = admit(progress(50, publish_from=52), 50, 51, 52, 53).chunks
    assert (below.publish, below.end) == (False, 52)
    assert (above.publish, above.start) == (True, 52)


def test_a_commit_in_a_gap_splits_there_too() -> None:
    """C=55 lies where the log has no record: what follows starts where the silent part ended."""
    below, above = admit(progress(50, publish_from=55), 50, 51, 60).chunks
    assert (below.start, below.end, above.start, above.end) == (50, 52, 52, 61)


def test_the_state_is_asked_only_below_the_highest_floor() -> None:
    """A chunk is settled when no slab can hold any of its readings."""
    partition = progress(50, publish_from=51, floors=(50, 54))
    assert [chunk.settled for chunk in admit(partition, 50, 51, 52, 53).chunks] == [False, False]
    assert only(admit(partition, 54)).settled


def test_a_reading_below_its_slabs_floor_is_held_already() -> None:
    """Each series goes by the floor of its own slab."""
    partition = progress(50, floors=(50, 60))
    names = {bucket("pumps", name) % 2: name for name in "abcdef"}
    held = [partition.holds(offset, "pumps", names[slab]) for offset in (50, 59, 60) for slab in (0, 1)]
    assert held == [False, True, False, True, False, False]


def test_chunks_are_applied_in_order_or_not_at_all() -> None:
    """A chunk that is not the next one, or comes twice, stops the worker: going on would falsify windows."""
    partition = progress(50)
    first, second = only(admit(partition, 50, 51)), only(admit(partition, 52))
    with pytest.raises(OutOfOrderError, match="from offset 52 came, 50 is next"), partition.applying(second):
        pass
    with partition.applying(first):
        pass
    with pytest.raises(OutOfOrderError), partition.applying(first):
        pass


def test_a_half_applied_chunk_blocks_all_that_follows() -> None:
    """After a failure within a chunk the state is neither before nor after it."""
    partition = progress(50)
    chunk = only(admit(partition, 50))
    with pytest.raises(RuntimeError), partition.applying(chunk):
        raise RuntimeError
    assert not partition.between_chunks
    with pytest.raises(OutOfOrderError), partition.applying(chunk):
        pass


def test_the_first_unconfirmed_chunk_holds_the_commit() -> None:
    """Confirmations in any order; what may be committed is where the first gap begins."""
    partition = progress(50)
    chunks = [applied(partition, offset) for offset in (50, 51, 52)]
    for confirmed, commit in [(1, 50), (0, 52), (2, 53)]:
        partition.confirm(chunks[confirmed])
        assert partition.confirmed == commit


def test_nothing_below_the_committed_offset_is_committed() -> None:
    """Replay from 50 to C=53 does not take the group back."""
    partition = progress(50, publish_from=53)
    assert partition.confirmed == 53
    partition.confirm(applied(partition, 50, 51))
    assert partition.confirmed == 53


def test_a_late_ack_of_another_generation_does_nothing() -> None:
    """The same offsets, let in again after a rebalance, are another chunk."""
    before, after = progress(50), progress(50)
    old, new = applied(before, 50, 51), applied(after, 50, 51)
    after.confirm(old)
    assert (after.confirmed, after.owns(old), after.owns(new)) == (50, False, True)


@given(st.lists(st.integers(1, 4), min_size=1), st.data())
def test_chunks_tile_the_offsets(gaps: list[int], data: st.DataObject) -> None:
    """However the log is cut into fetches, overlapping or from too far ahead, each reading is let in once, in order."""
    log = [50 + sum(gaps[:n]) for n in range(len(gaps))]
    partition = progress(50, publish_from=data.draw(st.integers(45, log[-1] + 5)))
    let_in, end, admission = [], 50, Admission[Reading]()
    while end <= log[-1]:
        astray = 0 if admission.seek is not None else data.draw(st.integers(-3, 3))  # a seek is answered
        fetch = [offset for offset in log if offset >= partition.expected + astray][: data.draw(st.integers(1, 5))]
        admission = admit(partition, *fetch)
        for chunk in admission.chunks:
            assert chunk.start == end
            end = chunk.end
            let_in += [reading.offset for reading in chunk.records]
            assert {reading.offset >= partition.plan.publish_from for reading in chunk.records} == {chunk.publish}
    assert let_in == log
