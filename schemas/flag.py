"""A flag: what the detector says of one window, as it goes onto the anomalies topic."""

from __future__ import annotations

from hashlib import sha256

import msgspec


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


def window_id(dataset: str, series_id: str, end: int) -> str:
    """The first 32 hex digits of SHA-256 over dataset, series and end time (microseconds), each length-prefixed.

    The same window has the same id whoever publishes it and however often, so a consumer can drop doubles.
    """
    parts = (dataset.encode(), series_id.encode(), end.to_bytes(8, "big", signed=True))
    return sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()[:32]
