"""Sending messages at a given rate, or as fast as the broker takes them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice

from aiokafka.partitioner import DefaultPartitioner

from stream_app.outgoing import Message, as_records
from stream_app.publisher import Publisher

MOST_AT_ONCE = 5000
TICK_SECONDS = 0.01


async def send_paced(
    publisher: Publisher, topic: str, messages: Iterable[Message], rate: float | None, sent: Callable[[int], None]
) -> None:
    """Send messages in order at `rate` a second (None: no limit); `sent` hears how many more are confirmed.

    Each goes to the partition of its key, as Java's clients choose it. Raises SendFailed if no broker takes them.
    """
    waiting, began, count = iter(messages), time.monotonic(), 0
    partitions = await publisher.partitions(topic)
    while True:
        due = MOST_AT_ONCE if rate is None else int((time.monotonic() - began) * rate) + 1 - count
        if due <= 0:
            await asyncio.sleep(max(TICK_SECONDS, -due / rate) if rate else 0)
            continue
        chunk = list(islice(waiting, min(due, MOST_AT_ONCE)))
        if not chunk:
            return
        await _send(publisher, topic, chunk, partitions)
        count += len(chunk)
        sent(len(chunk))


async def _send(publisher: Publisher, topic: str, chunk: list[Message], partitions: int) -> None:
    by_partition = defaultdict(list)
    for message in chunk:
        by_partition[partition_of(message.key, partitions)].append(message)
    await asyncio.gather(*(publisher.send(topic, number, as_records(part)) for number, part in by_partition.items()))


@lru_cache(maxsize=200_000)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2, as in Kafka's own clients."""
    numbers = list(range(partitions))
    number: int = DefaultPartitioner()(key, numbers, numbers)
    return number
