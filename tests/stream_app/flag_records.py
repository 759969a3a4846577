"""Flags as they are on the topic, made up."""

from __future__ import annotations

import msgspec

from schemas.flag import Attribution, Flag
from tests.kafka_fixture import Record


def flag(number: int, *, series: str = "pump-7", dataset: str = "pumps", score: float = 3.4) -> Flag:
    """A flag whose id says its number; it is an anomaly if its score is over 1."""
    time = f"2026-08-29T10:{number // 60 % 60:02d}:{number % 60:02d}Z"
    blame = [
        Attribution("flow", 0.15, 3.0, 9.5, time),
        Attribution("temp_c", 0.83, 71.2, 64.0, time),
        Attribution("speed", 0.02, 1.0, 1.1, time),
    ]
    models = {"lstm_ae": score, "gru_ae": score, "cnn_ae": score}
    over = score > 1
    release = "20260829T101500Z-3f2a91"
    return Flag(
        f"id-{number}", dataset, series, time, time, score, 1.0, over, int(over), release, models, blame, ["flow"]
    )


def record(number: int, **fields: str | float) -> Record:
    """The flag as key and value of a record."""
    made = flag(number, **fields)  # type: ignore[arg-type]
    return made.series_id.encode(), msgspec.json.encode(made)
