"""Topics: which there are, and making those that are missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from schemas.errors import TidewatchError

POLL_SECONDS = 0.05
REASON_SECONDS = 5.0  # to learn why a broker does not answer


@dataclass(frozen=True)
class Topic:
    """A topic as it should be if it has to be made; `config` as Kafka's own keys and values."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


async def unreachable(options: Mapping[str, Any]) -> TidewatchError:
    """What to say when no broker answers; `options` as `connection.client_options` gives them."""
    return TidewatchError(
        f"no Kafka answers at {options['bootstrap_servers']}{await _reason(options)}; see `tidewatch kafka status` for "
        "the local one and `tidewatch config` for where each setting of kafka comes from"
    )


async def _reason(options: Mapping[str, Any]) -> str:
    """Why the first broker does not let us in: aiokafka's clients log it, and raise without it."""
    how = {key: value for key, value in options.items() if key != "bootstrap_servers"}
    host, port, _ = collect_hosts(options["bootstrap_servers"], randomize=False)[0]
    try:
        connection = await create_conn(host, port, request_timeout_ms=round(REASON_SECONDS * 1000), **how)
    except (OSError, KafkaError) as error:
        return f" ({error})"
    connection.close()
    return ""


@asynccontextmanager
async def admin(options: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client for a while. Raises TidewatchError if no broker answers."""
    client = AIOKafkaAdminClient(**options)
    try:
        await client.start()
        yield client
    except KafkaConnectionError as error:
        raise await unreachable(options) from error
    finally:
        await client.close()


async def partition_counts(options: Mapping[str, Any]) -> dict[str, int]:
    """Every topic's number of partitions, by name."""
    async with admin(options) as client:
        return {topic["topic"]: len(topic["partitions"]) for topic in await client.describe_topics()}


async def create_missing(options: Mapping[str, Any], topics: Sequence[Topic]) -> list[str]:
    """Make those of `topics` that do not exist, wait until they can be used, and return their names.

    One that exists, or that another process makes at this moment, is left as it is.
    """
    async with admin(options) as client:
        existing = await client.list_topics()
        missing = [topic for topic in topics if topic.name not in existing]
        made = [topic.name for topic in missing if await _create(client, topic)]
        await _until_usable(client, [topic.name for topic in missing])
        return made


async def _create(client: AIOKafkaAdminClient, topic: Topic) -> bool:
    new = NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=dict(topic.config))
    [(_, code, message)] = (await client.create_topics([new])).topic_errors
    if code == TopicAlreadyExistsError.errno:
        return False
    if code:
        raise TidewatchError(f"Kafka does not make topic '{topic.name}': {message or for_code(code).__name__}")
    return True


async def _until_usable(client: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait until every partition has a leader: before, a producer or a consumer would not find the topic."""
    while names:
        described = await client.describe_topics(names)
        if not any(topic["error_code"] or _leaderless(topic) for topic in described):
            return
        await asyncio.sleep(POLL_SECONDS)


def _leaderless(topic: Mapping[str, Any]) -> bool:
    return any(partition["leader"] < 0 or partition["error_code"] for partition in topic["partitions"])
