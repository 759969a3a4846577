"""Readings and flags off Kafka, onto the board, and how long it took from the one to the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.decoding import decode
from schemas.flag import Flag
from schemas.reading import EPOCH, MICROSECOND
from stream_app.demo.board import Board, Event
from stream_app.demo.summary import Pace, Verdict, pace
from stream_app.topics import partition_counts

POLL_MILLISECONDS = 100
Moment = tuple[str, int]  # a series and a time of its own


class Feed:
    """Follows both topics from their beginning, outside of any group: the worker does not notice."""

    def __init__(self, options: Mapping[str, Any], readings_topic: str, anomalies_topic: str, board: Board) -> None:
        """`options` as `connection.client_options` gives them; both topics exist."""
        self._options = options
        self._consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", fetch_max_wait_ms=POLL_MILLISECONDS)
        self._readings_topic = readings_topic
        self._topics = (readings_topic, anomalies_topic)
        self._board = board
        self._clock = RecordTimes()
        self._flag = msgspec.json.Decoder(Flag)

    async def __aenter__(self) -> Self:
        """Connect, and take every partition of both topics."""
        counts = await partition_counts(self._options)
        await self._consumer.start()
        self._consumer.assign([TopicPartition(topic, part) for topic in self._topics for part in range(counts[topic])])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def poll(self) -> list[Event] | None:
        """Put what has come onto the board, and return the news; None if nothing came."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MILLISECONDS)
        # Readings first: a flag that came in the same fetch belongs to one of them.
        ordered = sorted(batches.items(), key=lambda batch: batch[0].topic != self._readings_topic)
        news = [event for partition, records in ordered for event in self._take(partition.topic, records)]
        return news if batches else None

    def _take(self, topic: str, records: Sequence[ConsumerRecord]) -> Iterable[Event]:
        if topic == self._readings_topic:
            self._on_readings(records)
            return []
        return [event for record in records for event in self._on_flag(record)]

    def _on_readings(self, records: Sequence[ConsumerRecord]) -> None:
        decoded = decode([record.value for record in records], np.full(len(records), -1), np.inf)
        for series, index, time in zip(decoded.series, decoded.indices, decoded.times.tolist(), strict=True):
            self._clock.reading(series, time, records[index].timestamp)
            self._board.read(series, time)

    def _on_flag(self, record: ConsumerRecord) -> list[Event]:
        verdict = to_verdict(self._flag.decode(record.value))
        self._clock.flag(verdict.series, verdict.time, record.timestamp)
        return self._board.judge(verdict)

    def pace(self) -> Pace:
        """How fast all this went."""
        return self._clock.pace()


class RecordTimes:
    """When readings and their windows' flags were written, by the times of their records in milliseconds."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._readings: dict[Moment, int] = {}
        self._flags: dict[Moment, int] = {}
        self._latencies: dict[Moment, int] = {}
        self._first, self._last = math.inf, -math.inf

    def reading(self, series: str, time: int, record_time: int) -> None:
        """The reading of this time was written."""
        self._readings.setdefault((series, time), record_time)
        self._first, self._last = min(self._first, record_time), max(self._last, record_time)
        self._pair((series, time))

    def flag(self, series: str, time: int, record_time: int) -> None:
        """A flag of the window that ends with this reading was written; the first one counts."""
        self._flags.setdefault((series, time), record_time)
        self._pair((series, time))

    def _pair(self, moment: Moment) -> None:
        if moment in self._readings and moment in self._flags:
            self._latencies[moment] = self._flags[moment] - self._readings[moment]

    def pace(self) -> Pace:
        """Readings from the first to the last, and all latencies so far."""
        seconds = max(self._last - self._first, 0) / 1000
        return pace(len(self._readings), seconds, list(self._latencies.values()))


def to_verdict(flag: Flag) -> Verdict:
    """What the demo needs of a flag: its score in units of its threshold, features by their share of the blame."""
    time = (datetime.fromisoformat(flag.timestamp) - EPOCH) // MICROSECOND
    blamed = sorted(flag.attribution, key=lambda each: -each.share)
    names = tuple(each.feature for each in blamed)
    return Verdict(flag.series_id, time, flag.score / flag.threshold, flag.is_anomaly, names)
