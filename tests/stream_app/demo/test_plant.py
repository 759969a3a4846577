"""The plant: the same for a seed, coherent, and faulty exactly where it says so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from stream_app.demo.faults import KINDS, QUIET, Order, faulty, plan
from stream_app.demo.plant import DAY, MINUTE, SENSORS, START, Plant, run, simulate

SEED = 7


@pytest.fixture(scope="module")
def plant() -> Plant:
    """A plant of three pumps with two days of history."""
    return simulate(SEED, pumps=3, history_rows=2 * DAY, live_rows=2500)


def test_same_seed_same_plant(plant: Plant) -> None:
    """A seed gives the same values and faults to the last digit, another seed others."""
    again, other = (simulate(seed, pumps=3, history_rows=2 * DAY, live_rows=2500) for seed in (SEED, SEED + 1))
    np.testing.assert_array_equal(again.live.values, plant.live.values)
    np.testing.assert_array_equal(again.history.values, plant.history.values)
    assert again.faults == plant.faults
    assert other.faults != plant.faults


def test_live_follows_history_minute_by_minute(plant: Plant) -> None:
    """Times are whole minutes from the start, without a hole where history ends."""
    times = np.concatenate([plant.history.times, plant.live.times])
    np.testing.assert_array_equal(times, START + MINUTE * np.arange(2 * DAY + 2500))
    assert plant.live.values.shape == (3, 2500, len(SENSORS))


def test_about_one_value_in_two_hundred_is_missing(plant: Plant) -> None:
    """Missing values are there, in history and live, and not many."""
    for recording in (plant.history, plant.live):
        assert 0.003 < np.isnan(recording.values).mean() < 0.007


def test_values_are_what_such_sensors_show(plant: Plant) -> None:
    """History stays within what a pump of this size can do."""
    low = np.nanmin(plant.history.values, axis=(0, 1))
    high = np.nanmax(plant.history.values, axis=(0, 1))
    assert (low > [600, 60, 0.1, 0.5, 10, 10, 0.5, 2.0]).all()
    assert (high < [1600, 300, 0.8, 7.0, 90, 80, 4.0, 4.5]).all()


def test_sensors_move_together() -> None:
    """Each sensor of a healthy pump is told by the others but for a small rest."""
    rows = run(np.random.default_rng(SEED), 1, 4 * DAY)[0]
    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    rest = 1 / np.diag(np.linalg.inv(np.corrcoef(scaled.T)))  # share of variance the others can not explain
    assert (rest < 0.3).all(), dict(zip([sensor.name for sensor in SENSORS], rest, strict=True))


def test_each_pump_meets_each_kind_once(plant: Plant) -> None:
    """All five kinds on every pump, apart from each other, on five sensors."""
    for series in plant.live.series:
        own = sorted((fault for fault in plant.faults if fault.series == series), key=lambda fault: fault.start)
        assert sorted(fault.kind for fault in own) == sorted(KINDS)
        assert len({fault.feature for fault in own}) == len(KINDS)
        assert own[0].start >= plant.live.times[0] + QUIET * MINUTE
        assert own[-1].end < plant.live.times[-1] - (QUIET - 1) * MINUTE
        for before, after in pairwise(own):
            assert after.start - before.end > QUIET * MINUTE


def test_nothing_is_wrong_outside_of_the_labels(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    """Without its faults the plant is the same in all rows and sensors that no label names, and in no others."""
    monkeypatch.setattr("stream_app.demo.plant.inflict", lambda clean, orders, spread: clean)
    healthy = simulate(SEED, pumps=3, history_rows=2 * DAY, live_rows=2500)
    differs = (healthy.live.values != plant.live.values) & ~np.isnan(plant.live.values)
    for fault in plant.faults:
        pump, sensor = plant.live.series.index(fault.series), plant.live.features.index(fault.feature)
        inside = (plant.live.times >= fault.start) & (plant.live.times <= fault.end)
        assert differs[pump, inside, sensor].mean() > 0.9
        differs[pump, inside, sensor] = False
    assert not differs.any()
    np.testing.assert_array_equal(healthy.history.values, plant.history.values)


ORDER = Order("spike", pump=0, sensor=0, first=500, last=503, size=2.0)
HEALTHY = np.arange(1000.0)


def test_what_each_kind_does() -> None:
    """By hand, on a sensor that counts up by one a minute; sizes are in its unit."""
    did = {kind: faulty(replace(ORDER, kind=kind), HEALTHY, 3.0).tolist() for kind in KINDS}
    assert did == {
        "spike": [503, 504, 505, 506],
        "level shift": [503, 504, 505, 506],
        "stuck sensor": [500, 500, 500, 500],
        "slow drift": [500, 502, 504, 506],
        "lost correlation": [63, 64, 65, 66],
    }


def test_unknown_kind_is_named() -> None:
    """A kind that nobody defined is an error that lists the others."""
    with pytest.raises(ValueError, match="no fault is of kind 'rust'; the kinds are spike, level shift"):
        faulty(replace(ORDER, kind="rust"), HEALTHY, 1.0)


def test_too_few_rows_for_the_faults() -> None:
    """A live part that can not hold its faults and the pauses between them says so."""
    with pytest.raises(ValueError, match="900 live rows have no room for faults of"):
        plan(np.random.default_rng(1), 1, len(SENSORS), 0, 900)
