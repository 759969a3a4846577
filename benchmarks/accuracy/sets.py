"""The labelled sets, as their publishers lay them out in a folder: every reader gives series in the same form."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.errors import TidewatchError
from training.measures import events_of

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Spans = NDArray[np.int64]

SKAB_TRAIN = 400  # rows, as the publishers have it
PROBATION, PROBATION_MOST = 0.15, 750  # of a NAB file, in rows: never scored, may be learnt from


class SetError(TidewatchError):
    """A folder of labelled data is not what it should be."""


@dataclass(frozen=True, eq=False)
class Series:
    """One series: what a detector may learn from, and what it is judged on, which follows in time."""

    set: str
    name: str
    train: Float64  # (row, feature)
    test: Float64  # (row, feature)
    events: Spans  # (event, 2) first and last test row of each labelled event, inclusive; may begin before row 0

    @property
    def labels(self) -> Mask:
        """Which test rows lie in an event, (row,)."""
        labels = np.zeros(len(self.test), bool)
        for first, last in self.events:
            labels[max(first, 0) : max(last + 1, 0)] = True
        return labels


@dataclass(frozen=True)
class LabelledSet:
    """A published set: where it comes from, and how to read it."""

    published: str
    buffer: int  # rows around an event that the volume under the surface tolerates
    files: str  # a pattern below the set's folder, one file a series
    read: Callable[[Path, Path], Series]  # folder and file


def find(folder: Path, name: str, most: int | None = None) -> list[Path]:
    """The files of a set's series, at most `most`; SetError if there are none."""
    if name not in SETS:
        raise SetError(f"--sets {name} is no set that can be read; choose from {', '.join(SETS)}")
    known = SETS[name]
    files = sorted((folder / name).glob(known.files))
    if not files:
        raise SetError(
            f"{folder / name} has no file {known.files}; give a folder that holds '{name}' by --data, or leave the set "
            f"out by --sets; it is published at {known.published}"
        )
    return files[:most]


def read(folder: Path, name: str, file: Path) -> Series:
    """One series of the set `name` in `folder`."""
    return SETS[name].read(folder / name, file)


def present(folder: Path) -> list[str]:
    """The sets that `folder` holds."""
    return [name for name, known in SETS.items() if any((folder / name).glob(known.files))]


def _skab(folder: Path, file: Path) -> Series:
    frame = pd.read_csv(file, sep=";", index_col="datetime")
    labels = frame["anomaly"].to_numpy() > 0
    values = frame.drop(columns=["anomaly", "changepoint"]).to_numpy(np.float64)
    name = f"{file.parent.name}/{file.stem}"
    return Series("skab", name, values[:SKAB_TRAIN], values[SKAB_TRAIN:], _spans(labels[SKAB_TRAIN:]))


def _parted(folder: Path, file: Path) -> Series:
    """Of a set with folders `train`, `test` and `test_label` of equal file names, in its own folder or one below."""
    place = file.parent.parent
    name = (place / file.name).relative_to(folder).as_posix().removesuffix(".csv.gz")
    train, test = (pd.read_csv(place / part / file.name).to_numpy(np.float64) for part in ("train", "test"))
    labels = pd.read_csv(place / "test_label" / file.name.removesuffix(".gz"))["label"].to_numpy() > 0
    return Series(folder.name, name, train, test, _spans(labels))


def _nab(folder: Path, file: Path) -> Series:
    frame = pd.read_csv(file, parse_dates=["timestamp"])
    key = file.relative_to(folder / "data").as_posix()
    windows: Mapping[str, list[list[str]]] = json.loads((folder / "labels" / "combined_windows.json").read_text())
    times = frame["timestamp"].to_numpy()
    edges = [
        np.flatnonzero((times >= np.datetime64(low)) & (times <= np.datetime64(high))) for low, high in windows[key]
    ]
    learnt = int(min(PROBATION * len(frame), PROBATION_MOST))
    events = np.array([[rows[0], rows[-1]] for rows in edges], np.int64).reshape(-1, 2) - learnt
    values = frame[["value"]].to_numpy(np.float64)
    return Series("nab", key.removesuffix(".csv"), values[:learnt], values[learnt:], events)


def _spans(labels: Mask) -> Spans:
    return np.column_stack(events_of(labels))


SETS: Mapping[str, LabelledSet] = {
    "skab": LabelledSet("https://github.com/waico/SKAB", 60, "[vo]*/*.csv", _skab),
    "smd": LabelledSet("https://github.com/NetManAIOps/OmniAnomaly", 100, "train/*.csv.gz", _parted),
    "asd": LabelledSet("https://github.com/zhhlee/InterFusion", 100, "train/*.csv.gz", _parted),
    "jumpstarter": LabelledSet("https://github.com/NetManAIOps/JumpStarter", 100, "*/train/*.csv.gz", _parted),
    "nab": LabelledSet("https://github.com/numenta/NAB", 100, "data/*/*.csv", _nab),
}
