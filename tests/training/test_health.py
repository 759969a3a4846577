"""What is said of a data set before training: every figure counted by hand, and readable whatever its size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from training.grid import Resampling
from training.health import Health, Labels, Pause, examine
from training.table import SeriesTable, Table
from training.understood import MOST_FEATURES, facts, facts_grid, features_grid

SECOND = 1_000_000


def table(*series: SeriesTable, features: int = 3, **fields: object) -> Table:
    """A table of these series, once a second."""
    known = {"files": (Path("plant.csv"),), "time_column": "time", "time_form": "", "notes": (), "label_column": None}
    names = tuple(f"f{k}" for k in range(features))
    return Table(names, series, SECOND, **{"series_column": None, **known, **fields})  # type: ignore[arg-type]


def plant() -> Table:
    """Two series: a pause and a jitter in one, labels in the other; f0 has holes, f1 is constant, f2 has few values."""
    rows = np.arange(30.0).reshape(10, 3)
    rows[:, 1] = 5
    rows[2, 0] = np.nan
    rows[:, 2] = np.nan
    late = rows.copy()
    late[0, 2] = -1
    times = np.arange(10) * SECOND
    paused = times + np.where(np.arange(10) > 4, 60 * SECOND, 0) + np.where(np.arange(10) == 8, SECOND // 2, 0)
    labels = np.isin(np.arange(10), (1, 2, 7))
    return table(SeriesTable("a", paused, rows, None), SeriesTable("b", times[:7], late[:7], labels[:7]))


def test_every_figure():
    """Of steps, pauses, what is missing or constant, and labels."""
    data = plant()
    health = examine(data.series, data.features, data.interval_us)
    assert health.rows_by_series == (7, 8, 10)
    assert (health.start, health.end) == (0, 69 * SECOND)
    assert health.unsteady_share == pytest.approx(3 / 15)
    assert (health.shortest_us, health.longest_us) == (SECOND // 2, 61 * SECOND)
    assert (health.pauses, health.longest_pause) == (1, Pause("a", 4 * SECOND, 65 * SECOND))
    assert health.missing_share == pytest.approx((2 + 16) / 51)
    assert [one.missing_share for one in health.features.values()] == pytest.approx([2 / 17, 0, 16 / 17])
    assert [one.constant for one in health.features.values()] == [False, True, True]
    assert (health.features["f0"].low, health.features["f0"].high) == (0, 27)
    assert health.labels == Labels(rows=7, anomalous=2, events=1)


def test_one_reading_is_healthy():
    """There is no step to speak of."""
    health = examine([SeriesTable("a", np.array([5]), np.ones((1, 1)), None)], ["f0"], SECOND)
    assert (health.unsteady_share, health.pauses, health.longest_us, health.labels) == (0, 0, 0, None)


def printed(data: Table, health: Health, width: int = 100) -> str:
    """Both tables on a screen."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(facts_grid(data, health), features_grid(health))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_is_said():
    """In words."""
    data = plant()
    said = dict(facts(data, examine(data.series, data.features, data.interval_us)))
    assert said["readings"] == "17 of 2 series: 7 to 10 each, 8 in the middle"
    assert said["interval"] == "one each 1 s; 20.00% of steps are off that by more than a tenth (500 ms to 1.017 min)"
    assert said["pauses"].startswith("1 longer than 10 intervals; the longest, 1.017 min, in series 'a' from 1970")
    assert said["missing"] == "35.29% of the values, most in f2 94.12%, f0 11.76%"
    assert said["constant"] == "f1, f2"
    assert "grid" not in said


def test_a_grid_is_said():
    """With what the stream must be like."""
    data = table(*plant().series, resampled=Resampling(5 * SECOND, "mean"))
    said = dict(facts(data, examine(data.series, data.features, data.interval_us)))
    assert said["grid"] == "resampled: a reading is the mean of each 5 s; send the stream so too"


@pytest.mark.parametrize(("series", "features"), [(1, 3), (1000, 3), (1, 300), (200, 300)])
def test_it_stays_readable(series, features):
    """A screen's worth of lines at most, none longer than the screen; what is shown of many are the telling ones."""
    rows = np.random.default_rng(0).normal(size=(5, features))
    rows[:, -1] = 7
    rows[:2, -2] = np.nan
    names = [f"machine-{k}" for k in range(series)]
    data = table(*(SeriesTable(name, np.arange(5) * SECOND, rows, None) for name in names), features=features)
    text = printed(data, examine(data.series, data.features, data.interval_us))
    lines = text.splitlines()
    assert len(lines) <= 12 + min(features, MOST_FEATURES) + 2
    assert max(map(len, lines)) <= 100
    assert f"f{features - 1} " in text
    assert f"f{features - 2} " in text
    assert ("more" in text) == (features > MOST_FEATURES)
