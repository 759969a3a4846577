"""Fetches read by whole record batches are what aiokafka reads one by one."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from stream_app.batches import Results, by_batch

TP = TopicPartition("readings", 0)
Value = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
VALUES = st.tuples(
    st.none() | st.binary(max_size=5),
    st.none() | st.binary(max_size=20),
    st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)), max_size=2),
)


def batch(values: list[Value], base: int = 0, compression: int = 0) -> bytearray:
    """A record batch whose first record has offset `base`."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, 0, 1 << 20)
    for number, (key, value, headers) in enumerate(values):
        builder.append(number, 1_700_000_000_000 + number, key, value, headers)
    built = bytearray(builder.build())
    built[:8] = base.to_bytes(8, "big")  # as the broker sets it; no checksum covers it
    return built


def fetch(data: bytes, position: int = 0) -> PartitionRecords:
    """A fetch of record batches, from `position` on."""
    return PartitionRecords(TP, MemoryRecords(data), None, position, None, None, True, "read_uncommitted")


def seen(record: Any) -> tuple[Any, ...]:
    """All that a record says."""
    return record.offset, record.timestamp, record.key, record.value, list(record.headers)


@given(
    batches=st.lists(st.lists(VALUES, min_size=1, max_size=4), min_size=1, max_size=4),
    position=st.integers(0, 16),
    compression=st.sampled_from([0, 1]),
)
def test_the_same_records_and_the_same_position(batches: list[list[Value]], position: int, compression: int):
    """Whatever a batch holds, from wherever the fetch begins, compressed or not."""
    starts = [0, *accumulate(map(len, batches))]
    data = b"".join(batch(values, base, compression) for values, base in zip(batches, starts, strict=False))
    stock, ours = fetch(data, position), fetch(data, position)
    wanted = [seen(record) for record in stock]
    assert [seen(record) for read in by_batch(ours, lambda seconds: None) for record in read] == wanted
    assert ours.next_fetch_offset == stock.next_fetch_offset


def test_a_damaged_batch_is_an_error():
    """A bit that flipped on its way must not become a reading."""
    damaged = batch([(b"key", b"value", [])])
    damaged[-3] ^= 1
    with pytest.raises(CorruptRecordException, match="checksum"):
        list(by_batch(fetch(bytes(damaged)), lambda seconds: None))


def test_a_fetcher_with_these_results_gives_batches():
    """Put in the place of a Fetcher's results, they make its own reading give whole batches, and tell the time."""
    told: list[float] = []
    results = Results(told.append)
    records = fetch(bytes(batch([(b"a", b"1", []), (b"b", b"2", [])]) + batch([(b"c", b"3", [])], base=2)))
    results[TP] = FetchResult(TP, assignment=None, partition_records=records, backoff=0.1)
    read = list(results[TP]._partition_records)
    assert [[record.value for record in each] for each in read] == [[b"1", b"2"], [b"3"]]
    assert len(told) == 2
