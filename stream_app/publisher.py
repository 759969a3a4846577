"""Sending in order, with confirmation: a send that fails is tried again until it is confirmed or time is up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from time import time
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from schemas.errors import TidewatchError
from stream_app.record_batch import RecordBatch, Records

log = logging.getLogger(__name__)

BATCH_BYTES = 950_000  # as few requests as there can be, below the brokers' usual limit of 1 MB
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
CLOSE_SECONDS = 3.0


class SendFailed(TidewatchError):
    """Messages could not be published in time: names topic, partition and the last error."""


class TooLarge(SendFailed):
    """One message alone is over the topic's limit."""


class Publisher:
    """An idempotent producer, made anew after an error: its sequence numbers are of no use then.

    Calls for one partition must not overlap, or their order is not kept.
    """

    def __init__(self, options: Mapping[str, Any], timeout_seconds: float) -> None:
        """`options` are those of every aiokafka client; a call of `send` takes at most `timeout_seconds`."""
        self._options = options
        self._timeout = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect."""
        self._producer = await self._connected()

    async def stop(self) -> None:
        """Disconnect; what is not confirmed by now may be lost, and was never acknowledged."""
        if self._producer is not None:
            self._retire(self._producer)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        producer = await self._current()
        return len(await producer.partitions_for(topic))

    async def send(self, topic: str, partition: int, records: Records) -> list[int]:
        """Send in order and give the offset of each when all are confirmed; SendFailed if time is up.

        After an error all from the first unconfirmed record on are sent again: doubles, but never out of order.
        """
        attempt = _Attempt(topic, partition, records)
        try:
            async with asyncio.timeout(self._timeout):
                await self._until_confirmed(attempt)
        except TimeoutError:
            raise SendFailed(
                f"topic '{topic}' partition {partition} did not confirm {len(records)} messages within "
                f"{self._timeout:g} s ({attempt.last_error or 'no answer'}); see that its brokers are well and it may "
                "be written to, or raise kafka.send_timeout_seconds"
            ) from None
        return attempt.offsets

    async def _until_confirmed(self, attempt: _Attempt) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not attempt.done:
            producer = await self._current()
            try:
                await attempt.make(producer)
            except KafkaError as error:
                attempt.failed(error)
                log.warning("sending to %s/%d failed, trying again: %r", attempt.topic, attempt.partition, error)
                await self._renew(producer)
                if not isinstance(error, MessageSizeTooLargeError):  # a smaller batch need not wait for better times
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _current(self) -> AIOKafkaProducer:
        while self._producer is None:
            await self._renew(None)
        return self._producer

    async def _renew(self, failed: AIOKafkaProducer | None) -> None:
        """Replace the producer, unless another partition's failure has done so already."""
        async with self._renewing:
            if self._producer is not failed:
                return
            if failed is not None:
                self._producer = None
                self._retire(failed)
            try:
                self._producer = await self._connected()
            except KafkaError as error:
                log.warning("no broker to publish to: %r", error)
                await asyncio.sleep(FIRST_PAUSE_SECONDS)

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._options, enable_idempotence=True, acks="all", linger_ms=0)
        try:
            await producer.start()
        except BaseException:
            self._retire(producer)
            raise
        return producer

    def _retire(self, producer: AIOKafkaProducer) -> None:
        """Close in the background: it would wait for what can not be sent."""
        task = asyncio.create_task(_close(producer))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer.stop()
    except (TimeoutError, KafkaError) as error:
        log.debug("a producer was left behind: %r", error)


class _Attempt:
    """Records on their way to one partition: which are confirmed, and how many a batch may have."""

    def __init__(self, topic: str, partition: int, records: Records) -> None:
        self.topic = topic
        self.partition = partition
        self.offsets: list[int] = []
        self.last_error: BaseException | None = None
        self._records = records
        self._most = max(1, len(records))  # a batch; halved when the topic finds a batch too large

    @property
    def done(self) -> bool:
        """All records are confirmed."""
        return len(self.offsets) == len(self._records)

    async def make(self, producer: AIOKafkaProducer) -> None:
        """Send what is not confirmed, batch by batch; raises the error of the first that failed.

        One at a time: a producer sends, even when it is closed, what it was given after a batch that failed, and a
        broker that knows nothing of the producer yet takes it. aiokafka has one batch of a partition on its way anyway.
        """
        while not self.done:
            sent = len(self.offsets)
            count = min(self._records.fitting(sent, BATCH_BYTES), self._most)
            batch = RecordBatch(self._records.part(sent, sent + count), int(time() * 1000))
            confirmation = await producer.send_batch(batch, self.topic, partition=self.partition)
            metadata: RecordMetadata = await confirmation
            if metadata.offset < 0:  # the broker has it, but has forgotten where
                raise KafkaError("the broker confirmed a batch without its offset")
            self.offsets += range(metadata.offset, metadata.offset + count)

    def failed(self, error: KafkaError) -> None:
        """Learn from an error; raises TooLarge if smaller batches would not help."""
        self.last_error = error
        if not isinstance(error, MessageSizeTooLargeError):
            return
        if self._most == 1:
            size = self._records.sizes[len(self.offsets)]
            raise TooLarge(f"topic '{self.topic}' takes no message of {size} bytes; raise its max.message.bytes")
        self._most = max(1, self._most // 2)
