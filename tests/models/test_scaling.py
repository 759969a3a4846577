"""Scaling there and back, and the features on which it could go wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scaling import FLOAT32_MAX, Moments, Scaler, ScalerError, rescale


def test_fitted_rows_have_mean_0_and_deviation_1():
    """Column by column."""
    rows = np.random.default_rng(1).normal([5, -300], [0.01, 40], (1000, 2))
    scaled = Scaler.fit(rows).transform(rows)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-5)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -3e38])
def test_a_constant_feature_survives(constant: float):
    """It scales to exactly 0, and a change of 1 is a change of 1."""
    scaler = Scaler.fit(np.full((1000, 1), constant))
    assert (scaler.mean.item(), scaler.scale.item()) == (constant, 1)
    assert scaler.transform(np.array([[constant]])).item() == 0


def test_missing_values_are_not_fitted():
    """NaN is left out; a feature that is always missing has mean 0 and scale 1; NaN stays NaN."""
    rows = np.array([[1.0, np.nan, 2.0], [3.0, np.nan, np.nan], [np.nan, np.nan, 4.0]])
    scaler = Scaler.fit(rows)
    assert scaler.mean.tolist() == [2, 0, 3]
    assert scaler.scale.tolist() == [1, 1, 1]
    np.testing.assert_array_equal(np.isnan(scaler.transform(rows)), np.isnan(rows))


@given(
    rows=st.lists(st.tuples(*[st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))] * 2), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=3),
)
def test_moments_of_parts_add_up(rows, cuts):
    """Wherever the rows are cut, also into parts without a row, what is known of all of them is the same."""
    table = np.array(rows).reshape(-1, 2)
    whole = Moments.of(table)
    added = sum(map(Moments.of, np.split(table, sorted(cuts))), Moments.of(table[:0]))
    assert added.rows == whole.rows == len(rows)
    for name in ("known", "low", "high"):
        np.testing.assert_array_equal(getattr(added, name), getattr(whole, name))
    np.testing.assert_allclose(added.mean, whole.mean, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(added.variance, whole.variance, rtol=1e-9, atol=1e-3)


def test_moments_far_from_zero_lose_nothing():
    """A deviation of 1 at 1e9 is one, though the squares of the values could not tell."""
    rows = np.random.default_rng(3).normal(1e9, 1, (1000, 1))
    moments = Moments.of(rows[:300]) + Moments.of(rows[300:])
    np.testing.assert_allclose(moments.variance, rows.var(axis=0), rtol=1e-6)


def test_no_rows_are_refused():
    """The message says what to give."""
    with pytest.raises(ScalerError, match="0 rows"):
        Scaler.fit(np.zeros((0, 3)))


def test_nothing_overflows():
    """A value at the end of float32 in units of a tiny deviation is clipped, not infinite."""
    scaler = Scaler(np.array([0.0]), np.array([1e-30]))
    assert scaler.transform(np.array([[3e38], [-3e38]])).ravel().tolist() == [FLOAT32_MAX, -FLOAT32_MAX]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(-10, 10))
def test_there_and_back(mean: float, scale: float, deviations: float):
    """Scaling and its inverse give the raw value, as shown to a person."""
    scaler = Scaler(np.array([mean]), np.array([scale]))
    raw = np.array([[mean + deviations * scale]])
    back = scaler.inverse(scaler.transform(raw))
    np.testing.assert_allclose(back, raw, atol=2e-6 * scale)
    np.testing.assert_allclose(scaler.shown(back), raw, atol=1e-4 * scale)


def test_values_are_shown_as_they_were_sent():
    """What float32 made 71.19999886 of is 71.2 again, to five digits below the deviation."""
    scaler = Scaler(np.array([64.0, 1e7]), np.array([4.0, 3e6]))
    shown = scaler.shown(scaler.inverse(scaler.transform(np.array([[71.2, 12_345_678.0]]))))
    assert shown.tolist() == [[71.2, 12_345_678.0]]


def test_json_keeps_every_bit():
    """A scaler written and read scales alike."""
    scaler = Scaler.fit(np.random.default_rng(2).normal(size=(50, 3)))
    assert Scaler.from_dict(json.loads(json.dumps(scaler.to_dict()))).equals(scaler)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"mean": [1]},
        {"mean": [1], "scale": [0]},
        {"mean": [1], "scale": [-1]},
        {"mean": [1, 2], "scale": [1]},
        {"mean": [float("nan")], "scale": [1]},
        {"mean": "x", "scale": [1]},
        {"mean": [[1]], "scale": [[1]]},
        {"mean": None, "scale": None},
    ],
)
def test_what_can_not_scale_is_refused(stored: dict[str, list[float]]):
    """A damaged file is one clear error, not a NaN later."""
    with pytest.raises(ScalerError):
        Scaler.from_dict(stored)


def test_rescaling_goes_through_raw_units():
    """Windows in one release's units become another's; between equal scalers not a bit changes."""
    old, new = Scaler(np.array([10.0]), np.array([2.0])), Scaler(np.array([0.0]), np.array([4.0]))
    windows = np.array([[[1.0], [-2.0]]], np.float32)
    assert rescale(windows, old, new).ravel().tolist() == [3.0, 1.5]
    assert rescale(windows, old, Scaler(old.mean.copy(), old.scale.copy())) is windows
