"""A readings topic that is deleted and made again under a worker: none of its readings is taken for an old one."""

from __future__ import annotations

import asyncio

import pytest

from stream_app.outgoing import Message
from stream_app.topics import Topic, admin, create_missing, partition_counts
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import PARTITIONS, Rig, Trained

pytestmark = pytest.mark.kafka

OLD = 2000
FEW = 50  # fewer than the old topic had, or nobody could tell that it is another


def test_the_readings_topic_is_made_anew(rig: Rig, plant: Trained):
    """The worker lets all series start anew, or stops and says why, and the next one does; now and after a restart."""
    messages = plant.messages
    with rig.worker() as worker:
        rig.send(map(a_month_later, messages[:OLD]))  # beside these the new topic's would be late, or read already
        worker.wait_ready()
        worker.wait_until(lambda: worker.metric("readings_total") == OLD)
        asyncio.run(make_anew(rig))
        rig.send(messages[:FEW])
        worker.wait_until(lambda: worker.exit_code is not None or "all series start anew" in worker.log)
        if worker.exit_code is None:
            rig.send(messages[FEW:OLD])
            assert worker.stop() == 0
        else:  # it fetched before its group heard of the new topic
            assert worker.exit_code == 1
            assert "the topic was made anew" in worker.log
            rig.send(messages[FEW:OLD])
        worker.start()
        worker.wait_ready()
        rig.send(messages[OLD:])
        published = [flag for flag in rig.published(plant.flags) if flag.timestamp < "2025-04"]
        assert disagreements(published, plant.flags) == []
        assert "all series start anew" in worker.log
        assert "Traceback" not in worker.log


def a_month_later(message: Message) -> Message:
    """The same reading of another time."""
    assert message.value is not None
    assert b'"2025-03-' in message.value
    return Message(message.key, message.value.replace(b'"2025-03-', b'"2025-04-'))


async def make_anew(rig: Rig) -> None:
    """Delete the readings topic, and make it again as soon as it is gone."""
    async with admin(rig.kafka.options) as client:
        await client.delete_topics([rig.readings])
    while rig.readings in await partition_counts(rig.kafka.options):
        pass  # each is a question to the broker
    await create_missing(rig.kafka.options, [Topic(rig.readings, PARTITIONS)])
