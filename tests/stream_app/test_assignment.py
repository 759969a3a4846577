"""Partitions as a worker has them: opened, worked on, given up."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest
from aiokafka.structs import TopicPartition

from stream_app.assignment import LogChanged, Opening, RecoveryTimeout, Superseded
from tests.stream_app.assigned import TP, rigged, until
from tests.stream_app.test_partition import Record, reading


def test_only_what_is_confirmed_may_be_committed():
    """Scored, sent, and not yet confirmed is not enough."""

    async def run() -> None:
        async with rigged() as rig:
            opening = await rig.open()
            assert opening == Opening(start=0, committed=0, recommit=False)
            assert rig.assignment.ready
            rig.topics.confirms.clear()
            rig.work_on([reading(offset) for offset in range(8)])
            await until(lambda: len(rig.flagged) == 5)
            assert rig.assignment.committable(TP) == 0
            rig.topics.confirms.set()
            await until(lambda: rig.assignment.committable(TP) == 8)
            rig.assignment.committed({TP: 8})
            assert rig.assignment.commit_age < 5

    asyncio.run(run())


def test_fetching_waits_while_too_much_is_in_flight():
    """And goes on when it is confirmed; giving up makes room as well."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            rig.topics.confirms.clear()
            rig.work_on([reading(offset) for offset in range(50)])
            assert not rig.assignment.has_room.is_set()
            rig.topics.confirms.set()
            await until(rig.assignment.has_room.is_set)
            rig.topics.confirms.clear()
            rig.work_on([reading(offset) for offset in range(50, 100)])
            assert not rig.assignment.has_room.is_set()
            rig.assignment.drop()
            assert rig.assignment.has_room.is_set()

    asyncio.run(run())


@pytest.mark.parametrize(("earliest", "lost"), [(0, False), (3, False), (4, True), (7, True)])
def test_a_hole_is_harmless_unless_the_log_has_lost_its_readings(earliest: int, lost: bool):
    """A transaction's end takes offsets too; where retention cut, the worker stops, and its next start says so."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            rig.let_in([reading(offset) for offset in range(3)])
            assert rig.assignment.admit(TP, [reading(7)], 1).seek == 3
            admission = rig.assignment.admit(TP, [reading(7)], 1)
            rig.earliest, rig.end = earliest, 8
            assert await rig.assignment.agrees(TP, admission, rig.locate) is not lost
            assert rig.ended_by(LogChanged) is lost

    asyncio.run(run())


@pytest.mark.parametrize(("end", "anew"), [(3, False), (9, False), (2, True)])
def test_a_fetch_of_old_offsets_is_harmless_unless_the_log_is_another(end: int, anew: bool):
    """It may have been on its way; but where the log ends before what was read, the topic was made anew."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            rig.let_in([reading(offset) for offset in range(3)])
            admission = rig.assignment.admit(TP, [reading(0), reading(1)], 1)
            assert not admission.chunks
            rig.end = end
            assert await rig.assignment.agrees(TP, admission, rig.locate) is not anew
            assert rig.ended_by(LogChanged) is anew

    asyncio.run(run())


def test_what_a_rebalance_leaves_over_is_dropped_without_a_word():
    """A chunk let in before, a confirmation that comes after, a fetch of the old generation: none does anything."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open(generation=1)
            rig.topics.confirms.clear()
            rig.work_on([reading(offset) for offset in range(8)])
            await until(lambda: len(rig.flagged) == 5)
            left_over = rig.let_in([reading(8)])
            rig.assignment.drop()
            rig.topics.confirms.set()
            rig.committed = None
            opening = await rig.open(generation=2)
            assert opening.start == 0
            for work in left_over:
                rig.assignment.take(work)
            assert not rig.assignment.admit(TP, [reading(0)], 1).chunks
            assert rig.assignment.committable(TP) == 0
            for work in rig.let_in([reading(offset) for offset in range(9)], generation=2):
                rig.assignment.take(work)
            await until(lambda: rig.assignment.committable(TP) == 9)
            assert rig.flagged == [*rig.flagged[:5], *rig.flagged[:5], rig.flagged[-1]]
            assert rig.counted("records_total") == 8 + 9

    asyncio.run(run())


def test_a_new_owner_goes_on_from_the_checkpoint():
    """It reads from before the commit where the checkpoint ends, publishes nothing twice, and its windows are exact."""

    async def run() -> None:
        records = [reading(offset) for offset in range(30)]
        async with rigged() as whole:
            await whole.open()
            whole.work_on(records)
            await until(lambda: whole.assignment.committable(TP) == 30)
        async with rigged() as rig:
            await rig.open()
            rig.work_on(records[:12])
            await until(lambda: rig.assignment.committable(TP) == 12)
            await rig.assignment.checkpoint()
            await until(lambda: len(rig.topics.sent["tidewatch-readings-state"]) >= 3)  # opening, slab, marker
            rig.work_on(records[12:20])
            await until(lambda: rig.assignment.committable(TP) == 20)
            rig.assignment.drop()
            rig.committed = 20
            assert await rig.open(generation=2) == Opening(start=12, committed=20, recommit=False)
            for work in rig.let_in(records[12:], generation=2):
                rig.assignment.take(work)
            await until(lambda: rig.assignment.committable(TP) == 30)
            assert rig.flagged == whole.flagged

    asyncio.run(run())


def test_drift_counts_a_reading_once_whatever_a_rebalance_does_to_it():
    """Not while it is unconfirmed, not when it is replayed; and what was counted stays when the partition has gone."""

    async def run() -> None:
        records = [reading(offset) for offset in range(30)]
        async with rigged() as rig:
            await rig.open()
            rig.work_on(records[:12])
            await until(lambda: rig.assignment.committable(TP) == 12)
            await rig.assignment.checkpoint()
            await until(lambda: len(rig.topics.sent["tidewatch-readings-state"]) >= 3)
            rig.work_on(records[12:20])
            await until(lambda: rig.assignment.committable(TP) == 20)
            rig.topics.confirms.clear()
            rig.work_on(records[20:24])
            await until(lambda: len(rig.flagged) == 21)
            assert await rig.watched("tidewatch_drift_readings") == 20
            rig.assignment.drop()
            rig.topics.confirms.set()
            assert await rig.watched("tidewatch_drift_readings") == 20
            rig.committed = 20
            assert (await rig.open(generation=2)).start == 12
            rig.work_on(records[12:], generation=2)
            await until(lambda: rig.assignment.committable(TP) == 30)
            assert await rig.watched("tidewatch_drift_readings") == 30
            assert await rig.watched("tidewatch_drift_windows") == 27

    asyncio.run(run())


def test_a_partition_that_can_not_publish_does_not_stop_the_others():
    """Its own chunks wait; the other's are fetched, scored, published and confirmed, however many wait there."""

    async def run() -> None:
        async with rigged() as rig:
            other = TopicPartition("readings", 1)
            await rig.open(tps=[TP, other])
            rig.topics.stuck.add(0)
            for offset in range(60):
                rig.work_on([reading(offset)])
            for offset in range(60):
                await until(rig.assignment.has_room.is_set)
                rig.work_on([reading(offset)], tp=other)
            await until(lambda: rig.assignment.committable(other) == 60)
            assert (rig.assignment.committable(TP) or 0) != 60
            assert rig.assignment.hungry({TP, other}) == {other}
            rig.topics.stuck.clear()
            await until(lambda: rig.assignment.committable(TP) == 60)
            assert rig.assignment.hungry({TP, other}) == {TP, other}

    asyncio.run(run())


