"""Series as bytes, for a checkpoint: plain arrays under a header that says of which release and shape they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.scaling import Scaler, ScalerError, rescale
from models.series import SeriesTable, record
from models.windows import Float32, Index
from schemas.errors import TidewatchError

VERSION = 1


class SnapshotError(TidewatchError, ValueError):
    """A snapshot can not be read; nothing of it has been restored."""


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """The snapshot on the wire: MessagePack, arrays as little-endian bytes."""

    version: int
    release: str
    features: list[str]
    window: int
    threshold_size: int
    mean: list[float]
    scale: list[float]
    series: list[str]
    records: bytes
    count: bytes
    rows: bytes
    times: bytes


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of n series, and the detector it belongs to."""

    release: str
    features: tuple[str, ...]
    scaler: Scaler
    series: Sequence[str]
    records: NDArray[np.void]  # (n,)
    count: Index  # (n,) rows since the restart
    rows: Float32  # (n, window - 1, feature)
    times: Index  # (n, window - 1)


def take(table: SeriesTable, series: Sequence[str], detector: Detector) -> Snapshot:
    """Copy the state that these series of a table have under a detector."""
    slots, histories = table.find(series), table.histories
    return Snapshot(
        detector.release,
        detector.features,
        detector.scaler,
        series,
        _without_gaps(table.records[slots]),
        histories.count[slots],
        histories.rows[slots],
        histories.times[slots],
    )


def _without_gaps(records: NDArray[np.void]) -> NDArray[np.void]:
    """The same records; what lies between their fields is 0, so that one state is always the same bytes."""
    clean = np.zeros(records.shape, records.dtype)
    for name in records.dtype.names or ():
        clean[name] = records[name]
    return clean


def put(table: SeriesTable, snapshot: Snapshot, detector: Detector) -> None:
    """Set series of a table, kept under `detector`, to what they were; what belongs to another release starts anew."""
    slots = table.renew(snapshot.series)
    kept = ["newest", "seen", "dropped"]
    if fits(snapshot, detector):
        kept += ["age", "since"]
        histories = table.histories
        histories.rows[slots] = rescale(snapshot.rows, snapshot.scaler, detector.scaler)
        histories.times[slots], histories.count[slots] = snapshot.times, snapshot.count
        if snapshot.release == detector.release and snapshot.records.dtype == table.records.dtype:
            kept += ["held", "threshold"]
    for name in kept:
        table.records[name][slots] = snapshot.records[name]


def fits(snapshot: Snapshot, detector: Detector) -> bool:
    """Whether the windows are of the kind that the detector scores."""
    return snapshot.features == detector.features and snapshot.rows.shape[1] == detector.window - 1


def pack(snapshot: Snapshot) -> bytes:
    """A snapshot as bytes, about 1,400 a series at a window of 32 rows of 8 features."""
    packed = _Packed(
        version=VERSION,
        release=snapshot.release,
        features=list(snapshot.features),
        window=snapshot.rows.shape[1] + 1,
        threshold_size=snapshot.records["threshold"].shape[1],
        **snapshot.scaler.to_dict(),
        series=list(snapshot.series),
        records=snapshot.records.tobytes(),
        count=snapshot.count.tobytes(),
        rows=snapshot.rows.tobytes(),
        times=snapshot.times.tobytes(),
    )
    return msgspec.msgpack.encode(packed)


def unpack(data: bytes) -> Snapshot:
    """Read what `pack` wrote; every length is checked, and nothing is run."""
    try:
        packed = msgspec.msgpack.decode(data, type=_Packed)
        scaler = Scaler.from_dict({"mean": packed.mean, "scale": packed.scale})
    except (ValueError, RecursionError, ScalerError) as error:
        raise SnapshotError(f"snapshot of {len(data)} bytes can not be read: {error}") from error
    n, held, features = len(packed.series), packed.window - 1, len(packed.features)
    _check(packed)
    count = _array("count", packed.count, (n,), np.dtype("<i8"))
    if (count < 0).any():
        raise SnapshotError("snapshot counts fewer than 0 rows of a series")
    return Snapshot(
        packed.release,
        tuple(packed.features),
        scaler,
        packed.series,
        _array("records", packed.records, (n,), record(features, packed.threshold_size)),
        count,
        _array("rows", packed.rows, (n, held, features), np.dtype("<f4")),
        _array("times", packed.times, (n, held), np.dtype("<i8")),
    )


def copies(data: bytes, names: Sequence[str]) -> bytes:
    """The snapshot of one series as that of several in the same state, `names`."""
    one, places = unpack(data), np.zeros(len(names), np.int64)
    alike = {name: getattr(one, name)[places] for name in ("records", "count", "rows", "times")}
    return pack(replace(one, series=names, **alike))


def _check(packed: _Packed) -> None:
    if packed.version != VERSION:
        raise SnapshotError(f"snapshot has version {packed.version}; this program reads version {VERSION}")
    if not (
        0 < len(packed.features) == len(packed.mean) and 2 <= packed.window <= 4096 and 0 <= packed.threshold_size <= 64
    ):
        raise SnapshotError("snapshot has a header that contradicts itself")
    if len(set(packed.series)) != len(packed.series):
        raise SnapshotError("snapshot names a series twice")


def _array(name: str, data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    expected = int(np.prod(shape)) * dtype.itemsize
    if len(data) != expected:
        raise SnapshotError(f"snapshot has {len(data)} bytes of {name}; its header asks for {expected}")
    return np.frombuffer(data, dtype).reshape(shape)
