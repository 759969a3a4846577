"""Record batches for the brokers, put together from records that are bytes already.

aiokafka's own builder is called record by record, which for flags with their headers costs three times as much. The
format is Kafka's record batch, version 2; all its numbers are big-endian, those of records are zigzag varints:

    batch:   offset, length, epoch, 2, CRC-32C of the rest, attributes, last place, times, producer, count, records
    record:  length, attributes, time, place | key, value, headers
                                             ^ a record of `Records` is what is to the right of here
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Self

import google_crc32c
import numpy as np
from numpy.typing import NDArray

Sizes = NDArray[np.int64]
Header = tuple[str, bytes | None]

_HEAD = struct.Struct(">qiib")  # offset, length of what follows it, the leader's epoch, version
_REST = struct.Struct(">hiqqqhii")  # attributes, last place, oldest and newest time, id, epoch, sequence, count
_CRC = struct.Struct(">I")
_NO_EPOCH, _VERSION = -1, 2
_AROUND = 12  # bytes of a record beside its key, value and headers, at most
_SMALL = 1 << 14  # varints of lengths below are kept


class _Varints(dict[int, bytes]):
    """Lengths as zigzag varints; those that come often are not made twice."""

    def __missing__(self, number: int) -> bytes:
        rest, made = number << 1, bytearray()
        while rest > 0x7F:
            made.append(rest & 0x7F | 0x80)
            rest >>= 7
        made.append(rest)
        if number < _SMALL:
            self[number] = bytes(made)
        return bytes(made)


VARINT = _Varints()
NULL = b"\x01"  # the length of what is not there: -1


def record(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> bytes:
    """A record without its place in a batch; a surrogate in a header's name is a byte that is not UTF-8."""
    named = [sized(name.encode(errors="surrogateescape")) + sized(content) for name, content in headers]
    return b"".join([sized(key), sized(value), VARINT[len(headers)], *named])


def sized(part: bytes | None) -> bytes:
    """A key, a value, or a part of a header, with its length before it."""
    return NULL if part is None else VARINT[len(part)] + part


@dataclass(frozen=True, eq=False)
class Records:
    """n records without their places in a batch, in columns: a record is its parts, joined only in the batch."""

    keys: Sequence[bytes | None]
    columns: Sequence[Sequence[bytes]]  # (column, n)
    sizes: Sizes  # (n,) bytes

    @classmethod
    def of(cls, keys: Sequence[bytes | None], *columns: Sequence[bytes]) -> Self:
        """Records of these columns, which begin with what is said of the key."""
        each = (np.fromiter(map(len, column), np.int64, len(keys)) for column in columns)
        sizes = sum(each, np.zeros(len(keys), np.int64))
        return cls(keys, columns, sizes)

    def __len__(self) -> int:
        return len(self.keys)

    def part(self, start: int, end: int) -> Records:
        """Those from `start` to before `end`."""
        return Records(self.keys[start:end], [column[start:end] for column in self.columns], self.sizes[start:end])

    def picked(self, places: Sequence[int]) -> Records:
        """Those at some places."""
        chosen = itemgetter(*places, places[0])  # one place too many: of a single one it would give the bare item
        columns = [chosen(column)[:-1] for column in self.columns]
        return Records(chosen(self.keys)[:-1], columns, self.sizes[[*places]])

    def fitting(self, start: int, size: int) -> int:
        """How many, from `start` on, make a batch of at most `size` bytes; at least one."""
        room = size - _HEAD.size - _CRC.size - _REST.size
        ends = np.cumsum(self.sizes[start : start + size // _AROUND] + _AROUND)
        return max(1, int(np.searchsorted(ends, room, side="right")))


def joined(parts: Sequence[Records]) -> Records:
    """All of them, one after the other; they have the same columns, or none."""
    some = [part for part in parts if len(part)]
    if len(some) <= 1:
        return some[0] if some else Records.of([])
    columns = [[*chain.from_iterable(same)] for same in zip(*(part.columns for part in some), strict=True)]
    return Records([*chain.from_iterable(part.keys for part in some)], columns, np.concatenate([p.sizes for p in some]))


class RecordBatch:
    """A batch as aiokafka's producer wants it: its BatchBuilder, with all records there from the start."""

    def __init__(self, records: Records, time: int) -> None:
        """`time` is that of all records, in milliseconds UTC."""
        self._records = records
        self._time = time
        self._producer = (-1, -1, -1)  # id, epoch, sequence number of the first record
        self._built: bytes | None = None

    def record_count(self) -> int:
        """How many records there are."""
        return len(self._records)

    def size(self) -> int:
        """Bytes on the wire."""
        return len(self._build())

    def closed(self) -> bool:
        """True: nothing is added."""
        return True

    def close(self) -> None:
        """Nothing to close."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer, self._built = (producer_id, producer_epoch, base_sequence), None

    def _build(self) -> bytes:
        if self._built is None:
            self._built = self._made()
        return self._built

    def _made(self) -> bytes:
        count, time = len(self._records), self._time
        before = _before(count)
        sizes = np.fromiter(map(len, before), np.int64, count) + self._records.sizes
        lengths = map(VARINT.__getitem__, sizes.tolist())
        records = chain.from_iterable(zip(lengths, before, *self._records.columns, strict=True))
        rest = b"".join([_REST.pack(0, count - 1, time, time, *self._producer, count), *records])
        length = _HEAD.size - 12 + _CRC.size + len(rest)
        return b"".join([_HEAD.pack(0, length, _NO_EPOCH, _VERSION), _CRC.pack(google_crc32c.value(rest)), rest])


_BEFORE: list[bytes] = []


def _before(count: int) -> list[bytes]:
    """What is before the keys of so many records: no attributes, no time after the batch's, the place."""
    _BEFORE.extend(b"\0\0" + VARINT[place] for place in range(len(_BEFORE), count))
    return _BEFORE[:count]
