"""Faust's Kafka transport with one event per fetched chunk of a partition, instead of one per record.

Faust spends some 50 us on an event, where decoding a reading costs half a one. Groups, rebalancing, heartbeats,
commits and the web server stay Faust's and aiokafka's. What differs: a fetch is cut into chunks that the assignment
lets in, the assignment says where to read from after a rebalance and what may be committed, and Faust's own producer
is idle.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.tables.recovery import RebalanceAgain
from faust.transport import drivers
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream_app.assignment import Assignment, LogPosition, Superseded
from stream_app.batches import Record, read_by_batch
from stream_app.engine import Engine
from stream_app.turn import Work

SCHEME = "tidewatch"
ENDS_SECONDS = 2.0  # then where logs end is not known
COMMIT_SECONDS = 2.0  # on leaving a partition; longer would hold the group up
IDLE_SECONDS = 0.1
METADATA_SECONDS = 10.0  # after that a topic made anew, or with more partitions, is noticed
BUSY_SECONDS = 0.005  # a wait for some partitions, that soon the others may join
log = logging.getLogger(__name__)
FAUST = logging.getLogger("faust.tidewatch")  # Faust's own words about the services below, as quiet as Faust

Fetch = Mapping[TP, list[list[Record]]]  # record batches of each partition


def register() -> None:
    """Make brokers of the form tidewatch://host:port use this transport."""
    drivers.TRANSPORTS.aliases[SCHEME] = f"{__name__}:Transport"


class Served(Protocol):
    """The Faust app that the transport serves."""

    engine: Engine


class ChunkSchema(faust.Schema[None, Work]):
    """Hands a chunk on as it is: it is decoded where it is scored."""

    def loads_key(self, *_: Any, **__: Any) -> None:
        """None: a chunk has many."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        """The chunk."""
        return message.value


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in its own thread and event loop: scoring never delays a heartbeat."""

    logger = FAUST

    async def on_start(self) -> None:
        """Start the consumer, and read its fetches by whole record batches."""
        await super().on_start()
        read_by_batch(self._ensure_consumer(), cast(Served, self.app).engine.metrics.observe_fetch)

    async def on_thread_stop(self) -> None:
        """Stop the consumer; where aiokafka trips over its own cancelled fetch, Faust would wait for us in vain."""
        try:
            await super().on_thread_stop()
        except (asyncio.CancelledError, KafkaError) as error:
            log.debug("the consumer was left behind: %r", error)

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        engine = cast(Served, self.app).engine
        kafka = engine.settings.kafka
        return AIOKafkaConsumer(
            **engine.options,
            group_id=kafka.group,
            group_instance_id=kafka.group_instance_id,
            session_timeout_ms=round(kafka.session_timeout_seconds * 1000),
            heartbeat_interval_ms=round(kafka.heartbeat_seconds * 1000),
            fetch_max_wait_ms=kafka.fetch_wait_milliseconds,
            metadata_max_age_ms=round(METADATA_SECONDS * 1000),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
        )

    async def seek_all(self, offsets: Mapping[TP, int]) -> None:
        """Set the positions; raises IllegalStateError if a partition is not ours any more."""
        await self.call_thread(self._seek_all, offsets)

    async def _seek_all(self, offsets: Mapping[TP, int]) -> None:
        for tp, offset in offsets.items():
            self._ensure_consumer().seek(tp, offset)

    async def positions(self, tps: Iterable[TP]) -> dict[TP, LogPosition]:
        """Where the log and the group stand, by the brokers."""
        found: dict[TP, LogPosition] = await self.call_thread(self._positions, list(tps))
        return found

    async def _positions(self, tps: list[TP]) -> dict[TP, LogPosition]:
        consumer = self._ensure_consumer()
        earliest, end = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        committed = await consumer._coordinator.fetch_committed_offsets(tps)
        return {tp: LogPosition(earliest[tp], end[tp], _offset(committed.get(tp))) for tp in tps}

    async def log_ends(self, tps: Iterable[TP]) -> dict[TP, int]:
        """Where the logs end, by the brokers; raises KafkaError or TimeoutError."""
        found: dict[TP, int] = await self.call_thread(self._log_ends, list(tps))
        return found

    async def _log_ends(self, tps: list[TP]) -> dict[TP, int]:
        async with asyncio.timeout(ENDS_SECONDS):
            return dict(await self._ensure_consumer().end_offsets(tps))

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False if the group has moved on, then the next owner reads those chunks again."""
        try:
            await self._ensure_consumer().commit(
                {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
            )
        except (CommitFailedError, IllegalStateError):
            return False
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: commit lag and the age of the last commit are metrics."""


def _offset(committed: OffsetAndMetadata | None) -> int | None:
    return committed.offset if committed is not None and committed.offset >= 0 else None


