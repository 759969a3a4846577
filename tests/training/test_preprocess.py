"""Preparation: what is fitted, what is said, and that nothing looks ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scaling import Moments
from schemas.training import SplitConfig, TrainingConfig
from training import ingest
from training.artifacts import read_json
from training.preprocess import Prepared, TooLittleData, prepare, spreads
from training.rows import blocks
from training.shrinking import SMALLEST
from training.split import PARTS
from training.table import SeriesTable, Table, load

CONFIG = TrainingConfig.model_validate({"window": {"size": 8}})
SECOND = 1_000_000


def table(*values: np.ndarray, labels: np.ndarray | None = None, times: np.ndarray | None = None) -> Table:
    """Series of one reading a second."""
    series = [
        SeriesTable(f"s{k}", np.arange(len(each)) * SECOND if times is None else times, each, labels)
        for k, each in enumerate(values)
    ]
    names = tuple(f"f{k}" for k in range(values[0].shape[1]))
    return Table(names, tuple(series), SECOND, (Path("file.csv"),), None, "", None, None, ())


def scaled(data: Table, prepared: Prepared) -> np.ndarray:
    """All rows as the networks see them, in blocks as they come."""
    found = blocks(data, prepared.split, prepared.scaler, prepared.hold_limit)
    return np.concatenate([block.scaled for block in found])


def noise(rows: int, features: int = 2, seed: int = 0) -> np.ndarray:
    """Nothing to see."""
    return np.random.default_rng(seed).normal(size=(rows, features))


def test_the_scaler_knows_nothing_of_the_test_part():
    """Its mean is that of all rows before it that no label calls an anomaly."""
    values, labels = noise(400), np.zeros(400, bool)
    values[100:110] += 50
    labels[100:110] = True
    prepared = prepare(table(values, labels=labels), CONFIG)
    fitting = (np.arange(400) < 10 + int(0.85 * 390)) & ~labels  # 85 % of what is not labelled
    np.testing.assert_allclose(prepared.scaler.mean, values[fitting].mean(axis=0))
    assert prepared.split.excluded == 17


@given(change=st.integers(0, 399), value=st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6)))
def test_nothing_looks_ahead(change, value):
    """Changing one reading changes no row before it, and no fitted figure unless it may be fitted to."""
    values = noise(400)
    values[::7, 0] = np.nan
    changed = values.copy()
    changed[change, 0] = value
    before, after = prepare(table(values), CONFIG), prepare(table(changed), CONFIG)
    rows = [scaled(table(each), prepared) for each, prepared in ((values, before), (changed, after))]
    if not before.split.fitting[change]:
        np.testing.assert_array_equal(before.scaler.mean, after.scaler.mean)
        np.testing.assert_array_equal(before.scaler.scale, after.scaler.scale)
        np.testing.assert_array_equal(rows[0][:change], rows[1][:change])
    for part in PARTS:
        np.testing.assert_array_equal(before.split.windows[part], after.split.windows[part])


def test_a_slower_clock_in_the_test_part_changes_no_gap():
    """The policy for pauses is measured where the detector is fitted, and nowhere later."""
    config = CONFIG.model_copy(update={"split": SplitConfig(train=0.3, validation=0.2, calibration=0.2)})
    steps = np.where(np.arange(400) < 120, 1, 5)
    prepared = prepare(table(noise(400), times=np.cumsum(steps) * SECOND), config)
    assert (prepared.interval_us, prepared.gap_us) == (SECOND, 10 * SECOND)


def test_a_constant_feature_survives():
    """It is scaled to 0, not to nothing or NaN, and said to be constant."""
    values = noise(400)
    values[:, 1] = 5.0
    prepared = prepare(table(values), CONFIG)
    rows = scaled(table(values), prepared)
    assert (rows[:, 1] == 0).all()
    assert np.isfinite(rows).all()
    assert "constant before the test part: f1; any change there will stand out" in prepared.notes


def test_a_feature_without_a_value_before_the_test_part():
    """There is nothing to scale it by: it is taken as it is."""
    values = noise(400)
    values[:340, 1] = np.nan
    prepared = prepare(table(values), CONFIG)
    rows = scaled(table(values), prepared)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows[340:, 1], values[340:, 1], rtol=1e-6)


def test_series_that_differ_more_than_they_vary_are_warned_of():
    """Two machines far from each other in most features, against two that are alike."""
    far = table(noise(400), noise(400, seed=1) + 100)
    (warning,) = prepare(far, CONFIG).warnings
    assert "series differ from each other more than each varies by itself, in 2 of 2 features (f0, f1)" in warning
    assert prepare(table(noise(400), noise(400, seed=1)), CONFIG).warnings == ()


def test_spreads_leave_out_what_is_missing():
    """A series without any value of a feature says nothing about it."""
    values = [noise(100), noise(100, seed=1), noise(100, seed=2)]
    values[2][:, 0] = np.nan
    between, within = spreads([Moments.of(each) for each in values])
    assert between[0] == pytest.approx(np.var([values[k][:, 0].mean() for k in (0, 1)]))
    assert within[0] == pytest.approx(np.mean([values[k][:, 0].var() for k in (0, 1)]))


def test_pauses_and_short_series_are_told():
    """What is not used is said."""
    pausing = np.arange(400) * SECOND + np.where(np.arange(400) >= 50, 60 * SECOND, 0)
    assert any(
        "1 pause longer than 10 intervals" in note for note in prepare(table(noise(400), times=pausing), CONFIG).notes
    )
    notes = prepare(table(noise(400), noise(5)), CONFIG).notes
    assert "1 series shorter than a window are not used: s1" in notes


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (7, "window size 8 is longer than the 7 readings of series 's0'; give at least 8, or lower window.size"),
        (100, "no window of 8 rows fits into the validation part: series 's0' has 100 readings outside of labelled"),
        (100, "give at least 160 without a long pause, or shorten the window (--set window.size=5)"),
    ],
)
def test_too_little_data_says_how_much_would_do(rows, expected):
    """The message names the window, the series, its readings, and both remedies."""
    with pytest.raises(TooLittleData) as caught:
        prepare(table(noise(rows)), CONFIG)
    assert expected in str(caught.value)


def test_nothing_but_anomalies():
    """No window would help: the column of labels is the matter."""
    with pytest.raises(TooLittleData, match=r"every reading is labelled an anomaly; .* --label, .* --ignore"):
        prepare(table(noise(400), labels=np.ones(400, bool)), CONFIG)


def test_a_window_too_short_is_not_proposed():
    """Below 4 readings there is no window: only more readings would do."""
    smallest = CONFIG.model_copy(update={"window": CONFIG.window.model_copy(update={"size": SMALLEST})})
    with pytest.raises(TooLittleData, match=r"longer than the 3 readings of series 's0'; give at least 4$"):
        prepare(table(noise(3)), smallest)
    with pytest.raises(TooLittleData, match=r"give at least 160 without a long pause$"):
        prepare(table(noise(60)), CONFIG)


def test_both_remedies_work():
    """What the message proposes is enough."""
    shorter = CONFIG.model_copy(update={"window": CONFIG.window.model_copy(update={"size": 5})})
    for prepared in (prepare(table(noise(160)), CONFIG), prepare(table(noise(100)), shorter)):
        assert all(len(windows) for windows in prepared.split.windows.values())


def test_what_the_stage_leaves(trained):
    """Readings without holes, each with its part, and how they were cut."""
    cleaned = pq.read_table(trained.artifacts.cleaned)
    assert cleaned.column_names == ["series_id", "timestamp", "flow", "temp", "level", "label", "part"]
    assert cleaned["level"].null_count == 0
    assert set(cleaned["part"].to_pylist()) == {*PARTS, "between"}
    window = read_json(trained.artifacts.window)
    assert (window["size"], window["interval_us"], window["gap_us"]) == (8, SECOND, 10 * SECOND)
    assert window["windows"]["train"] == len(np.load(trained.artifacts.loader("X_train")))


def test_raw_readings_come_back(trained):
    """The table that a later stage loads is the table that was read."""
    read, loaded = ingest.read(trained.file), load(trained.artifacts)
    for name in ("features", "interval_us", "files", "time_column", "series_column", "label_column", "notes"):
        assert getattr(read, name) == getattr(loaded, name)
    for one, other in zip(read.series, loaded.series, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.times, other.times)
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.labels, other.labels)
