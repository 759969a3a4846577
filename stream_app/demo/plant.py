"""A plant of pumps that does not exist, the same to the last digit for the same seed.

Each pump follows a hidden load (daily rhythm, changes of regime, restless demand) and a hidden resistance of its
pipes. Its eight sensors all answer to those two, so they move together, and one that stops doing so can be told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from stream_app.demo.faults import Fault, inflict, plan

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sensor:
    """A sensor's name, one standard deviation of its own noise in its unit, and how many decimals it shows."""

    name: str
    noise: float
    decimals: int


SENSORS = (
    Sensor("speed_rpm", 5.0, 1),
    Sensor("flow_m3h", 1.4, 1),
    Sensor("pressure_in_bar", 0.006, 3),
    Sensor("pressure_out_bar", 0.05, 3),
    Sensor("current_a", 0.6, 2),
    Sensor("temperature_c", 0.4, 2),
    Sensor("vibration_mm_s", 0.04, 3),
    Sensor("level_m", 0.015, 3),
)
START = 1_740_960_000_000_000  # Monday 2025-03-03T00:00:00Z in microseconds; the past, whatever the clock says
MINUTE = 60_000_000
DAY = 1440  # minutes
MISSING_SHARE = 0.005


@dataclass(frozen=True, eq=False)
class Recording:
    """What the sensors of all pumps said, minute by minute. A missing value is NaN."""

    series: tuple[str, ...]
    features: tuple[str, ...]
    times: NDArray[np.int64]  # (minute,) microseconds UTC
    values: Array  # (pump, minute, sensor)


@dataclass(frozen=True, eq=False)
class Plant:
    """A quiet past to learn from, and a present in which known things go wrong."""

    history: Recording
    live: Recording
    faults: tuple[Fault, ...]


def simulate(seed: int, pumps: int = 6, history_rows: int = 6 * DAY, live_rows: int = 3000) -> Plant:
    """The past has all that normal life has, and no fault; rows are minutes of each pump."""
    weather, mischief, dropouts = (np.random.default_rng([seed, stream]) for stream in range(3))
    rows = history_rows + live_rows
    clean = run(weather, pumps, rows)
    orders = plan(mischief, pumps, len(SENSORS), history_rows, rows)
    values = shown(inflict(clean, orders, spread=clean[:, :history_rows].std(axis=(0, 1))))
    values[dropouts.random(values.shape) < MISSING_SHARE] = np.nan
    series = tuple(f"pump-{pump + 1}" for pump in range(pumps))
    features = tuple(sensor.name for sensor in SENSORS)
    times = START + MINUTE * np.arange(rows, dtype=np.int64)
    past = Recording(series, features, times[:history_rows], values[:, :history_rows])
    present = Recording(series, features, times[history_rows:], values[:, history_rows:])
    return Plant(past, present, tuple(order.labelled(series, features, times) for order in orders))


def run(rng: Generator, pumps: int, rows: int) -> Array:
    """What healthy sensors say over so many minutes, (pump, minute, sensor)."""
    minute = np.arange(rows)
    load = hidden_load(rng, pumps, minute)
    resistance = 1 + 0.08 * bounded(wander(rng, (rows, pumps), 60)).T
    ambient = 18 + 4 * np.sin(2 * np.pi * (minute / DAY - 0.4)) + 0.5 * bounded(wander(rng, (rows, 1), 600)).T
    scale = np.array([sensor.noise for sensor in SENSORS])
    exact = measure(load, resistance, ambient)
    exact += 0.6 * scale * rng.standard_normal((pumps, 1, len(SENSORS)))  # no two pumps are quite alike
    return exact + scale * noise(rng, exact.shape)


def hidden_load(rng: Generator, pumps: int, minute: NDArray[np.int64]) -> Array:
    """How hard each pump works, 0.25 to 1, (pump, minute)."""
    day = minute / DAY
    shape = (len(minute), pumps)
    rhythm = 0.6 + 0.09 * np.sin(2 * np.pi * (day - 0.35)) + 0.04 * np.sin(4 * np.pi * (day - 0.1))
    regime = follow(regimes(rng, shape), 6).T
    return np.clip(rhythm + regime + 0.08 * bounded(wander(rng, shape, 25)).T, 0.25, 1.0)


def regimes(rng: Generator, shape: tuple[int, int]) -> Array:
    """Set points that hold for some hours and then jump, (minute, pump)."""
    levels = rng.choice([-0.1, 0.0, 0.1], size=shape)
    jumps = np.where(rng.random(shape) < 1 / 240, np.arange(shape[0])[:, None], 0)
    return np.take_along_axis(levels, np.maximum.accumulate(jumps, axis=0), axis=0)


def measure(load: Array, resistance: Array, ambient: Array) -> Array:
    """The physics without noise: affinity laws, a tank that empties, a casing that warms; of (pump, minute) each."""
    speed = 0.4 + 0.6 * load  # share of the rated speed
    flow = speed / resistance  # share of the rated flow
    level = 3.4 - 1.2 * (follow(load.T, 45).T - 0.6)
    pressure_in = 0.3 + 0.098 * level - 0.25 * flow**2
    pressure_out = pressure_in + 6.5 * speed**2 - 2.0 * flow**2
    power = flow * (pressure_out - pressure_in) / 4.5  # share of the rated power
    temperature = ambient + 16 + 26 * follow(power.T, 20).T
    vibration = 1.0 + 1.8 * speed**3 + 0.5 * np.abs(resistance - 1)
    answers = (1480 * speed, 220 * flow, pressure_in, pressure_out, 12 + 62 * power, temperature, vibration, level)
    return np.stack(answers, axis=-1)


def noise(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Half white, half with a memory of some minutes; unit variance, (pump, minute, sensor)."""
    pumps, rows, sensors = shape
    remembered = wander(rng, (rows, pumps, sensors), 4).swapaxes(0, 1)
    return (rng.standard_normal(shape) + remembered) * math.sqrt(0.5)


def wander(rng: Generator, shape: tuple[int, ...], minutes: float) -> Array:
    """A walk that is pulled back to zero: unit variance, a memory of so many minutes along the first axis."""
    keep = math.exp(-1 / minutes)
    gain = math.sqrt((1 + keep) / (1 - keep))
    pushes = rng.standard_normal(shape) * gain
    pushes[0] /= gain  # it begins where it would be after a long time
    return follow(pushes, minutes)


def bounded(values: Array, limit: float = 2.0) -> Array:
    """The same near zero, and never beyond the limit: a pump has no life outside of what it is built for."""
    return limit * np.tanh(values / limit)


def follow(target: Array, minutes: float) -> Array:
    """What lags behind `target` by so many minutes, as a warm body does; along the first axis, from its first value."""
    keep = math.exp(-1 / minutes)
    lagging = np.empty_like(target)
    state = target[0]
    for row, value in enumerate(target):
        state = keep * state + (1 - keep) * value
        lagging[row] = state
    return lagging


def shown(values: Array) -> Array:
    """Rounded to what each sensor shows, (..., sensor)."""
    steps = 10.0 ** np.array([sensor.decimals for sensor in SENSORS])
    rounded: Array = np.round(values * steps) / steps
    return rounded