def test_partitions_dropped_during_a_turn_leave_nothing_behind():
    """The turn ends in the scoring thread, and its outcome goes nowhere; the next owner's turns are played."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            go, begun = Event(), Event()
            blocked = rig.spawn(rig.block(begun, go))
            await until(begun.is_set)
            rig.work_on([reading(offset) for offset in range(8)])
            await until(lambda: rig.assignment.hungry({TP}) == {TP})  # its turn has come
            rig.assignment.drop()
            go.set()
            await blocked
            assert rig.assignment.has_room.is_set()
            await rig.open(generation=2)
            rig.work_on([reading(offset) for offset in range(8)], generation=2)
            await until(lambda: rig.assignment.committable(TP) == 8)
            assert len(rig.flagged) == 5

    asyncio.run(run())


def test_the_age_of_the_last_commit_begins_with_something_to_commit(monkeypatch: pytest.MonkeyPatch):
    """After an hour of silence a reading is not an hour late; whether anybody asks meanwhile does not matter."""

    async def run() -> None:
        async with rigged() as rig:
            clock = [0.0]
            monkeypatch.setattr("stream_app.assignment.monotonic", lambda: clock[0])
            await rig.open()
            clock[0] = 3600.0
            assert rig.assignment.commit_age == 0
            rig.work_on([reading(0)])
            clock[0] = 3610.0
            rig.work_on([reading(1)])
            assert rig.assignment.commit_age == 10
            rig.assignment.committed({TP: 1})
            clock[0] = 3615.0
            assert rig.assignment.commit_age == 5
            rig.assignment.committed({TP: 2})
            clock[0] = 3620.0
            assert rig.assignment.commit_age == 0

    asyncio.run(run())


def test_opening_ends_if_the_group_moves_on():
    """What was loaded for an assignment that is gone is of no use, and must not be put to work."""

    async def run() -> None:
        async with rigged() as rig:
            rig.state_log.answers.clear()
            opening = asyncio.create_task(rig.open())
            await rig.state_log.reached.wait()
            rig.assignment.close()
            rig.state_log.answers.set()
            with pytest.raises(Superseded):
                await opening
            assert not rig.assignment.ready
            assert not rig.assignment.partitions

    asyncio.run(run())


def test_opening_that_takes_too_long_is_an_error():
    """Faust would go on with nothing, for ever."""

    async def run() -> None:
        async with rigged(recovery_timeout_seconds=0.05) as rig:
            rig.state_log.answers.clear()
            with pytest.raises(RecoveryTimeout, match=r"state\.recovery_timeout_seconds"):
                await rig.open()

    asyncio.run(run())


def test_leaving_waits_for_what_is_in_flight():
    """So that the next owner publishes little twice; new chunks are not taken meanwhile."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            rig.topics.confirms.clear()
            rig.work_on([reading(offset) for offset in range(8)])
            await until(lambda: len(rig.flagged) == 5)
            rig.assignment.close()
            leaving = asyncio.create_task(rig.assignment.settle())
            assert not rig.assignment.admit(TP, [reading(8)], 1).chunks
            rig.topics.confirms.set()
            await leaving
            assert rig.assignment.committable(TP) == 8

    asyncio.run(run())


def test_a_dead_letter_its_topic_does_not_take_goes_without_its_value():
    """A bad record stops nothing, however large."""

    async def run() -> None:
        async with rigged() as rig:
            await rig.open()
            rig.topics.most_bytes = 1000
            rig.work_on([Record(0, bytes(5000), b"key"), reading(1)])
            await until(lambda: rig.assignment.committable(TP) == 2)
            (letter,) = rig.topics.sent["letters"]
            assert (letter.key, letter.value) == (b"key", None)
            assert dict(letter.headers)["tidewatch-value-left-out-bytes"] == b"5000"

    asyncio.run(run())
