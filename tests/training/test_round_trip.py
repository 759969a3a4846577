"""A data set written in any form is read back as the same data set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.training import files
from tests.training.files import SECOND, by_series, scratch
from training import ingest
from training.artifacts import Artifacts, write_json
from training.table import describe, load, save

FEATURES = ("flow", "temp", "level")
START = 1_600_000_000 * SECOND
numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 3) + 0.0)  # no -0.0: a text table may lose its sign
values = st.one_of(st.just(float("nan")), numbers)


@st.composite
def data_sets(draw: st.DrawFn) -> pd.DataFrame:
    """Readings of one to three machines, in order of time; some values are missing, and no feature is without any."""
    steps = draw(st.lists(st.integers(1, 10**9), min_size=8, max_size=20))
    machines = [f"m{k}" for k in range(draw(st.integers(1, 3)))]
    times = START + np.cumsum(steps)
    rows = draw(
        st.lists(
            st.tuples(numbers, values, values), min_size=len(times) * len(machines), max_size=len(times) * len(machines)
        )
    )
    frame = pd.DataFrame(rows, columns=FEATURES)
    frame.insert(0, "time", np.repeat(times, len(machines)))
    frame.insert(1, "machine", machines * len(times))
    frame.loc[: len(machines) - 1, list(FEATURES)] = 1.5  # what has no value at all is not in a long file
    frame["time"] = pd.to_datetime(frame["time"], unit="us", utc=True).dt.tz_localize(None)
    return frame


def check(table: ingest.Table, expected: dict[str, tuple[list[int], Any]]) -> None:
    """The same series, times and values; the features may stand in another order, rows without any value be gone."""
    assert {series.name for series in table.series} == expected.keys()
    for series in table.series:
        times, cells = expected[series.name]
        order = [FEATURES.index(name) for name in table.features]
        kept = ~np.isnan(cells).all(axis=1) if table.feature_column else np.ones(len(cells), bool)
        there = np.isin(series.times, np.array(times)[kept])
        assert series.times[there].tolist() == np.array(times)[kept].tolist()
        np.testing.assert_array_equal(series.values[there], cells[kept][:, order])
        assert np.isnan(series.values[~there]).all()


@given(shape=st.sampled_from(files.SHAPES), form=st.sampled_from(files.FORMATS), readings=data_sets())
def test_every_form_is_read_back(shape, form, readings):
    """Wide or long, text, zipped or Parquet, by any time: what was written."""
    with scratch("plant", form(shape(readings))) as file:
        check(ingest.read(file), by_series(readings))


@given(readings=data_sets())
def test_a_run_keeps_what_was_read(readings):
    """The next stage loads the very table, row groups and all."""
    with scratch("plant.csv", files.csv(readings)) as file:
        table, artifacts = ingest.read(file), Artifacts(file.parent).make()
        save(table, artifacts.raw)
        write_json(artifacts.ingestion, describe(table))
        loaded = load(artifacts)
    assert (loaded.features, loaded.interval_us, loaded.notes) == (table.features, table.interval_us, table.notes)
    check(loaded, by_series(readings))
