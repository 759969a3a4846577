"""Where messages go."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from stream_app.routes import Routes

KEYS = [f"pump-{number % 7}".encode() for number in range(20)]
VALUES = list(range(20))


def routes(**sizes: int) -> Routes:
    """Four partitions of readings."""
    return Routes("tidewatch", "anomalies", "letters", {"readings": 4, "anomalies": 4, "letters": 4, **sizes})


def test_a_message_stays_in_the_partition_of_its_reading():
    """Where the topics are of one size."""
    source = TopicPartition("readings", 3)
    assert routes().grouped(source, "anomalies", KEYS, VALUES) == {3: VALUES}
    assert routes().grouped(source, "letters", [None], ["?"]) == {3: ["?"]}
    assert routes().grouped(source, "anomalies", [], []) == {}


def test_where_sizes_differ_it_goes_by_its_key():
    """As any producer would send it, each series in order; what has no key stays near."""
    grouped = routes(anomalies=3).grouped(TopicPartition("readings", 3), "anomalies", KEYS, VALUES)
    hashed = DefaultPartitioner()
    for number, values in grouped.items():
        assert values == [v for k, v in zip(KEYS, VALUES, strict=True) if hashed(k, [0, 1, 2], [0, 1, 2]) == number]
    assert sum(map(len, grouped.values())) == len(VALUES)
    assert routes(letters=3).grouped(TopicPartition("readings", 3), "letters", [None], ["?"]).keys() == {0}


def test_each_readings_topic_has_a_state_topic_of_each_group():
    """So that two groups do not share checkpoints."""
    assert routes().state("readings") == "tidewatch-readings-state"
