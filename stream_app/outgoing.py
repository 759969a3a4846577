"""What the worker puts on topics: flags as CloudEvents in binary mode, and dead letters as they came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from schemas.flag import Flag
from schemas.reading import Rejection
from stream_app.batches import Record

FLAG_TYPE = "tidewatch.flag.v1"  # the wire version: it grows when a field changes its meaning

Header = tuple[str, bytes | None]

_encode = msgspec.json.Encoder().encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record to be sent."""

    key: bytes | None
    value: bytes | None
    headers: list[Header] = []


def of_flags(flags: Sequence[Flag], source: str) -> list[Message]:
    """Flags as messages, keyed by series; `source` is the CloudEvents URI reference of who says so."""
    fixed: list[Header] = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_type", FLAG_TYPE.encode()),
        ("ce_source", source.encode()),
    ]
    return [
        Message(
            flag.series_id.encode(),
            _encode(flag),
            [*fixed, ("ce_id", flag.id.encode()), ("ce_time", flag.timestamp.encode())],
        )
        for flag in flags
    ]


def of_rejection(record: Record, rejection: Rejection, topic: str, partition: int) -> Message:
    """A dead letter: key, value and headers byte for byte, and headers that say why it is one and where it was."""
    why = {
        "tidewatch-stage": rejection.stage,
        "tidewatch-error": rejection.error,
        "tidewatch-topic": topic,
        "tidewatch-partition": str(partition),
        "tidewatch-offset": str(record.offset),
    }
    return Message(record.key, record.value, [*record.headers, *((name, text.encode()) for name, text in why.items())])


def without_value(message: Message) -> Message:
    """The dead letter without its value, for a topic that takes no record of its size."""
    size = str(len(message.value or b"")).encode()
    return Message(message.key, None, [*message.headers, ("tidewatch-value-left-out-bytes", size)])
