"""Records of a fetch, a whole record batch at a time: an object of aiokafka per record costs more than reading it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException


class Record(Protocol):
    """A record as aiokafka's C reader gives it."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds UTC, by its producer or by the broker."""

    @property
    def key(self) -> bytes | None:
        """The key, as it came."""

    @property
    def value(self) -> bytes | None:
        """The value, as it came; None is a tombstone."""

    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        """The headers, as they came."""


def by_batch(records: PartitionRecords, on_read: Callable[[float], None]) -> Iterator[list[Record]]:
    """The records not yet consumed, in one list a record batch; keeps `next_fetch_offset` as aiokafka's iterator does.

    Raises CorruptRecordException if a checksum does not match.
    """
    while records._records.has_next():
        started = perf_counter()
        batch = records._records.next_batch()
        if records._check_crcs and not batch.validate_crc():
            raise CorruptRecordException(f"a record batch of {records._tp} does not match its checksum")
        position, records.next_fetch_offset = records.next_fetch_offset, batch.next_offset
        if batch.is_control_batch:  # a transaction's end: no reading
            continue
        fresh = [record for record in batch if record.offset >= position]
        on_read(perf_counter() - started)
        if fresh:
            yield fresh


class Results(OrderedDict[TopicPartition, FetchResult | FetchError]):
    """The results a Fetcher holds ready; to be put in the place of its `_records`, so that they are read by batch."""

    def __init__(self, on_read: Callable[[float], None]) -> None:
        """`on_read` is told the seconds that each record batch took."""
        super().__init__()
        self._on_read = on_read

    def __setitem__(self, partition: TopicPartition, result: FetchResult | FetchError) -> None:
        if isinstance(result, FetchResult):
            result._partition_records._records_iterator = by_batch(result._partition_records, self._on_read)
        super().__setitem__(partition, result)
