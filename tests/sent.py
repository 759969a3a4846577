"""What brokers would be given: our records, read back by aiokafka."""

from __future__ import annotations

import msgspec
from aiokafka.record.default_records import DefaultRecordBatch

from models.flags import Flags
from schemas.flag import Flag
from stream_app.outgoing import Message
from stream_app.record_batch import RecordBatch, Records

TIME_MS = 1_788_000_000_123


def messages(records: Records) -> list[Message]:
    """The messages in a batch of these records."""
    batch = DefaultRecordBatch(bytes(RecordBatch(records, TIME_MS)._build()))
    assert batch.validate_crc()
    return [Message(record.key, record.value, list(record.headers)) for record in batch]


def parsed(flags: Flags) -> list[Flag]:
    """Flags as whoever reads the topic gets them."""
    return [msgspec.json.decode(value, type=Flag) for value in flags.values]
