"""A reading: what a machine said at one moment, as it comes over Kafka.

Decoding is strict about what would poison a window (no time, no id, a value that is no number) and lenient about the
rest (unknown keys). Event time is int64 microseconds UTC from here on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

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


@dataclass(frozen=True, eq=False)
class Decoded:
    """A chunk of records, read: the good ones, where they stood, and why the others were refused."""

    readings: list[Reading]
    indices: NDArray[np.int64]  # (n,) int64, the place of each reading in the chunk, ascending
    times: NDArray[np.int64]  # (n,) int64, event time in microseconds UTC
    rejections: list[Rejection]
    tombstones: int


_decode = msgspec.json.Decoder(Reading).decode
_UNREADABLE = (ValueError, TypeError, RecursionError)  # all that it raises; ValueError is msgspec's and UTF-8's too


def decode(payloads: Sequence[bytes | None], record_times: NDArray[np.int64], max_future_seconds: float) -> Decoded:
    """Read a chunk of records; a bad one is rejected alone, and nothing in the bytes can make this raise.

    None is a tombstone. `record_times` (n,) are the records' own times in microseconds; a reading more than
    `max_future_seconds` ahead of its record is rejected, unless the record has no time (negative).
    """
    try:
        readings = [_decode(payload) for payload in payloads]  # type: ignore[arg-type]
    except _UNREADABLE:
        decoded = _decode_one_by_one(payloads)
    else:
        decoded = Decoded(readings, np.arange(len(readings)), event_times(readings), [], 0)
    return _without_future(decoded, record_times, max_future_seconds)


def event_times(readings: Sequence[Reading]) -> NDArray[np.int64]:
    """When each reading was taken, in microseconds UTC (n,), exactly; a time without offset is UTC."""
    try:
        exact = [(reading.timestamp - EPOCH) // MICROSECOND for reading in readings]  # type: ignore[operator]
    except TypeError:  # an integer, or no offset
        exact = [_microseconds(reading.timestamp) for reading in readings]
    return np.array(exact, np.int64)


def columns(readings: Sequence[Reading], features: Sequence[str]) -> tuple[NDArray[np.float64], int]:
    """The values of `features` (n, feature), NaN where missing, and how many values had another name."""
    rows = [reading.values for reading in readings]
    try:
        # One name makes itemgetter return the bare value.
        picked = map(itemgetter(*features), rows) if len(features) > 1 else ((row[features[0]],) for row in rows)
        flat = np.fromiter(chain.from_iterable(picked), np.float64, len(rows) * len(features))
        known = flat.size
    except KeyError:
        flat = np.array([row.get(feature) for row in rows for feature in features], np.float64)
        known = sum(map(len, map(set(features).intersection, rows)))
    return flat.reshape(len(rows), len(features)), sum(map(len, rows)) - known


def _decode_one_by_one(payloads: Sequence[bytes | None]) -> Decoded:
    readings: list[Reading] = []
    indices: list[int] = []
    rejections: list[Rejection] = []
    for index, payload in enumerate(payloads):
        if payload is None:
            continue
        try:
            readings.append(_decode(payload))
            indices.append(index)
        except _UNREADABLE as error:
            rejections.append(Rejection(index, *_explain(payload, error)))
    tombstones = sum(payload is None for payload in payloads)
    return Decoded(readings, np.array(indices, np.int64), event_times(readings), rejections, tombstones)


def _without_future(decoded: Decoded, record_times: NDArray[np.int64], max_future_seconds: float) -> Decoded:
    """Reject what is dated so far ahead that every later reading of its series would be late."""
    own = record_times[decoded.indices]
    future = (own >= 0) & (decoded.times - own > max_future_seconds * 1e6)
    if not future.any():
        return decoded
    early = [
        Rejection(int(decoded.indices[row]), "time", _too_early(decoded.times[row], own[row], max_future_seconds))
        for row in np.flatnonzero(future)
    ]
    return Decoded(
        [reading for reading, ahead in zip(decoded.readings, future, strict=True) if not ahead],
        decoded.indices[~future],
        decoded.times[~future],
        sorted(decoded.rejections + early, key=lambda rejection: rejection.index),
        decoded.tombstones,
    )


def _too_early(time: np.int64, own: np.int64, max_future_seconds: float) -> str:
    ahead = (int(time) - int(own)) / 1e6
    return (
        f"timestamp {np.datetime64(int(time), 'us')}Z is {ahead:.3f} s ahead of its record's own time; "
        f"at most {max_future_seconds:g} s are allowed: check the sender's clock"
    )


def _microseconds(timestamp: datetime | int) -> int:
    if isinstance(timestamp, int):
        return timestamp * 1000
    aware = timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)
    return (aware - EPOCH) // MICROSECOND


class _Unread(msgspec.Struct):
    values: dict[str, msgspec.Raw]


def _explain(payload: bytes, error: Exception) -> tuple[str, str]:
    """The stage at which a payload failed, and one line that says why."""
    text = str(error)
    if isinstance(error, RecursionError):
        return "decode", "nested too deeply; a reading is one object whose values are numbers"
    if "$.values[" in text:
        return "value", _bad_value(payload) or text
    if "timestamp" in text:
        return "time", text
    if "malformed" in text and (b"NaN" in payload or b"Infinity" in payload):
        return "decode", f"{text}; NaN and Infinity are not JSON, send null for a missing value"
    return "decode", text


def _bad_value(payload: bytes) -> str | None:
    """Name the first value that is no number; None if even the names can not be read."""
    try:
        values = msgspec.json.decode(payload, type=_Unread).values
    except _UNREADABLE:
        return None
    for name, raw in values.items():
        try:
            msgspec.json.decode(raw, type=Value | None)
        except _UNREADABLE:
            shown = bytes(raw).decode(errors="replace")
            return f"value {shown!r:.60} of {name!r:.60} is no number within +-3.4e38; send a number or null"
    return None
