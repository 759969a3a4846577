"""Long form: found where it is unmistakable, read as told elsewhere, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.files import check_refused
from training import ingest
from training.faults import DataError
from training.grid import Resampling

SECOND = 1_000_000
TAGS = "".join(f"{time},{tag},{10 * time + place}\n" for time in range(6) for place, tag in enumerate(("b", "a")))


def read(folder: Path, content: str, **options: Any) -> ingest.Table:
    """Write a file and read it."""
    (folder / "plant.csv").write_text(content)
    return ingest.read(folder / "plant.csv", ingest.Wanted(**options))


@pytest.mark.parametrize("name", ["metric", "sensor", "Variable", "signal_name", "_field"])
def test_it_is_found_by_its_names(tmp_path, name):
    """Features stand in the order in which they come; the note says how it was read, and how else it could be."""
    table = read(tmp_path, f"time,{name},value\n" + TAGS)
    assert table.features == ("b", "a")
    assert table.feature_column == name
    (series,) = table.series
    assert (series.name, series.times.tolist()) == ("plant", [time * SECOND for time in range(6)])
    np.testing.assert_array_equal(series.values, [[10 * time, 10 * time + 1] for time in range(6)])
    (note,) = table.notes
    assert note.startswith(f"read in long form: column '{name}' names the feature whose value is in 'value'")


def test_names_that_leave_room_for_doubt_are_not_enough(tmp_path):
    """A second column of numbers, or --series, makes it wide."""
    rows = "".join(f"{time},{tag},{time},{time}.5\n" for time in range(8) for tag in ("a", "b"))
    beside = read(tmp_path, "time,sensor,value,quality\n" + rows)
    assert beside.features == ("value", "quality")
    assert [series.name for series in beside.series] == ["a", "b"]
    told = read(tmp_path, "time,sensor,value\n" + TAGS * 1, series="sensor")
    assert told.features == ("value",)
    assert [series.name for series in told.series] == ["b", "a"]


def test_columns_can_be_named(tmp_path):
    """Whatever they are called; numbers may name features; what is left over is said to be ignored."""
    rows = "".join(f"{time},{place},{time + place},9,7\n" for time in range(8) for place in (1, 2))
    table = read(tmp_path, "time,tag_id,x,y,quality\n" + rows, feature="tag_id", value="x")
    assert table.features == ("1", "2")
    assert [note.split("'")[1] for note in table.notes] == ["y", "quality"]
    (series,) = table.series
    np.testing.assert_array_equal(series.values, [[time + 1, time + 2] for time in range(8)])


def test_series_and_labels_go_with_it(tmp_path):
    """A column of series is found among the rest; a time is an anomaly if any of its values is."""
    rows = "".join(
        f"{time},{machine},{tag},{time},{int((time, machine, tag) == (3, 'm1', 'b'))}\n"
        for time in range(8)
        for machine in ("m0", "m1")
        for tag in ("a", "b")
    )
    table = read(tmp_path, "time,machine,metric,value,anomaly\n" + rows)
    assert table.features == ("a", "b")
    assert [series.name for series in table.series] == ["m0", "m1"]
    labels = [series.labels for series in table.series]
    assert labels[0] is not None
    assert labels[1] is not None
    assert (labels[0].tolist(), labels[1].tolist()) == ([False] * 8, [time == 3 for time in range(8)])


def test_features_that_come_at_their_own_times(tmp_path):
    """A time that only one of them has is a row with the others missing, and a grid brings them together."""
    rows = "".join(f"{2 * time},a,{time}\n{2 * time + 1},b,{time}\n" for time in range(6))
    apart = read(tmp_path, "time,metric,value\n" + rows)
    assert np.isnan(apart.series[0].values).mean() == 0.5
    assert apart.notes[-1] == (
        "half or more of the values are missing, for features are seldom at the same times; "
        "--resample 2s would put them on one grid"
    )
    together = read(tmp_path, "time,metric,value\n" + rows, resample=Resampling(2 * SECOND))
    assert not np.isnan(together.series[0].values[1:-1]).any()


def test_a_folder_of_long_files(tmp_path):
    """One series spread over days, and a feature that is not there every day."""
    (tmp_path / "day1.csv").write_text("time,device,metric,value\n" + "".join(f"{t},p,a,{t}\n" for t in range(8)))
    (tmp_path / "day2.csv").write_text(
        "time,device,metric,value\n" + "".join(f"{t},p,a,{t}\n{t},p,b,{t}\n" for t in range(8, 16))
    )
    table = ingest.read(tmp_path)
    assert table.features == ("a", "b")
    (series,) = table.series
    assert series.times.tolist() == [time * SECOND for time in range(16)]
    assert np.isnan(series.values[:, 1]).tolist() == [True] * 8 + [False] * 8


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "time backwards within a feature": (
        "time,metric,value\n1,a,1\n1,b,1\n2,a,1\n2,b,1\n3,a,1\n0,b,1\n",
        {},
        "line 7: time 1970-01-01T00:00:00Z of series 'plant', feature 'b', is before 1970-01-01T00:00:02Z above it",
    ),
    "a value twice": (
        "time,metric,value\n1,a,1\n1,a,2\n2,a,1\n",
        {},
        "line 3: time 1970-01-01T00:00:01Z of series 'plant', feature 'a', repeats 1970-01-01T00:00:01Z above it; keep",
    ),
    "a value that is no number": (
        "time,metric,value\n1,a,1\n2,a,x\n3,a,4\n",
        {"feature": "metric"},
        "line 3, column 'value'",
    ),
    "no feature": (
        "time,metric,value\n1,a,1\n2,,1\n",
        {},
        "line 3, column 'metric': no feature; mend or remove the line",
    ),
    "no values": (
        "time,metric,value\n1,a,x\n2,a,y\n",
        {"feature": "metric", "value": "value"},
        "column 'value' holds no numbers",
    ),
    "unknown column": (
        "time,metric,value\n1,a,1\n",
        {"feature": "tag"},
        "has no column 'tag' (--feature); it has time",
    ),
    "two candidates": (
        "time,metric,x,y\n1,a,1,2\n",
        {"feature": "metric"},
        "it is not clear which of its columns is --value (time, metric, x, y); name it with --value",
    ),
    "infinite": ("time,metric,value\n1,a,1\n2,a,inf\n", {}, "line 3, column 'value': inf is infinite"),
    "named and ignored": (
        "time,metric,value\n1,a,1\n",
        {"value": "value", "ignore": ("value",)},
        "by --value and by --ignore; a column has one role",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_gets_one_sentence(tmp_path, case):
    """With the line, the feature and the way out."""
    content, options, expected = BAD[case]
    check_refused(lambda: read(tmp_path, content, **options), expected)


def test_long_and_wide_files_do_not_mix(tmp_path):
    """The message names one of each."""
    (tmp_path / "a.csv").write_text("time,metric,value\n1,a,1\n2,a,1\n")
    (tmp_path / "b.csv").write_text("time,a\n3,1\n4,1\n")
    with pytest.raises(
        DataError, match=r"a\.csv is in long form \(column 'metric' names features\) and .*b\.csv is not"
    ):
        ingest.read(tmp_path)
