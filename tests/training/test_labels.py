"""Which column is the label, and what is taken for one by its name and never becomes a feature."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training import ingest


def read(tmp_path: Path, name: str, cells: Iterable[object], label: str | None = None) -> ingest.Table:
    """A CSV of a number and a column that may be a label."""
    file = tmp_path / "pump.csv"
    file.write_text(f"a,{name}\n" + "".join(f"{row}.5,{cell}\n" for row, cell in enumerate(cells)))
    return ingest.read(file, ingest.Wanted(label=label))


@pytest.mark.parametrize(
    "name", ["anomaly", "Anomalies", "isAnomaly", "is_anomaly", "LABEL", "labels", "anomalous", "is anomalous"]
)
def test_a_label_is_called_so_however_that_is_put(tmp_path, name):
    """In the plural, with `is` before it, with blanks, dashes or none."""
    table = read(tmp_path, name, [0, 1, 0])
    assert (table.label_column, table.features) == (name, ("a",))
    np.testing.assert_array_equal(table.series[0].labels, [False, True, False])


@pytest.mark.parametrize(
    "name", ["attack", "is_attack", "Normal/Attack", "attack_P1", "fault", "Faults", "failure", "class", "target"]
)
@pytest.mark.parametrize("cells", [(0, 1, 0), ("true", "false", "true"), (-1, 1, 1), (0, "", 1)])
def test_what_is_likely_a_label_is_no_feature(tmp_path, name, cells):
    """It would give the answer away; the note says how it becomes a label, or a feature."""
    table = read(tmp_path, name, cells)
    assert (table.label_column, table.features) == (None, ("a",))
    assert table.notes == (
        f"column '{name}' is ignored: with that name and two values it is likely a label; "
        f"--label '{name}' makes it one, another name a feature",
    )


def test_what_is_likely_a_label_can_be_one(tmp_path):
    """If it is named."""
    table = read(tmp_path, "fault", [0, 1, 0], label="fault")
    assert (table.label_column, table.features, table.notes) == ("fault", ("a",), ())


@pytest.mark.parametrize("name", ["target", "fault", "angle of attack"])
def test_more_than_two_values_are_a_sensor(tmp_path, name):
    """A setpoint, the number of a fault."""
    assert read(tmp_path, name, [0, 1, 2]).features == ("a", name)


def test_a_label_may_be_the_value_of_long_form(tmp_path):
    """What is named goes before what a name says."""
    file = tmp_path / "pump.csv"
    file.write_text("tag,fault\nx,0\ny,1\nx,1\ny,0\n")
    table = ingest.read(file, ingest.Wanted(feature="tag", value="fault"))
    assert table.features == ("x", "y")


def test_a_label_of_parquet_may_be_text(tmp_path):
    """As numbers may."""
    file = tmp_path / "pump.parquet"
    pq.write_table(pa.table({"a": [1.5, 2.5], "label": ["0", "1"]}), file)
    np.testing.assert_array_equal(ingest.read(file).series[0].labels, [False, True])
