"""A folder of labelled sets as their publishers lay them out, tiny and made up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

TRAIN, TEST, EVENT = 700, 300, (150, 190)  # rows; the event's first and last test row


def wave(rows: int, features: int, seed: int = 3) -> np.ndarray:
    """A rhythm of 24 rows with noise, (row, feature)."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (rows, features))
    return np.asarray(np.sin(2 * np.pi * np.arange(rows)[:, None] / 24 + np.arange(features)) + noise)


def faulty(rows: int, first: int, last: int, features: int) -> tuple[np.ndarray, np.ndarray]:
    """A wave that stands three higher from row `first` to `last`, and its labels."""
    values, labels = wave(rows, features), np.zeros(rows, int)
    values[first : last + 1] += 3
    labels[first : last + 1] = 1
    return values, labels


def make_parted(folder: Path, name: str, features: int = 3) -> None:
    """A set with folders train, test and test_label, as SMD and ASD are."""
    for part in ("train", "test", "test_label"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    values, labels = faulty(TRAIN + TEST, TRAIN + EVENT[0], TRAIN + EVENT[1], features)
    columns = [f"f{place}" for place in range(features)]
    pd.DataFrame(values[:TRAIN], columns=columns).to_csv(folder / "train" / f"{name}.csv.gz", index=False)
    pd.DataFrame(values[TRAIN:], columns=columns).to_csv(folder / "test" / f"{name}.csv.gz", index=False)
    pd.DataFrame({"label": labels[TRAIN:]}).to_csv(folder / "test_label" / f"{name}.csv", index=False)


def make_skab(folder: Path, name: str) -> None:
    """A file of SKAB: 400 rows to learn from, labels beside the values, semicolons."""
    values, labels = faulty(700, 550, 590, 2)
    frame = pd.DataFrame(values, columns=["Pressure", "Current"]).assign(anomaly=labels * 1.0, changepoint=0.0)
    frame.insert(0, "datetime", pd.date_range("2026-01-01", periods=700, freq="s"))
    (folder / "valve1").mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "valve1" / f"{name}.csv", sep=";", index=False)


def make_nab(folder: Path, name: str, rows: int, first: int, last: int) -> None:
    """A file of NAB, with one window from row `first` to row `last` of the whole file."""
    times = pd.date_range("2026-01-01", periods=rows, freq="5min")
    (folder / "data" / "real").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    values = faulty(rows, first, last, 1)[0][:, 0]
    pd.DataFrame({"timestamp": times, "value": values}).to_csv(folder / "data" / "real" / f"{name}.csv", index=False)
    window = [str(times[first]), str(times[last])]
    (folder / "labels" / "combined_windows.json").write_text(json.dumps({f"real/{name}.csv": [window]}))
