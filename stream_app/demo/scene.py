"""What the demo plays: a history to train on, a live part to stream, and what is known of its faults; as files."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.errors import TidewatchError
from stream_app.demo.faults import Fault
from stream_app.demo.plant import MINUTE, Plant, Recording
from training.ingest import SeriesTable, Table, read
from training.times import rfc3339

LEAST = 160  # rows: 40 of the smallest windows, for training makes several parts of a history
TRAINING_SHARE = 0.6  # of each series of a user's file, by time
LABEL = "anomaly"
PLANT = "plant"  # the simulated plant's dataset


class SceneError(TidewatchError):
    """A file that the demo can not play."""


@dataclass(frozen=True)
class Stretch:
    """The live part of one series: its first and last reading, microseconds UTC, and how many there are."""

    series: str
    start: int
    end: int
    readings: int


@dataclass(frozen=True)
class Scene:
    """The files to train on and to stream. Without labels there are no faults to hold flags against."""

    dataset: str
    history: Path
    live: Path
    stretches: tuple[Stretch, ...]
    faults: tuple[Fault, ...]
    interval: int  # microseconds between readings
    labelled: bool

    @property
    def readings(self) -> int:
        """How many readings will be streamed."""
        return sum(stretch.readings for stretch in self.stretches)

    @property
    def series_days(self) -> float:
        """Days of all series together."""
        return self.readings * self.interval / 86_400_000_000


def from_plant(plant: Plant, folder: Path) -> Scene:
    """Write a plant to history.csv, live.csv with its label column, and faults.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    history = write(tables(plant.history), plant.history.features, folder / "history.csv")
    present = tables(plant.live, plant.faults)
    live = write(present, plant.live.features, folder / "live.csv")
    write_faults(plant.faults, folder / "faults.csv")
    return Scene(PLANT, history, live, stretches(present), plant.faults, MINUTE, labelled=True)


def from_file(path: Path, folder: Path) -> Scene:
    """Split a user's file: the first part of each series, by time, is history, the rest is live."""
    table = read(path)
    past, present = split(table)
    check_history(past, path)
    folder.mkdir(parents=True, exist_ok=True)
    history = write(past, table.features, folder / "history.csv")
    live = write(present, table.features, folder / "live.csv")
    labelled = table.label_column is not None
    faults = tuple(fault for series in present for fault in labelled_runs(series))
    write_faults(faults, folder / "faults.csv")
    dataset = "demo-" + dataset_name(path)
    return Scene(dataset, history, live, stretches(present), faults, table.interval_us, labelled)


def check_history(past: Sequence[SeriesTable], path: Path) -> None:
    """Raises SceneError if even the smallest window could not be trained."""
    longest = max(len(each.times) - (0 if each.labels is None else int(each.labels.sum())) for each in past)
    if longest < LEAST:
        needed = math.ceil(LEAST / TRAINING_SHARE)
        raise SceneError(
            f"{path} has at most {longest} readings in the first 60 % of a series that are not labelled; "
            f"give a series of at least {needed} readings"
        )


def dataset_name(path: Path) -> str:
    """A file's name as a data set may be called: lower case, with dashes for what is neither letter nor digit."""
    stem = path.resolve().name.split(".")[0].lower()
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in stem).split())[:40] or "file"


def split(table: Table) -> tuple[list[SeriesTable], list[SeriesTable]]:
    """The first 60 % of the rows of each series, and the rest; series too short to have both are left out."""
    whole = [series for series in table.series if len(series.times) > 1]
    if not whole:
        raise SceneError(f"{table.files[0]} has no series of more than one reading; the demo trains on the first 60 %")
    cuts = [round(TRAINING_SHARE * len(series.times)) for series in whole]
    past = [part(series, slice(None, cut)) for series, cut in zip(whole, cuts, strict=True)]
    present = [part(series, slice(cut, None)) for series, cut in zip(whole, cuts, strict=True)]
    return past, present


def part(series: SeriesTable, rows: slice) -> SeriesTable:
    """Some rows of a series."""
    labels = None if series.labels is None else series.labels[rows]
    return SeriesTable(series.name, series.times[rows], series.values[rows], labels)


def tables(recording: Recording, faults: Iterable[Fault] | None = None) -> list[SeriesTable]:
    """A recording series by series, with labels where faults are given."""
    by_series: dict[str, list[Fault]] = {name: [] for name in recording.series}
    for fault in faults or ():
        by_series[fault.series].append(fault)
    return [
        SeriesTable(name, recording.times, values, None if faults is None else during(recording.times, by_series[name]))
        for name, values in zip(recording.series, recording.values, strict=True)
    ]


def during(times: NDArray[np.int64], faults: Iterable[Fault]) -> NDArray[np.bool_]:
    """Which times lie in any of these faults, both ends included."""
    inside = np.zeros(len(times), bool)
    for fault in faults:
        inside |= (times >= fault.start) & (times <= fault.end)
    return inside


def labelled_runs(series: SeriesTable) -> list[Fault]:
    """Each unbroken run of labelled rows as one fault; nobody says of which feature."""
    if series.labels is None:
        return []
    edges = np.flatnonzero(np.diff(series.labels.astype(np.int8), prepend=0, append=0))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [
        Fault("labelled event", series.name, "", int(series.times[first]), int(series.times[stop - 1]))
        for first, stop in runs
    ]


def stretches(tables: Sequence[SeriesTable]) -> tuple[Stretch, ...]:
    """Where each series begins and ends."""
    return tuple(Stretch(each.name, int(each.times[0]), int(each.times[-1]), len(each.times)) for each in tables)


def write(tables: Sequence[SeriesTable], features: Sequence[str], path: Path) -> Path:
    """Write series into one CSV file in order of time, as they would come; a missing value is an empty cell."""
    frames = [frame(table, features) for table in tables]
    rows = pd.concat(frames).sort_values("timestamp", kind="stable")
    texts = {time: rfc3339(time) for time in rows["timestamp"].unique().tolist()}
    rows["timestamp"] = rows["timestamp"].map(texts)
    rows.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
    return path


def frame(table: SeriesTable, features: Sequence[str]) -> pd.DataFrame:
    """One series as columns, the label last where there is one."""
    columns = {"timestamp": table.times, "series_id": np.full(len(table.times), table.name, dtype=object)}
    values = dict(zip(features, table.values.T, strict=True))
    labels = {} if table.labels is None else {LABEL: table.labels.astype(np.int8)}
    return pd.DataFrame(columns | values | labels)


def write_faults(faults: Iterable[Fault], path: Path) -> None:
    """The truth as a file, one fault a line."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["kind", "series_id", "feature", "start", "end"])
        lines.writerows([*astuple(fault)[:3], rfc3339(fault.start), rfc3339(fault.end)] for fault in faults)