class Consumer(driver.Consumer):
    """Faust's consumer, over an assignment that keeps the offsets."""

    logger = FAUST
    _thread: ConsumerThread

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def work(self) -> Assignment:
        """The partitions that this worker has."""
        return cast(Served, self.app).engine.assignment

    # -- a new assignment

    async def perform_seek(self) -> None:
        """Load the state of all assigned partitions and start reading where it ends; part of Faust's recovery.

        Raises RebalanceAgain if the group moved on meanwhile.
        """
        generation, tps = self.app.consumer_generation_id, sorted(self.assignment())
        try:
            opened = await self.work.open(tps, generation, self._thread.positions)
            await self._recommit({tp: opening.committed for tp, opening in opened.items() if opening.recommit})
            self._read_offset.clear()
            self._committed_offset.update({tp: opening.committed for tp, opening in opened.items()})
            await self._thread.seek_all({tp: opening.start for tp, opening in opened.items()})
        except (Superseded, IllegalStateError):
            raise RebalanceAgain from None
        if generation != self.app.consumer_generation_id:
            raise RebalanceAgain

    async def _recommit(self, offsets: Mapping[TP, int]) -> None:
        """Once a log made anew is as long as the old one was, nobody can tell its offsets from those of the old one."""
        if offsets and not await self._thread.commit(offsets):
            raise Superseded

    async def log_ends(self) -> Mapping[TP, int]:
        """Where the logs of the partitions end: aiokafka's own knowledge stands still where nothing is fetched."""
        return await self._thread.log_ends(self.work.partitions)

    # -- fetching

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 -- Faust's
        """Fetch, and give one message per chunk, partitions in turn."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        await self.wait(self.work.has_room.wait())
        active = self._get_active_partitions()
        hungry = self.work.hungry(active)
        if not hungry:
            await self.sleep(BUSY_SECONDS if active else IDLE_SECONDS)
            return
        fetch: Fetch = await self._getmany(hungry, timeout if hungry == active else BUSY_SECONDS)
        # Only now: a fetch that was on its way during a rebalance comes back after it.
        generation = self.app.consumer_generation_id
        refused: set[TP] = set()
        for tp, records in in_turn(fetch, self.work.chunk_records):
            if not self.flow_active or self.should_stop:
                return
            if tp not in refused and generation == self.app.consumer_generation_id:
                for message in await self._let_in(tp, records, generation, refused):
                    yield tp, message

    async def _let_in(self, tp: TP, records: list[Record], generation: int, refused: set[TP]) -> list[ConsumerMessage]:
        admission = self.work.admit(tp, records, generation)
        if admission.seek is not None:
            refused.add(tp)
            await self._seek_back(tp, admission.seek)
        messages = [self._message(tp, self.work.work(tp, chunk), generation) for chunk in admission.chunks]
        return messages if await self.work.agrees(tp, admission, self._thread.positions) else []

    async def _seek_back(self, tp: TP, offset: int) -> None:
        try:
            await self._thread.seek_all({tp: offset})
        except IllegalStateError:
            self.log.debug("%s is not ours any more", tp)

    def _message(self, tp: TP, work: Work, generation: int) -> ConsumerMessage:
        value: Any = work
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            work.chunk.start,
            timestamp=0.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=value,
            checksum=None,
            tp=tp,
            generation_id=generation,
        )

    # -- what may be committed

    def ack(self, message: Any) -> bool:
        """Nothing: the assignment confirms chunks, by themselves and not by their offsets."""
        return False

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self.work.partitions if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self.work.committable(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: chunks tile the offsets."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        did: bool = await super()._commit(offsets)
        if did:
            self.work.committed(offsets)
        return did

    # -- giving partitions up

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Publish and commit what is in flight, within bounds, and forget everything: all is revoked every time."""
        await self._leave()
        await super().on_partitions_revoked(revoked)

    async def on_stop(self) -> None:
        """Publish and commit what is in flight, within bounds."""
        await self._leave()
        await super().on_stop()

    async def commit_and_end_transactions(self) -> None:
        """Nothing: `_leave` has committed."""

    async def _leave(self) -> None:
        self.work.close()
        await self.work.settle()
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self.maybe_wait_for_commit_to_finish()
                await self.commit()
        except TimeoutError:
            log.warning("offsets not committed within %g s: their readings are read again", COMMIT_SECONDS)
        finally:
            self.work.drop()


class Producer(driver.Producer):
    """Faust's producer, never connected: ours sends whole batches, and outlives Faust's shutdown."""

    logger = FAUST

    async def on_start(self) -> None:
        """Nothing to start."""


class Transport(driver.Transport):
    """Kafka by chunks."""

    Consumer = Consumer
    Producer = Producer


def in_turn(fetch: Fetch, most: int) -> Iterator[tuple[TP, list[Record]]]:
    """Pieces of at most `most` records, a piece of each partition in turn, so that none waits for another's backlog."""
    waiting = {tp: _pieces(batches, most) for tp, batches in fetch.items()}
    while waiting:
        for tp, pieces in list(waiting.items()):
            piece = next(pieces, None)
            if piece is None:
                del waiting[tp]
            else:
                yield tp, piece


def _pieces(batches: list[list[Record]], most: int) -> Iterator[list[Record]]:
    records = list(chain.from_iterable(batches))
    return (records[start : start + most] for start in range(0, len(records), most))
