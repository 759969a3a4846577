"""What a new owner makes of a state partition. Drawn as: slab covers, the marker's start S, the committed offset C."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.recovery import Plan, Positions, Recovery
from stream_app.slabs import MARKER_KEY, Marker, Record, Slab, decode, encode
from tests.stream_app.broker import Broker, Chains, Reading, recover


def at(earliest: int = 0, end: int = 1000, committed: int | None = None, opening: int = 0) -> Positions:
    """Where log and group stand: all is kept and nothing committed, unless said otherwise."""
    return Positions(earliest, end, committed, opening)


def slab(number: int, cover: int, count: int = 4) -> Slab:
    """A slab without data."""
    return Slab(count, number, 1, cover, [])


def marker(start: int, base: int, covers: dict[int, int], count: int = 4) -> Marker:
    """The first checkpoint's marker."""
    return Marker(count, 1, start, base, covers)


def plan(positions: Positions, *contents: Slab | Marker | Record) -> Plan:
    """The plan from these records, in this order."""
    broker = Broker()
    for content in contents:
        broker.append(content if isinstance(content, Record) else encode(content))
    return recover(Recovery(slabs=4), broker).plan(positions)


@pytest.mark.parametrize("opening", [0, 700])
def test_a_first_start_is_written_down(opening: int) -> None:
    """Nothing known, nothing committed: start where told, and say so in a marker before reading."""
    first = plan(at(opening=opening))
    assert (first.start, first.publish_from, first.floors) == (opening, opening, (opening,) * 4)
    assert first.opening is not None
    again = plan(at(end=2000, opening=1999), first.opening)
    assert (again.start, again.publish_from, again.opening) == (opening, opening, None)


def test_a_commit_without_a_checkpoint_reads_all_again() -> None:
    """Windows need what lies below C, so the log is read from its beginning, silently up to C."""
    lost = plan(at(earliest=10, committed=400))
    assert (lost.start, lost.publish_from) == (10, 400)
    assert lost.opening is not None
    assert "committed but there is no checkpoint" in lost.warnings[0]


def test_each_slab_is_good_as_far_as_it_and_the_marker_agree() -> None:
    """A record that the marker means is good up to S, any other as far as it covers itself.

    slab 0   ├──────30      named 30: nothing of it came from 30 to S        good to 80
    slab 1   ├────────50    named 60, but a zombie wrote 50 over it          good to 50
    slab 2   ├─────────────90   written after the marker                     good to 90
    slab 3   not there, not named: it had no series below S                  good to 80
    """
    found = plan(at(committed=85), slab(0, 30), slab(1, 60), marker(80, 0, {0: 30, 1: 60}), slab(1, 50), slab(2, 90))
    assert found.floors == (80, 50, 90, 80)
    assert (found.start, found.publish_from, found.settled) == (50, 85, 90)
    assert found.warnings == ()


def test_without_a_commit_the_marker_says_from_where_to_publish() -> None:
    """All flags below S are confirmed, else there would be no marker: C is S."""
    assert plan(at(), marker(80, 0, {})).publish_from == 80


def test_a_slab_that_is_named_and_missing_is_read_again() -> None:
    """Its series are in the log only: from the very beginning, and its record is to be written anew."""
    found = plan(at(committed=80), slab(0, 30), marker(80, 0, {0: 30, 1: 60}))
    assert found.floors == (80, 0, 80, 80)
    assert found.stale == {1}


def test_garbage_over_the_marker_costs_only_time() -> None:
    """Without a marker each slab still speaks for itself; what has none is read from the beginning."""
    garbage = Record(MARKER_KEY, b"what is this?")
    found = plan(at(committed=80), slab(0, 30), slab(1, 60), garbage)
    assert found.floors == (30, 60, 0, 0)
    assert found.publish_from == 80
    assert "passed over: 1, such as offset 2: format 119 is unknown" in found.warnings[0]


def test_a_zombies_marker_only_lengthens_the_replay() -> None:
    """An older marker, arriving last, names covers that are gone: the slabs go by their own."""
    found = plan(at(committed=90), slab(0, 70), slab(1, 60), marker(80, 0, {0: 70, 1: 60}), marker(50, 0, {0: 40}))
    assert found.floors == (70, 60, 50, 50)


def test_slabs_of_another_number_do_not_count() -> None:
    """When the number of slabs changed, those of the marker's number are the checkpoint."""
    found = plan(at(committed=90), slab(0, 70), slab(5, 60, count=8), marker(80, 1, {5: 60}, count=8))
    assert found.slabs == 8
    assert found.floors == (80,) * 8
    assert list(found.stored) == [5]


@given(st.permutations(range(7)), st.integers(0, 6))
def test_the_order_of_reading_does_not_matter(order: list[int], twice: int) -> None:
    """Records may be read in any order, and again."""
    records = [slab(0, 30), slab(1, 60), slab(1, 50), slab(2, 90), slab(2, 85)]
    encoded = [*map(encode, records), encode(marker(80, 0, {0: 30, 1: 60})), Record(b"slab/4/3", b"garbage")]
    recovery = Recovery(slabs=4)
    for offset in (*order, twice):
        recovery.add(offset, *encoded[offset])
    assert recovery.plan(at(committed=85)).floors == (80, 50, 85, 80)


