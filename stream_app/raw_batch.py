"""A record batch read from its bytes: the checksum of each, and the few that have a header whose name is not UTF-8.

Kafka asks no more of a header's name than its length, and the brokers let any bytes through. aiokafka raises at such a
name, and can not go on with the records after it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import google_crc32c
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint_py  # the C one reads past the end

_START = struct.Struct(">qi")  # a batch's first offset, and how many bytes follow


@dataclass(frozen=True)
class RawRecord:
    """A record; in a header's name, a byte that is not UTF-8 is a surrogate, which `surrogateescape` turns back."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def read_batch(fetched: bytes, base: int) -> list[RawRecord]:
    """The records of the batch whose first offset is `base`; raises ValueError or IndexError if they are none."""
    batch = _DefaultRecordBatchPy(_find(fetched, base))
    batch._maybe_uncompress()
    cursor = _Cursor(batch._buffer, batch._pos)
    return [_record(batch, cursor) for _ in range(batch._num_records)]


def end_of_batch(fetched: bytes, start: int) -> int:
    """Where the batch that begins at `start` ends."""
    _, size = _START.unpack_from(fetched, start)
    return start + _START.size + int(size)


def checksum(fetched: bytes, start: int, end: int) -> int:
    """The CRC-32C of the batch from `start` to `end`, which leaves out its offset, its length and the checksum."""
    return int(google_crc32c.value(fetched[start + _DefaultRecordBatchPy.ATTRIBUTES_OFFSET : end]))


def _find(fetched: bytes, base: int) -> memoryview:
    start = 0
    while True:
        offset, _ = _START.unpack_from(fetched, start)
        end = end_of_batch(fetched, start)
        if offset == base:
            return memoryview(fetched)[start:end]
        start = end


def _record(batch: _DefaultRecordBatchPy, cursor: _Cursor) -> RawRecord:
    end = cursor.number() + cursor.place
    _attributes, since = cursor.number(), cursor.number()
    by_broker = batch.timestamp_type == batch.LOG_APPEND_TIME
    record = RawRecord(
        timestamp=batch.max_timestamp if by_broker else batch.first_timestamp + since,
        offset=batch.base_offset + cursor.number(),
        key=cursor.part(),
        value=cursor.part(),
        headers=[(cursor.name(), cursor.part()) for _ in range(cursor.number())],
    )
    if cursor.place != end:
        raise ValueError(f"the record at offset {record.offset} does not end where it says")
    return record


class _Cursor:
    """Takes one part after another."""

    def __init__(self, content: bytearray, place: int) -> None:
        self._content = content
        self.place = place

    def number(self) -> int:
        """A zigzag varint."""
        number: int
        number, self.place = decode_varint_py(self._content, self.place)
        return number

    def part(self) -> bytes | None:
        """So many bytes as the number before them says; -1 is None."""
        size = self.number()
        if size < 0:
            return None
        start, self.place = self.place, self.place + size
        if self.place > len(self._content):
            raise IndexError(f"{size} bytes from {start} on are not all there")
        return bytes(self._content[start : self.place])

    def name(self) -> str:
        """A header's name."""
        return (self.part() or b"").decode(errors="surrogateescape")
