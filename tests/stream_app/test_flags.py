"""The stream of flags: each once, from where it was asked to start."""

from __future__ import annotations

import asyncio

import pytest

from schemas.errors import TidewatchError
from stream_app.flags import FlagStream, Ids, Seen
from stream_app.local_kafka.ports import free_port
from stream_app.topics import Topic, create_missing
from tests.kafka_fixture import KafkaAtHand, send
from tests.stream_app.flag_records import record


async def take(stream: FlagStream, count: int) -> list[Seen]:
    """The next so many flags."""
    seen: list[Seen] = []
    async with asyncio.timeout(30):
        async for each in stream:
            seen.append(each)
            if len(seen) == count:
                break
    return seen


@pytest.mark.kafka
def test_from_the_beginning_all_and_each_once(kafka: KafkaAtHand) -> None:
    """Doubles are dropped, and what is no flag is counted and passed over."""
    topic = kafka.topic("anomalies")
    kafka.send(topic, [record(1), record(2), record(1), (None, b"not a flag"), (b"key", None), record(3)])

    async def watch() -> None:
        async with FlagStream(kafka.options, topic, from_beginning=True) as stream:
            seen = await take(stream, 3)
            assert {each.flag.id for each in seen} == {"id-1", "id-2", "id-3"}
            assert all(each.raw == record(int(each.flag.id[3:]))[1] for each in seen)
            assert all(each.published_ms > 1_600_000_000_000 for each in seen)
            await send(kafka.options, topic, [record(4)])
            assert [each.flag.id for each in await take(stream, 1)] == ["id-4"]
            assert stream.unreadable == 2

    asyncio.run(watch())


@pytest.mark.kafka
def test_from_now_on_only_what_comes(kafka: KafkaAtHand) -> None:
    """Nothing from before, and all that is sent once the stream is entered."""
    topic = kafka.topic("anomalies", partitions=3)
    kafka.send(topic, [record(n) for n in range(50)])

    async def watch() -> None:
        async with FlagStream(kafka.options, topic) as stream:
            await send(kafka.options, topic, [record(n) for n in range(50, 60)])
            assert {each.flag.id for each in await take(stream, 10)} == {f"id-{n}" for n in range(50, 60)}

    asyncio.run(watch())


@pytest.mark.kafka
def test_a_topic_that_is_made_later_is_waited_for(kafka: KafkaAtHand) -> None:
    """As when the watcher is there before the worker; its first flag is not missed."""
    topic = kafka.unique("anomalies")

    async def watch() -> None:
        async with FlagStream(kafka.options, topic) as stream:
            await create_missing(kafka.options, [Topic(topic, 2)])
            await send(kafka.options, topic, [record(1)])
            assert [each.flag.id for each in await take(stream, 1)] == ["id-1"]

    asyncio.run(watch())


@pytest.mark.kafka
def test_a_broker_that_crashes_and_returns_is_followed(kafka: KafkaAtHand) -> None:
    """The stream goes on where it was."""
    server, topic = kafka.server, kafka.topic("anomalies")

    async def watch() -> None:
        async with FlagStream(kafka.options, topic) as stream:
            await send(kafka.options, topic, [record(1)])
            assert [each.flag.id for each in await take(stream, 1)] == ["id-1"]
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await send(kafka.options, topic, [record(2)])
            assert [each.flag.id for each in await take(stream, 1)] == ["id-2"]

    asyncio.run(watch())


def test_without_a_broker_one_sentence_says_so() -> None:
    """It names the address."""
    address = f"127.0.0.1:{free_port()}"

    async def watch() -> None:
        async with FlagStream({"bootstrap_servers": address}, "anomalies"):
            pass

    with pytest.raises(TidewatchError, match=f"no Kafka answers at {address}"):
        asyncio.run(watch())


def test_only_the_last_ids_are_remembered() -> None:
    """Memory is bounded; a double that comes very late is shown again."""
    ids = Ids(most=2)
    assert [ids.is_new(each) for each in "aabbab"] == [True, False, True, False, False, False]
    assert ids.is_new("c")
    assert ids.is_new("a")
    assert not ids.is_new("c")
