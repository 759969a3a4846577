"""Which topic and partition a message goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from stream_app.outgoing import Message

Grouped = Mapping[int, Sequence[Message]]  # by partition

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

    def of_flags(self, source: TopicPartition, flags: Sequence[Message]) -> Grouped:
        """Flags go to the partition number of their readings."""
        return self._grouped(source, self.anomalies, flags)

    def of_dead_letters(self, source: TopicPartition, letters: Sequence[Message]) -> Grouped:
        """Dead letters too."""
        return self._grouped(source, self.dead_letters, letters)

    def _grouped(self, source: TopicPartition, topic: str, messages: Sequence[Message]) -> Grouped:
        """By the number they came from; if the topics' sizes differ, by the key's hash, as every producer does it."""
        if not messages:
            return {}
        if self.partitions[topic] == self.partitions[source.topic]:
            return {source.partition: messages}
        numbers = list(range(self.partitions[topic]))
        groups: defaultdict[int, list[Message]] = defaultdict(list)
        for message in messages:
            number = source.partition % len(numbers) if message.key is None else _by_hash(message.key, numbers, numbers)
            groups[number].append(message)
        return groups
