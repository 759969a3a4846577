"""Which topic and partition a message goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

T = TypeVar("T")

_by_hash = DefaultPartitioner()


def state_topic(group: str, readings_topic: str) -> str:
    """Where the checkpoints of a readings topic are."""
    return f"{group}-{readings_topic}-state"


@dataclass(frozen=True)
class Routes:
    """The topics' names and sizes."""

    group: str
    anomalies: str
    dead_letters: str
    partitions: Mapping[str, int]  # of every topic named here and of the readings topics

    def state(self, readings_topic: str) -> str:
        """Where the checkpoints of a readings topic are."""
        return state_topic(self.group, readings_topic)

    def grouped(
        self, source: TopicPartition, topic: str, keys: Sequence[bytes | None], what: Sequence[T]
    ) -> Mapping[int, Sequence[T]]:
        """What readings of `source` led to, by the partition of `topic` that it goes to, in order.

        That is the number they came from; if the topics' sizes differ, it is the key's hash, as every producer does it.
        """
        if not what:
            return {}
        if self.partitions[topic] == self.partitions[source.topic]:
            return {source.partition: what}
        numbers = list(range(self.partitions[topic]))
        groups: defaultdict[int, list[T]] = defaultdict(list)
        for key, each in zip(keys, what, strict=True):
            groups[source.partition % len(numbers) if key is None else _by_hash(key, numbers, numbers)].append(each)
        return groups
