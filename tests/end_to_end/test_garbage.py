"""A stream with one percent of garbage: it loses the garbage, and nothing else."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from stream_app.outgoing import Message
from stream_app.record_batch import Header
from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import Rig, Trained

pytestmark = pytest.mark.kafka

TIME = "2025-03-04T00:30:00.5Z"  # between two readings of the plant: what is taken in by mistake changes a window
EACH = 3
TOMBSTONES = 5
MISKEYED = b"pump-5"
WRONG_KEY = b"not its id"
KEYS: tuple[bytes | None, ...] = (b"pump-1", b"pump-2", None, b"", b"\xff\x00")
HEADERS: list[Header] = [("trace", b"\x00\xff"), ("trace", b""), ("nothing", None)]


def reading(*without: str, **changes: Any) -> bytes:
    """A good reading of the plant, but for what is changed or left out."""
    content = {"series_id": "pump-1", "timestamp": TIME, "values": {"flow_m3h": 9.9}, "dataset": "plant", **changes}
    return json.dumps({key: value for key, value in content.items() if key not in without}).encode()


GARBAGE = {  # by the stage at which it is found out
    "decode": (
        b"pump-1;2025-03-04;71.2",
        b"",
        b" ",
        b"null",
        b"7",
        b"[1, 2]",
        reading()[:-9],
        reading() + b"\n" + reading(),
        reading().replace(b"pump-1", b"pump\xff"),
        reading("series_id"),
        reading(series_id=""),
        reading(series_id=7),
        reading(series_id="pump" * 100),
        reading("values"),
        reading(values=[1.5, 2.5]),
        reading(values={"flow_m3h": float("nan")}),
        reading(values={"flow_m3h": float("inf")}),
        reading(dataset=None),
        b"[" * 100_000,
        b"x" * 1_000_000,  # nearly all that the topic takes
    ),
    "value": (
        reading(values={"flow_m3h": True}),
        reading(values={"flow_m3h": "9.9"}),
        reading(values={"flow_m3h": [9.9]}),
        reading(values={"flow_m3h": 1e39}),
        reading(values={"flow_m3h": 10**400}),
        b'{"values": ' * 50_000,
    ),
    "time": (
        reading("timestamp"),
        reading(timestamp=None),
        reading(timestamp=True),
        reading(timestamp="yesterday"),
        reading(timestamp=10**18),
        reading(timestamp="2099-01-01T00:00:00Z"),
    ),
}


def test_only_the_garbage_is_lost(rig: Rig, plant: Trained):
    """Every good reading is scored, also those with a wrong key; every bad one is a dead letter, byte for byte."""
    good = [miskeyed(message) if message.key == MISKEYED else message for message in plant.messages]
    bad = [value for values in GARBAGE.values() for value in values] * EACH
    rig.send(scattered(good, [*garbage(bad), *[Message(b"pump-2", None)] * TOMBSTONES]))
    with rig.worker() as worker:
        worker.wait_ready()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        letters = rig.kafka.read_until(rig.dead_letters, lambda records: len(records) >= len(bad))
        assert Counter(letter.value for letter in letters) == Counter(bad)
        check(letters, rig.kafka.read(rig.readings))
        for stage, values in GARBAGE.items():
            assert worker.metric("dead_letters_total", stage=stage) == EACH * len(values)
        assert worker.metric("tombstones_total") == TOMBSTONES
        assert worker.metric("key_mismatches_total") == sum(message.key == WRONG_KEY for message in good)
        assert worker.stop() == 0


def miskeyed(message: Message) -> Message:
    """With a key that is not its series id: such a series lives where the key puts it."""
    return Message(WRONG_KEY, message.value)


def garbage(values: Sequence[bytes]) -> list[Message]:
    """These values with keys and headers of all kinds."""
    return [Message(key, value, HEADERS) for key, value in zip(cycle(KEYS), values, strict=False)]


def scattered(messages: Iterable[Message], others: Sequence[Message]) -> list[Message]:
    """The messages in their order, the others somewhere between them."""
    mixed = list(messages)
    for other in others:
        mixed.insert(random.randrange(len(mixed)), other)
    return mixed


def check(letters: Iterable[ConsumerRecord], source: Iterable[ConsumerRecord]) -> None:
    """Each is the record that its headers name, as it was, with the stage at which it was found out."""
    stages = {value: stage for stage, values in GARBAGE.items() for value in values}
    records = {(record.topic, record.partition, record.offset): record for record in source}
    for letter in letters:
        *own, stage, error, topic, partition, offset = letter.headers
        record = records.pop((topic[1].decode(), int(partition[1]), int(offset[1])))
        assert (letter.key, letter.value, own) == (record.key, record.value, list(record.headers))
        assert stage == ("tidewatch-stage", stages[letter.value].encode())
        assert error[0] == "tidewatch-error"
        assert error[1]
