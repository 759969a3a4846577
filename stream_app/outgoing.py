"""What the worker puts on topics: flags as CloudEvents in binary mode, and dead letters as they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from schemas.decoding import Rejection
from schemas.flag import ID_LENGTH
from stream_app.batches import Record
from stream_app.record_batch import VARINT, Header, Records, record, sized

if TYPE_CHECKING:
    from models.flags import Flags  # with torch: who only sends readings does without

FLAG_TYPE = "tidewatch.flag.v1"  # the wire version: it grows when a field changes its meaning


class Message(msgspec.Struct, frozen=True, gc=False):
    """A record to be sent."""

    key: bytes | None
    value: bytes | None
    headers: list[Header] = []


def as_records(messages: Sequence[Message]) -> Records:
    """Messages, ready for a batch."""
    return Records.of([each.key for each in messages], [record(m.key, m.value, m.headers) for m in messages])


def of_flags(flags: Flags, source: str) -> Records:
    """Flags, keyed by series; `source` is the CloudEvents URI reference of who says so."""
    fixed = {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_type": FLAG_TYPE,
        "ce_source": source,
    }
    headers = VARINT[len(fixed) + 2] + b"".join(_text(name) + _text(text) for name, text in fixed.items())
    keys = [*map(str.encode, flags.series)]
    before_id = headers + _text("ce_id") + VARINT[ID_LENGTH]
    times = {time: _text("ce_time") + _text(time) for time in set(flags.timestamps)}  # many flags have the same
    return Records.of(
        keys,
        *(_sizes(keys), keys),
        *(_sizes(flags.values), flags.values),
        *([before_id] * len(keys), [*map(str.encode, flags.ids)]),
        [*map(times.__getitem__, flags.timestamps)],
    )


def _sizes(parts: Sequence[bytes]) -> list[bytes]:
    return [*map(VARINT.__getitem__, map(len, parts))]


def _text(text: str) -> bytes:
    return sized(text.encode())


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
