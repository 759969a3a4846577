"""Reading checkpoints: the tail of a state topic's partition, from the end backwards until it is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from stream_app.recovery import Recovery
from stream_app.routes import state_topic

POLL_MILLISECONDS = 200


class KafkaStateLog:
    """The state topics of a group."""

    def __init__(self, options: Mapping[str, Any], group: str) -> None:
        """`options` are those of every aiokafka client."""
        self._options = options
        self._group = group

    async def recover(self, partitions: Sequence[TopicPartition], slabs: int) -> dict[TopicPartition, Recovery]:
        """What the state topics say of these partitions of readings topics."""
        consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        state = {tp: TopicPartition(state_topic(self._group, tp.topic), tp.partition) for tp in partitions}
        try:
            beginnings = await consumer.beginning_offsets(list(state.values()))
            ends = await consumer.end_offsets(list(state.values()))
            return {
                tp: await self._recover(consumer, at, beginnings[at], ends[at], Recovery(slabs))
                for tp, at in state.items()
            }
        finally:
            await consumer.stop()

    async def _recover(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, beginning: int, at: int, recovery: Recovery
    ) -> Recovery:
        consumer.assign([tp])
        while (lower := recovery.back_to(at, beginning)) is not None:
            await self._read(consumer, tp, lower, at, recovery)
            at = lower
        return recovery

    async def _read(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, lower: int, upper: int, recovery: Recovery
    ) -> None:
        """Add the records of [lower, upper); compaction may have left few of them, or none."""
        consumer.seek(tp, lower)
        while await consumer.position(tp) < upper:
            fetched = await consumer.getmany(tp, timeout_ms=POLL_MILLISECONDS)
            for record in fetched.get(tp, ()):
                if record.offset < upper:
                    recovery.add(record.offset, record.key, record.value)