def test_only_the_tail_is_read() -> None:
    """From the end back to a marker, then to its base: not the thousand records before."""
    broker = Broker()
    for number in range(2000):
        broker.append(encode(slab(0, number)))
    broker.append(encode(slab(1, 2000)))
    for number in range(300):
        broker.append(encode(slab(2, 2000 + number)))
    broker.append(encode(marker(2300, 1999, {0: 1999, 1: 2000, 2: 2299})))
    for number in range(100):
        broker.append(encode(slab(3, 2300 + number)))
    read: list[int] = []

    class Counting(Recovery):
        def add(self, offset: int, key: bytes | None, value: bytes | None) -> None:
            read.append(offset)
            super().add(offset, key, value)

    found = recover(Counting(slabs=4), broker).plan(at(end=3000, committed=2300))
    assert found.floors == (2300, 2300, 2300, 2399)
    assert sorted(read) == list(range(1999, broker.state_end))


def test_a_hole_warms_up_what_it_concerns_and_says_so() -> None:
    """Its slab is of no use and is to be written anew; the others are as they were.

    log             40├──────────
    slab 0   ├────30 named 20: its readings from 30 to 40 are gone, what it has is of no use
    slab 1   ├──────────60       is whole
    """
    found = plan(at(earliest=40, committed=80), slab(0, 30), slab(1, 60), marker(70, 0, {0: 20, 1: 60}))
    assert found.floors == (40, 70, 70, 70)
    assert found.hole == (30, 40)
    assert list(found.stored) == [1]
    assert found.stale == {0}
    assert "needs it from 30: 1 of 4 slabs of series warm up again" in found.warnings[0]


@pytest.mark.parametrize("committed", [None, 20, 500])
def test_readings_that_end_before_their_checkpoint_are_another_log(committed: int | None) -> None:
    """A topic made anew has nothing to do with the old one's state: all starts anew, and the old is out of the way."""
    old = slab(0, 300), marker(400, 0, {0: 300})
    fresh = plan(at(end=50, committed=committed), *old)
    assert (fresh.start, fresh.publish_from, dict(fresh.stored)) == (0, 0, {})
    assert "the readings end at offset 50" in fresh.warnings[0]
    assert fresh.opening is not None
    assert fresh.recommit is (committed is not None)
    later = plan(at(end=1000), *old, fresh.opening)
    assert (later.floors, dict(later.stored)) == ((0,) * 4, {})


def chains(*series: str) -> Chains:
    """A state after one reading of each series."""
    state = Chains()
    for value, name in enumerate(series):
        state.observe(Reading(value, "pumps", name, value))
    return state


def packed(state: Chains) -> list[tuple[str, bytes]]:
    """All of it, as a slab has it."""
    return [("pumps", state.snapshot("pumps", list(state.names()["pumps"])))]


def test_restore_fills_the_state_and_lets_go_of_the_bytes() -> None:
    """After it the state has what the slabs hold, nothing that was there before, and the plan is light."""
    slabs = Slab(4, 0, 1, 30, packed(chains("a"))), Slab(4, 1, 1, 60, packed(chains("b", "c")))
    state = chains("left from before")
    found = plan(at(committed=60), *slabs, marker(60, 0, {0: 30, 1: 60})).restore(state)
    assert sorted(state.names()["pumps"]) == ["a", "b", "c"]
    assert [stored.states for stored in found.stored.values()] == [[], []]


def test_a_slab_that_can_not_be_restored_is_read_again() -> None:
    """Nothing of it stays in the state, though its first dataset could be read; the other slabs are as they were."""
    broken = Slab(4, 0, 1, 30, [*packed(chains("a")), ("pumps", b"of another version")])
    whole = Slab(4, 1, 1, 60, packed(chains("b")))
    state = Chains()
    found = plan(at(committed=60), broken, whole, marker(60, 0, {0: 30, 1: 60})).restore(state)
    assert list(state.names()["pumps"]) == ["b"]
    assert found.floors == (0, 60, 60, 60)
    assert found.stale == {0}
    assert "slab 0 can not be restored" in found.warnings[0]


def test_what_can_not_be_restored_nor_read_again_is_a_hole() -> None:
    """Then its series warm up from where the log begins, and the hole is said."""
    broken = Slab(4, 0, 1, 60, [("pumps", b"of another version")])
    found = plan(at(earliest=40, committed=60), broken, marker(60, 0, {0: 60})).restore(Chains())
    assert found.floors == (40, 60, 60, 60)
    assert found.hole == (0, 40)


def test_an_opening_marker_is_a_marker() -> None:
    """It names no slab, starts at the beginning, and nothing written before it counts."""
    first = plan(at(opening=7), Record(b"slab/4/0", b"garbage"))
    assert first.opening is not None
    assert decode(*first.opening) == Marker(slabs=4, checkpoint=0, start=7, base=1, covers={})
