"""Which topic and partition a message goes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from stream_app.record_batch import Records

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

    def grouped(self, source: TopicPartition, topic: str, records: Records) -> Mapping[int, Records]:
        """What readings of `source` led to, by the partition of `topic` that it goes to, in order.

        That is the number they came from; if the topics' sizes differ, it is the key's hash, as every producer does it.
        """
        if not len(records):
            return {}
        if self.partitions[topic] == self.partitions[source.topic]:
            return {source.partition: records}
        numbers = list(range(self.partitions[topic]))
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, key in enumerate(records.keys):
            near = source.partition % len(numbers)
            places[near if key is None else _by_hash(key, numbers, numbers)].append(place)
        return {number: records.picked(some) for number, some in places.items()}
