"""Records of a fetch, a whole record batch at a time: an object of aiokafka per record costs more than reading it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import FetchError, FetchResult, PartitionRecords
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from schemas.errors import TidewatchError
from stream_app.raw_batch import checksum, end_of_batch, read_batch


class Unreadable(TidewatchError):
    """A record batch is not what a producer wrote: no reader could say where its records begin."""


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
        """The headers, as they came; a byte of a name that is not UTF-8 is a surrogate (`surrogateescape`)."""


class KeptRecords(MemoryRecords):  # type: ignore[misc]  # it has two readers, and is no class to mypy
    """Record batches that have been fetched, and their bytes."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched
        self._begin = self._end = 0  # of the batch read last

    def next_batch(self) -> Any:
        """The next record batch; it is not held against its checksum."""
        self._begin, self._end = self._end, end_of_batch(self.fetched, self._end)
        return super().next_batch()

    def matches(self, batch: Any) -> bool:
        """Whether the batch read last is what its checksum says; aiokafka takes ten times as long to see it."""
        if not isinstance(batch, DefaultRecordBatch):
            return bool(batch.validate_crc())
        return bool(checksum(self.fetched, self._begin, self._end) == batch.crc)


def by_batch(records: PartitionRecords, on_read: Callable[[float], None]) -> Iterator[list[Record]]:
    """The records not yet consumed, in one list a record batch; keeps `next_fetch_offset` as aiokafka's iterator does.

    Raises Unreadable if a checksum does not match, or records are not where they should be: the brokers look at both
    when they take a batch, so it was damaged later, and to go on would be to guess what is lost.
    """
    while records._records.has_next():
        started = perf_counter()
        batch = records._records.next_batch()
        if records._check_crcs and not records._records.matches(batch):
            raise _unreadable(records, batch, "it does not match its checksum")
        position, records.next_fetch_offset = records.next_fetch_offset, batch.next_offset
        if batch.is_control_batch:  # a transaction's end: no reading
            continue
        fresh = [record for record in _read(records, batch) if record.offset >= position]
        on_read(perf_counter() - started)
        if fresh:
            yield fresh


def _read(records: PartitionRecords, batch: Any) -> list[Record]:
    try:
        try:
            return list(batch)
        except UnicodeDecodeError:  # in a header's name; the record may well be a good reading
            return [*read_batch(records._records.fetched, batch.base_offset)]
    except (KafkaError, ValueError, IndexError) as error:
        raise _unreadable(records, batch, str(error)) from error


def _unreadable(records: PartitionRecords, batch: Any, why: str) -> Unreadable:
    topic, partition = records._tp
    return Unreadable(
        f"the record batch at offset {batch.base_offset} of {topic}/{partition} is damaged: {why}; see to the disks of "
        f"its brokers, and if it stays so, delete its records up to offset {batch.next_offset} (kafka-delete-records)"
    )


def read_by_batch(consumer: AIOKafkaConsumer, on_read: Callable[[float], None]) -> None:
    """Make a started consumer, which must not have fetched yet, read that way; `on_read` is as for `Results`."""
    fetcher.MemoryRecords = KeptRecords  # by this name aiokafka makes them, for every consumer
    consumer._fetcher._records = Results(on_read)


class Results(OrderedDict[TopicPartition, FetchResult | FetchError]):
    """The results a Fetcher holds ready, in the place of its `_records`, so that they are read by batch."""

    def __init__(self, on_read: Callable[[float], None]) -> None:
        """`on_read` is told the seconds that each record batch took."""
        super().__init__()
        self._on_read = on_read

    def __setitem__(self, partition: TopicPartition, result: FetchResult | FetchError) -> None:
        if isinstance(result, FetchResult):
            result._partition_records._records_iterator = by_batch(result._partition_records, self._on_read)
        super().__setitem__(partition, result)
