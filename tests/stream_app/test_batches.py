"""Fetches read by whole record batches are what aiokafka reads one by one."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from stream_app.batches import KeptRecords, Results, Unreadable, by_batch
from stream_app.raw_batch import read_batch
from tests.crafted import replaced

TP = TopicPartition("readings", 0)
Value = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
VALUES = st.tuples(
    st.none() | st.binary(max_size=5),
    st.none() | st.binary(max_size=20),
    st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)), max_size=2),
)
COMPRESSIONS = st.sampled_from([0, 1, 2, 3, 4])  # none, gzip, snappy, lz4, zstd


def batch(values: list[Value], base: int = 0, compression: int = 0) -> bytearray:
    """A record batch whose first record has offset `base`."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, 0, 1 << 20)
    for number, (key, value, headers) in enumerate(values):
        builder.append(number, 1_700_000_000_000 + number, key, value, headers)
    built = bytearray(builder.build())
    built[:8] = base.to_bytes(8, "big")  # as the broker sets it; no checksum covers it
    return built


def fetch(data: bytes, position: int = 0, reader: Any = KeptRecords) -> PartitionRecords:
    """A fetch of record batches, from `position` on."""
    return PartitionRecords(TP, reader(data), None, position, None, None, True, "read_uncommitted")


def read(records: PartitionRecords) -> list[Any]:
    """All that is read of a fetch, by batch."""
    return [record for each in by_batch(records, lambda seconds: None) for record in each]


def seen(record: Any) -> tuple[Any, ...]:
    """All that a record says."""
    return record.offset, record.timestamp, record.key, record.value, list(record.headers)


@given(
    batches=st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=4),
    position=st.integers(0, 16),
    compression=COMPRESSIONS,
)
def test_the_same_records_and_the_same_position(batches: list[list[Value]], position: int, compression: int):
    """Whatever a batch holds, from wherever the fetch begins, compressed or not."""
    starts = [0, *accumulate(map(len, batches))]
    data = b"".join(batch(values, base, compression) for values, base in zip(batches, starts, strict=False))
    stock, ours = fetch(data, position, MemoryRecords), fetch(data, position)
    wanted = [seen(record) for record in stock]
    assert [seen(record) for record in read(ours)] == wanted
    assert ours.next_fetch_offset == stock.next_fetch_offset


def test_a_damaged_batch_is_an_error():
    """A bit that flipped on its way must not become a reading."""
    damaged = batch([(b"key", b"value", [])])
    damaged[-3] ^= 1
    with pytest.raises(Unreadable, match=r"offset 0 of readings/0 .* checksum; .* up to offset 1"):
        read(fetch(bytes(damaged)))


@given(
    batches=st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=3),
    compression=COMPRESSIONS,
    by_broker=st.booleans(),
)
def test_the_reader_of_our_own_reads_the_same(batches: list[list[Value]], compression: int, by_broker: bool):
    """Any batch of a fetch, whoever set the time, found by its first offset, has the records that aiokafka reads."""
    starts = [0, *accumulate(map(len, batches))]
    built = [batch(values, base, compression) for values, base in zip(batches, starts, strict=False)]
    for each in built:
        each[22] |= 8 * by_broker  # the bit that says: all records have the newest time of the batch
    ours = [record for base in starts[:-1] for record in read_batch(b"".join(built), base)]
    theirs = [record for each in built for record in MemoryRecords(bytes(each)).next_batch()]
    assert list(map(seen, ours)) == list(map(seen, theirs))


@pytest.mark.parametrize("missing", range(1, 12))
def test_the_reader_of_our_own_reads_nothing_past_the_end(missing: int):
    """A batch that was cut anywhere in its last record is an error, though aiokafka's C code would read on."""
    built = batch([(b"a", b"1", []), (b"key", b"value", [("x", b"yz")])])
    with pytest.raises(IndexError):
        read_batch(bytes(built[:-missing]), 0)


NAME = b"a name that is not UTF-8: \xff\xfe\xed\xa0\x80"


@pytest.mark.parametrize("position", [5, 6, 7])
def test_a_header_with_any_name(position: int):
    """It costs no record of its batch: all are read, and the name can be written again byte for byte."""
    name = "n" * len(NAME)
    built = batch([(b"a", b"1", []), (b"b", b"2", [("x", b"y"), (name, b"z")]), (b"c", b"3", [])], base=5)
    records = fetch(bytes(replaced(built, name.encode(), NAME) + batch([(b"d", b"4", [])], base=8)), position)
    values = [b"1", b"2", b"3", b"4"][position - 5 :]
    got = read(records)
    assert [(record.offset, record.value) for record in got] == list(enumerate(values, start=position))
    names = [[name.encode(errors="surrogateescape") for name, _ in record.headers] for record in got]
    assert [each for each in names if each] == ([[b"x", NAME]] if position < 7 else [])
    assert records.next_fetch_offset == 9


KEY = bytes([6]) + b"key"  # as a record has it, its length in zigzag before it


@pytest.mark.parametrize("length", [0, 2, 8, 0x7F, 0xFF])
@pytest.mark.parametrize("name", [b"name", b"\xff\xff\xff\xff"])
def test_records_that_are_not_where_they_should_be_are_an_error(length: int, name: bytes):
    """Neither reader guesses: the worker is to stop and to say which batch, whatever its header's names are."""
    built = replaced(batch([(b"a", b"1", [("name", b"z")]), (b"key", b"value", [])]), b"name", name)
    damaged = bytes(replaced(built, KEY, bytes([length]) + b"key"))
    with pytest.raises(Unreadable, match="the record batch at offset 0 of readings/0 is damaged"):
        read(fetch(damaged))


def test_a_fetcher_with_these_results_gives_batches():
    """Put in the place of a Fetcher's results, they make its own reading give whole batches, and tell the time."""
    told: list[float] = []
    results = Results(told.append)
    records = fetch(bytes(batch([(b"a", b"1", []), (b"b", b"2", [])]) + batch([(b"c", b"3", [])], base=2)))
    results[TP] = FetchResult(TP, assignment=None, partition_records=records, backoff=0.1)
    read = list(results[TP]._partition_records)
    assert [[record.value for record in each] for each in read] == [[b"1", b"2"], [b"3"]]
    assert len(told) == 2
