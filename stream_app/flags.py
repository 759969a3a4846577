"""The flags on an anomalies topic, as they come: what `watch` and the demo show."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaConnectionError

from schemas.flag import Flag
from stream_app.topics import partition_counts, unreachable

REMEMBERED = 100_000  # ids, against doubles
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Seen:
    """A flag, the very bytes it came as, and when it was published (epoch milliseconds)."""

    flag: Flag
    raw: bytes
    published_ms: int


class Ids:
    """The ids seen last, a bounded number of them."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def is_new(self, window_id: str) -> bool:
        """Whether this one is not among them; from now on it is."""
        if window_id in self._ids:
            return False
        self._ids[window_id] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True


class FlagStream:
    """All partitions of an anomalies topic as one stream, without a consumer group: `async with`, then `async for`.

    Once entered, every flag published from then on will come (all there are, if `from_beginning`), each once: of
    doubles, which delivery at least once brings, the first. A topic that does not exist yet is waited for.
    """

    def __init__(self, options: Mapping[str, Any], topic: str, from_beginning: bool = False) -> None:
        self.topic = topic
        self.unreadable = 0  # records that are no flags
        self._options = options
        self.from_beginning = from_beginning
        self._decode = msgspec.json.Decoder(Flag).decode
        self._ids = Ids()
        self._fetched: deque[Seen] = deque()
        self._assigned = False

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(**self._options, auto_offset_reset="earliest", fetch_max_wait_ms=100)
        try:
            await self._consumer.start()
            if not await self._assign():
                self.from_beginning = True  # whatever a topic has that is made later, is new
        except BaseException as error:
            await self._consumer.stop()
            if isinstance(error, KafkaConnectionError):
                raise await unreachable(self._options) from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Seen:
        """The next flag; waits for ever, and may be cancelled without losing one."""
        while not self._fetched:
            await self._fetch()
        return self._fetched.popleft()

    async def _fetch(self) -> None:
        while not self._assigned and not await self._assign():  # noqa: ASYNC110 -- no one tells of a new topic
            await asyncio.sleep(POLL_SECONDS)
        chunks = (await self._consumer.getmany(timeout_ms=1000)).values()
        seen = [each for records in chunks for record in records if (each := self._read(record))]
        seen.sort(key=lambda each: each.published_ms)  # over partitions, as they were published
        self._fetched.extend(each for each in seen if self._ids.is_new(each.flag.id))

    async def _assign(self) -> bool:
        """Take all partitions of the topic, at their ends or beginnings; False if it does not exist."""
        count = (await partition_counts(self._options)).get(self.topic, 0)
        partitions = [TopicPartition(self.topic, number) for number in range(count)]
        if not partitions:
            return False
        self._consumer.assign(partitions)
        if not self.from_beginning:
            await self._consumer.seek_to_end(*partitions)
        self._assigned = True
        return True

    def _read(self, record: ConsumerRecord) -> Seen | None:
        try:
            return Seen(self._decode(record.value or b""), record.value, record.timestamp)
        except msgspec.DecodeError:
            self.unreadable += 1
            return None
