"""A reading: what a machine said at one moment, as it comes over Kafka."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
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


def microseconds(timestamp: datetime | int) -> int:
    """When that is in microseconds UTC, exactly: an integer is milliseconds, a time without offset is UTC."""
    if isinstance(timestamp, int):
        return timestamp * 1000
    aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND
