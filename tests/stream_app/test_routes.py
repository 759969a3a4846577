"""Where messages go."""

from __future__ import annotations

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition

from stream_app.outgoing import Message, as_records
from stream_app.routes import Routes
from tests.sent import messages

MESSAGES = [Message(f"pump-{number % 7}".encode(), bytes([number])) for number in range(20)]
BARE = [Message(None, b"?")]
SOURCE = TopicPartition("readings", 3)


def routes(**sizes: int) -> Routes:
    """Four partitions of readings."""
    return Routes("tidewatch", "anomalies", "letters", {"readings": 4, "anomalies": 4, "letters": 4, **sizes})


def grouped(to: Routes, topic: str, sent: list[Message]) -> dict[int, list[Message]]:
    """What goes where."""
    return {number: messages(some) for number, some in to.grouped(SOURCE, topic, as_records(sent)).items()}


def test_a_message_stays_in_the_partition_of_its_reading():
    """Where the topics are of one size."""
    assert grouped(routes(), "anomalies", MESSAGES) == {3: MESSAGES}
    assert grouped(routes(), "letters", BARE) == {3: BARE}
    assert grouped(routes(), "anomalies", []) == {}


def test_where_sizes_differ_it_goes_by_its_key():
    """As any producer would send it, each series in order; what has no key stays near."""
    hashed, numbers = DefaultPartitioner(), [0, 1, 2]
    parts = grouped(routes(anomalies=3), "anomalies", MESSAGES)
    for number, sent in parts.items():
        assert sent == [each for each in MESSAGES if hashed(each.key, numbers, numbers) == number]
    assert sum(map(len, parts.values())) == len(MESSAGES)
    assert grouped(routes(letters=3), "letters", BARE).keys() == {0}


def test_each_readings_topic_has_a_state_topic_of_each_group():
    """So that two groups do not share checkpoints."""
    assert routes().state("readings") == "tidewatch-readings-state"
