"""The worker's topics: those that are missing are made, with as many partitions as the readings, and it says so."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from stream_app.routes import Routes, state_topic
from stream_app.topics import Topic, admin, create_missing, partition_counts

if TYPE_CHECKING:
    from config.settings import KafkaSettings

log = logging.getLogger(__name__)

USUAL_MESSAGE_BYTES = 1_048_588  # Kafka's max.message.bytes where nobody set it
DEAD_LETTER_EXTRA_BYTES = 65_536  # for the headers that say why
STATE = {
    "cleanup.policy": "compact",
    "segment.bytes": str(16 * 2**20),  # small, so that compaction gets at them
    "min.cleanable.dirty.ratio": "0.1",
}


async def provide(kafka: KafkaSettings, options: Mapping[str, Any]) -> Routes:
    """Make what is missing and say where messages go. Raises TidewatchError if Kafka can not be reached or refuses."""
    readings = [Topic(name, kafka.partitions, kafka.replication_factor) for name in kafka.readings_topics]
    made = await create_missing(options, readings)
    sizes = await partition_counts(options)
    largest = max(sizes[topic.name] for topic in readings)
    others = await _others(kafka, options, {topic.name: sizes[topic.name] for topic in readings}, largest)
    made += await create_missing(options, others)
    sizes = await partition_counts(options)
    for name in made:
        log.info("topic '%s' did not exist: made with %d partitions", name, sizes[name])
    await _extend(kafka, options, sizes)
    return Routes(kafka.group, kafka.anomalies_topic, kafka.dead_letter_topic, sizes)


async def _others(
    kafka: KafkaSettings, options: Mapping[str, Any], readings: Mapping[str, int], largest: int
) -> list[Topic]:
    copies = kafka.replication_factor
    states = [Topic(state_topic(kafka.group, name), size, copies, STATE) for name, size in readings.items()]
    async with admin(options) as client:
        limit = max([await _message_bytes(client, name) for name in readings]) + DEAD_LETTER_EXTRA_BYTES
    letters = Topic(kafka.dead_letter_topic, largest, copies, {"max.message.bytes": str(limit)})
    return [Topic(kafka.anomalies_topic, largest, copies), letters, *states]


async def _message_bytes(client: AIOKafkaAdminClient, topic: str) -> int:
    """The topic's max.message.bytes; the usual one if the broker does not tell."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": None})
    for response in await client.describe_configs([resource]):
        for _, _, _, _, entries in response.resources:
            for name, value, *_ in entries:
                if name == "max.message.bytes" and value:
                    return int(value)
    return USUAL_MESSAGE_BYTES


async def _extend(kafka: KafkaSettings, options: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    """State topics follow a readings topic that was given more partitions."""
    for topic in kafka.readings_topics:
        state = state_topic(kafka.group, topic)
        if sizes[state] < sizes[topic]:
            async with admin(options) as client:
                await client.create_partitions({state: NewPartitions(total_count=sizes[topic])})
            log.info("topic '%s' now has %d partitions, as '%s' has", state, sizes[topic], topic)
