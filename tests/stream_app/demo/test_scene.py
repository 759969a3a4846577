"""The scene: files that can be trained on and streamed, and the truth about them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from stream_app.demo.faults import Fault
from stream_app.demo.plant import MINUTE, Plant, simulate
from stream_app.demo.scene import SceneError, Stretch, dataset_name, from_file, from_plant, labelled_runs
from training.ingest import SeriesTable, read

SECOND = 1_000_000


@pytest.fixture(scope="module")
def plant() -> Plant:
    """A plant of two pumps."""
    return simulate(3, pumps=2, history_rows=600, live_rows=2200)


def test_the_files_hold_the_plant(plant: Plant, tmp_path: Path) -> None:
    """What the reader of training makes of live.csv is the plant again, labels included; history has none."""
    scene = from_plant(plant, tmp_path)
    table = read(scene.live)
    assert table.features == plant.live.features
    assert table.interval_us == scene.interval == MINUTE
    for series, values in zip(table.series, plant.live.values, strict=True):
        np.testing.assert_array_equal(series.times, plant.live.times)
        np.testing.assert_array_equal(series.values, values)
        told = {(fault.start, fault.end) for fault in plant.faults if fault.series == series.name}
        assert {(fault.start, fault.end) for fault in labelled_runs(series)} == told
    assert read(scene.history).label_column is None
    assert read(scene.history).rows == 2 * 600


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    """All three files are the same, whenever they are written."""
    for run in ("one", "two"):
        from_plant(simulate(5, pumps=2, history_rows=600, live_rows=2200), tmp_path / run)
    for name in ("history.csv", "live.csv", "faults.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_faults_are_a_file_too(plant: Plant, tmp_path: Path) -> None:
    """A line for each fault with kind, series, feature, start and end."""
    from_plant(plant, tmp_path)
    rows = list(csv.DictReader((tmp_path / "faults.csv").read_text().splitlines()))
    assert [(row["kind"], row["series_id"], row["feature"]) for row in rows] == [
        (fault.kind, fault.series, fault.feature) for fault in plant.faults
    ]
    assert rows[0]["start"].endswith("Z")


def test_a_file_of_the_user(tmp_path: Path) -> None:
    """The first 60 % of each series are history, the rest is live; each run of labels is an event to find."""
    lines = [f"{second};{2 * second};{int(250 <= second < 280)}" for second in range(300)]
    source = tmp_path / "My Pump.csv"
    source.write_text("\n".join(["time;flow;label", *lines]))
    scene = from_file(source, tmp_path / "demo")
    assert scene.dataset == "demo-my-pump"
    assert scene.faults == (Fault("labelled event", "My Pump", "", 250 * SECOND, 279 * SECOND),)
    assert scene.stretches == (Stretch("My Pump", 180 * SECOND, 299 * SECOND, 120),)
    assert read(scene.history).rows == 180
    assert read(scene.live).series[0].values[:, 0].tolist() == list(range(360, 600, 2))


def plain(path: Path, rows: int, labelled: int = 0) -> Path:
    """A file of so many rows, of which the first ones are labelled, if any."""
    label = ",anomaly" if labelled else ""
    lines = [f"{k},{k % 7}{f',{int(k < labelled)}' if labelled else ''}" for k in range(rows)]
    path.write_text("\n".join([f"time,flow{label}", *lines]))
    return path


def test_a_file_without_labels_has_no_truth(tmp_path: Path) -> None:
    """Then there is nothing to find, and the scene says that it knows nothing."""
    scene = from_file(plain(tmp_path / "plain.csv", 300), tmp_path / "demo")
    assert (scene.faults, scene.labelled) == ((), False)


@pytest.mark.parametrize(
    ("rows", "labelled", "says"),
    [
        (1, 0, "has no series of more than one reading"),
        (264, 0, "give a series of at least 267 readings"),
        (300, 21, "at most 159 readings in the first 60 % of a series that are not labelled"),
    ],
)
def test_a_file_too_short(tmp_path: Path, rows: int, labelled: int, says: str) -> None:
    """One sentence names the file, what it lacks, and how much would do."""
    with pytest.raises(SceneError, match=rf"short\.csv {says}|short\.csv .*{says}"):
        from_file(plain(tmp_path / "short.csv", rows, labelled), tmp_path / "demo")


@pytest.mark.parametrize(
    ("file", "name"), [("Pump 7.csv", "pump-7"), ("x/machine-1-1.csv.gz", "machine-1-1"), ("ночь.csv", "file")]
)
def test_dataset_name(file: str, name: str) -> None:
    """A name that any store and any topic takes."""
    assert dataset_name(Path(file)) == name


def test_labelled_runs_at_the_ends() -> None:
    """Runs that touch the first and the last row count, with both ends included."""
    labels = np.array([1, 1, 0, 1], bool)
    series = SeriesTable("a", np.array([10, 20, 30, 40]), np.zeros((4, 1)), labels)
    assert [(fault.start, fault.end) for fault in labelled_runs(series)] == [(10, 20), (40, 40)]
