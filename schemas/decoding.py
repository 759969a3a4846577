"""Reading a chunk of records: good readings in columns, and for each bad record why it is refused.

Decoding is strict about what would poison a window (no time, no id, a value that is no number) and lenient about the
rest (unknown keys). Event time is int64 microseconds UTC from here on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain, compress
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple
from numpy.typing import NDArray

from schemas.reading import EpochMilliseconds, Reading, SeriesId, Value, microseconds

Row = dict[str, float | None]  # a reading's values by name

BLOCK = 500  # readings that are read one step after the other: what one step leaves, the next finds in the cache


class Rejection(msgspec.Struct, frozen=True):
    """Why one record of a chunk can not be read: `index` is its place in the chunk."""

    index: int
    stage: str  # "decode", "value" or "time"
    error: str


@dataclass(frozen=True, eq=False)
class Values:
    """The values of readings that all have these features, or some of them, and no others."""

    features: tuple[str, ...]
    matrix: NDArray[np.float64]  # (n, feature), NaN where null or absent


@dataclass(frozen=True, eq=False)
class Decoded:
    """A chunk of records, read: the n good ones in columns, where they stood, and why the others were refused."""

    series: list[str]
    datasets: list[str]
    times: NDArray[np.int64]  # (n,) event time in microseconds UTC
    rows: list[Row] | Values  # for `columns`
    indices: NDArray[np.int64]  # (n,) the place of each reading in the chunk, ascending
    rejections: list[Rejection]
    tombstones: int

    def __len__(self) -> int:
        return len(self.series)


_decode = msgspec.json.Decoder(Reading).decode
_UNREADABLE = (ValueError, TypeError, RecursionError)  # all that it raises; ValueError is msgspec's and UTF-8's too


def decode(
    payloads: Sequence[bytes | None],
    record_times: NDArray[np.int64],
    max_future_seconds: float,
    features: tuple[str, ...] = (),
) -> Decoded:
    """Read a chunk of records; a bad one is rejected alone, and nothing in the bytes can make this raise.

    None is a tombstone. `record_times` (n,) are the records' own times in microseconds; a reading more than
    `max_future_seconds` ahead of its record is rejected, unless the record has no time (negative). `features` are those
    that the readings probably have: if it is so the chunk is read in half the time, else alike.
    """
    decoded = _decode_alike(payloads, features) or _decode_one_by_one(payloads)
    return _without_future(decoded, record_times, max_future_seconds)


def picked(rows: list[Row] | Values, places: NDArray[np.int64]) -> list[Row] | Values:
    """Those of some readings alone."""
    if isinstance(rows, Values):
        return Values(rows.features, rows.matrix[places])
    return [rows[place] for place in places.tolist()]


def columns(rows: list[Row] | Values, features: Sequence[str]) -> tuple[NDArray[np.float64], int]:
    """The values of `features` (n, feature), NaN where missing, and how many values had another name."""
    return _from_values(rows, features) if isinstance(rows, Values) else _from_names(rows, features)


def _decode_alike(payloads: Sequence[bytes | None], features: tuple[str, ...]) -> Decoded | None:
    """A chunk block by block, if its records are readings of these features and nothing else; None if they are not."""
    series: list[str] = []
    datasets: list[str] = []
    times, matrix = np.empty(len(payloads), np.int64), np.empty((len(payloads), len(features)))
    try:
        read = _reader(features)
        for start in range(0, len(payloads), BLOCK):
            block = slice(start, start + BLOCK)
            readings = [read(payload) for payload in payloads[block]]
            series += [reading.series_id for reading in readings]
            datasets += [reading.dataset for reading in readings]
            times[block] = _times([reading.timestamp for reading in readings])
            matrix[block] = _matrix([reading.values for reading in readings], len(features))
    except _UNREADABLE:
        return None
    return Decoded(series, datasets, times, Values(features, matrix), np.arange(len(payloads)), [], 0)


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
    return Decoded(
        [reading.series_id for reading in readings],
        [reading.dataset for reading in readings],
        np.array([microseconds(reading.timestamp) for reading in readings], np.int64),
        [reading.values for reading in readings],
        np.array(indices, np.int64),
        rejections,
        tombstones=sum(payload is None for payload in payloads),
    )


@lru_cache(maxsize=64)
def _reader(features: tuple[str, ...]) -> Callable[[bytes | None], Any]:
    """Reads one reading of these features, and raises if it has another; a time stays text, to be read once for many.

    Raises ValueError if a feature has a name that no field can have.
    """
    names = {f"f{number}": feature for number, feature in enumerate(features)}
    fields = [(name, Value | None | UnsetType, UNSET) for name in names]
    values = msgspec.defstruct("Values", fields, rename=names, forbid_unknown_fields=True, frozen=True, gc=False)
    keys: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("series_id", SeriesId),
        ("timestamp", str | EpochMilliseconds),
        ("values", values),
        ("dataset", str, "default"),
    ]
    decoder = msgspec.json.Decoder(msgspec.defstruct("ReadingOfKnownFeatures", keys, frozen=True, gc=False))
    return decoder.decode  # type: ignore[return-value]


def _times(timestamps: list[str | int]) -> NDArray[np.int64]:
    """Times (n,) in microseconds UTC; many series are read at one moment."""
    exact = {each: microseconds(_time(each)) for each in set(timestamps)}
    return np.fromiter(map(exact.__getitem__, timestamps), np.int64, len(timestamps))


def _time(timestamp: str | int) -> datetime | int:
    return msgspec.convert(timestamp, datetime) if isinstance(timestamp, str) else timestamp


def _matrix(rows: list[Any], features: int) -> NDArray[np.float64]:
    """The fields of structs (n, feature), NaN where null or absent."""
    flat = chain.from_iterable(map(astuple, rows))
    try:
        return np.fromiter(flat, np.float64, len(rows) * features).reshape(-1, features)
    except TypeError:  # UNSET; None is NaN already
        given = [[value if isinstance(value, float) else np.nan for value in astuple(row)] for row in rows]
        return np.array(given, np.float64)


def _from_values(rows: Values, features: Sequence[str]) -> tuple[NDArray[np.float64], int]:
    if rows.features == tuple(features):
        return rows.matrix, 0
    values = np.full((len(rows.matrix), len(features)), np.nan)
    unknown = 0
    for feature, column in zip(rows.features, rows.matrix.T, strict=True):
        if feature in features:
            values[:, [each == feature for each in features]] = column[:, None]
        else:
            unknown += int(np.count_nonzero(~np.isnan(column)))
    return values, unknown


def _from_names(rows: list[Row], features: Sequence[str]) -> tuple[NDArray[np.float64], int]:
    try:
        # One name makes itemgetter return the bare value.
        chosen = map(itemgetter(*features), rows) if len(features) > 1 else ((row[features[0]],) for row in rows)
        flat = np.fromiter(chain.from_iterable(chosen), np.float64, len(rows) * len(features))
    except KeyError:
        flat = np.array([row.get(feature) for row in rows for feature in features], np.float64)
    unknown = sum(row[name] is not None for row in rows for name in row.keys() - features)
    return flat.reshape(len(rows), len(features)), unknown


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
    stays = ~future
    return Decoded(
        list(compress(decoded.series, stays)),
        list(compress(decoded.datasets, stays)),
        decoded.times[stays],
        picked(decoded.rows, np.flatnonzero(stays)),
        decoded.indices[stays],
        sorted(decoded.rejections + early, key=lambda rejection: rejection.index),
        decoded.tombstones,
    )


def _too_early(time: np.int64, own: np.int64, max_future_seconds: float) -> str:
    ahead = (int(time) - int(own)) / 1e6
    return (
        f"timestamp {np.datetime64(int(time), 'us')}Z is {ahead:.3f} s ahead of its record's own time; "
        f"at most {max_future_seconds:g} s are allowed: check the sender's clock"
    )


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
