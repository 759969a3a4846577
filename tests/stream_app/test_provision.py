"""The worker's topics on a real Kafka."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiokafka.admin import NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from config.settings import KafkaSettings
from stream_app.provision import DEAD_LETTER_EXTRA_BYTES, provide
from stream_app.topics import admin
from tests.kafka_fixture import KafkaAtHand

pytestmark = pytest.mark.kafka


def settings(kafka: KafkaAtHand, *readings: str) -> KafkaSettings:
    """Names that no other test has."""
    return KafkaSettings(
        bootstrap_servers=kafka.address,
        group=kafka.unique("group"),
        readings_topics=list(readings),
        anomalies_topic=kafka.unique("anomalies"),
        dead_letter_topic=kafka.unique("letters"),
        partitions=3,
    )


def configured(kafka: KafkaAtHand, topic: str, key: str) -> str:
    """The value of a topic's setting."""

    async def ask() -> str:
        async with admin(kafka.options) as client:
            (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {key: None})])
            return str(answer.resources[0][4][0][1])

    return asyncio.run(ask())


def test_missing_topics_are_made_and_said(kafka: KafkaAtHand, caplog: pytest.LogCaptureFixture):
    """With the readings' number of partitions; a second start makes nothing."""
    caplog.set_level(logging.INFO)
    large = kafka.topic("large", partitions=5, max_message_bytes="3000000")
    chosen = settings(kafka, kafka.unique("new"), large)
    routes = asyncio.run(provide(chosen, kafka.options))
    new = chosen.readings_topics[0]
    wanted = {
        new: 3,
        large: 5,
        chosen.anomalies_topic: 5,
        chosen.dead_letter_topic: 5,
        f"{chosen.group}-{new}-state": 3,
        f"{chosen.group}-{large}-state": 5,
    }
    assert wanted.items() <= kafka.partitions().items()
    assert wanted.items() <= dict(routes.partitions).items()
    assert configured(kafka, f"{chosen.group}-{new}-state", "cleanup.policy") == "compact"
    limit = configured(kafka, chosen.dead_letter_topic, "max.message.bytes")
    assert int(limit) == 3_000_000 + DEAD_LETTER_EXTRA_BYTES
    assert {name for name in wanted if f"'{name}' did not exist" in caplog.text} == wanted.keys() - {large}
    caplog.clear()
    asyncio.run(provide(chosen, kafka.options))
    assert "did not exist" not in caplog.text


def test_the_state_follows_readings_that_were_given_more_partitions(kafka: KafkaAtHand):
    """A partition without a place for its checkpoints could not be worked on."""
    topic = kafka.topic("growing", partitions=2)
    chosen = settings(kafka, topic)
    asyncio.run(provide(chosen, kafka.options))

    async def grow() -> None:
        async with admin(kafka.options) as client:
            await client.create_partitions({topic: NewPartitions(total_count=4)})

    asyncio.run(grow())
    asyncio.run(provide(chosen, kafka.options))
    assert kafka.partitions()[f"{chosen.group}-{topic}-state"] == 4
