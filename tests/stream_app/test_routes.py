"""Where messages go."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from stream_app.outgoing import Message
from stream_app.routes import Routes

MESSAGES = [Message(f"pump-{number}".encode(), b"{}") for number in range(20)]


def routes(**sizes: int) -> Routes:
    """Four partitions of readings."""
    return Routes("tidewatch", "anomalies", "letters", {"readings": 4, "anomalies": 4, "letters": 4, **sizes})


def test_a_message_stays_in_the_partition_of_its_reading():
    """Where the topics are of one size."""
    source = TopicPartition("readings", 3)
    assert routes().of_flags(source, MESSAGES) == {3: MESSAGES}
    assert routes().of_dead_letters(source, MESSAGES[:1]) == {3: MESSAGES[:1]}
    assert routes().of_flags(source, []) == {}


def test_where_sizes_differ_it_goes_by_its_key():
    """As any producer would send it, each series in order; what has no key stays near."""
    grouped = routes(anomalies=3).of_flags(TopicPartition("readings", 3), MESSAGES)
    hashed = DefaultPartitioner()
    for number, messages in grouped.items():
        assert messages == [m for m in MESSAGES if hashed(m.key, [0, 1, 2], [0, 1, 2]) == number]
    assert sum(map(len, grouped.values())) == len(MESSAGES)
    assert routes(letters=3).of_dead_letters(TopicPartition("readings", 3), [Message(None, b"?")]).keys() == {0}


def test_each_readings_topic_has_a_state_topic_of_each_group():
    """So that two groups do not share checkpoints."""
    assert routes().state("readings") == "tidewatch-readings-state"
