"""A flag: what the detector says of one window, as it goes onto the anomalies topic."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

ID_LENGTH = 32  # hex digits of a flag's id
_SIZED_END = np.dtype([("size", ">i4"), ("end", ">i8")])


class Attribution(msgspec.Struct, frozen=True, gc=False):
    """One feature's part in a window's score, with what was measured and what was expected, in raw units."""

    feature: str
    share: float
    actual: float
    expected: float
    at: str


class Flag(msgspec.Struct, frozen=True, gc=False):
    """One window's verdict. Field order is the order on the wire."""

    id: str
    dataset: str
    series_id: str
    window_start: str
    timestamp: str
    score: float
    threshold: float
    is_anomaly: bool
    flag: int
    release: str
    model_scores: dict[str, float]
    attribution: list[Attribution]
    imputed: list[str]


def window_ids(dataset: str, series: Sequence[str], ends: NDArray[np.int64]) -> list[str]:
    """The ids of windows (n,): the same window has one id, whoever publishes it and however often.

    It is the first 32 hex digits of SHA-256 over dataset, series (UTF-8) and end time (microseconds, 8 bytes
    big-endian), each with its length in 4 bytes before it.
    """
    names = [name.encode() for name in series]
    heads = {size: _sized(dataset.encode()) + size.to_bytes(4, "big") for size in set(map(len, names))}
    tails = np.empty(len(ends), _SIZED_END)
    tails["size"], tails["end"] = 8, ends
    return [
        sha256(heads[len(name)] + name + tail).hexdigest()[:ID_LENGTH]
        for name, tail in zip(names, tails.view("V12").tolist(), strict=True)
    ]


def window_id(dataset: str, series_id: str, end: int) -> str:
    """The id of one window."""
    return window_ids(dataset, [series_id], np.array([end], np.int64))[0]


def _sized(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part
