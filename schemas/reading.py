"""A reading: what a machine said at one moment, as it comes over Kafka.

Decoding is strict about what would poison a window (no time, no id, a value that is no number) and lenient about the
rest (unknown keys). Event time is int64 microseconds UTC from here on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

FLOAT32_MAX = 3.4028234663852886e38
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

SeriesId = Annotated[str, Meta(min_length=1, max_length=256)]
# The years 1 to 9999, in milliseconds: what RFC 3339 can say too.
EpochMilliseconds = Annotated[int, Meta(ge=-62_135_596_800_000, le=253_402_300_799_999)]
Value = Annotated[float, Meta(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One moment of one series. A value that is null or absent is missing, never 0."""

    series_id: SeriesId
    timestamp: datetime | EpochMilliseconds
    values: dict[str, Value | None]
    dataset: str = "default"


class Rejection(msgspec.Struct, frozen=True):
    """Why one record of a chunk can not be read: `index` is its place in the chunk."""

    index: int
    stage: str  # "decode", "value" or "time"
    error: str


@dataclass(frozen=True)
class Decoded:
    """A chunk of records, read: the good ones, where they stood, and why the others were refused."""

    readings: list[Reading]
    indices: np.ndarray  # (n,) int64, the place of each reading in the chunk, ascending
    times: np.ndarray  # (n,) int64, event time in microseconds UTC
    rejections: list[Rejection]
    tombstones: int
