"""What goes wrong in the plant: five kinds of faults, each on one sensor of one pump, for a known time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """How long a kind of fault lasts, in minutes, and how far it goes, in standard deviations of the sensor's life."""

    minutes: tuple[int, int]  # shortest and longest
    size: tuple[float, float] = (0.0, 0.0)  # least and most


KINDS = {
    "spike": Kind((3, 6), (2.5, 4.0)),
    "level shift": Kind((50, 90), (1.2, 2.0)),
    "stuck sensor": Kind((120, 180)),
    "slow drift": Kind((150, 210), (2.0, 3.0)),
    "lost correlation": Kind((80, 120)),
}
OTHER_TIME = 437  # minutes: a sensor that has lost correlation replays what it said so long ago
QUIET = 120  # minutes without a fault, at least, at each end of a pump's live part and between two faults


@dataclass(frozen=True)
class Fault:
    """A labelled fault: `start` and `end` are its first and last reading, microseconds UTC."""

    kind: str
    series: str
    feature: str
    start: int
    end: int


@dataclass(frozen=True)
class Order:
    """A fault before it happens: rows `first` to `last`, both included; `size` in standard deviations, signed."""

    kind: str
    pump: int
    sensor: int
    first: int
    last: int
    size: float

    @property
    def rows(self) -> slice:
        """The faulty rows."""
        return slice(self.first, self.last + 1)

    def labelled(self, pumps: Sequence[str], sensors: Sequence[str], times: NDArray[np.int64]) -> Fault:
        """The same in the words of a recording."""
        start, end = int(times[self.first]), int(times[self.last])
        return Fault(self.kind, pumps[self.pump], sensors[self.sensor], start, end)


def plan(rng: Generator, pumps: int, sensors: int, begin: int, stop: int) -> list[Order]:
    """Each pump meets each kind once between rows `begin` and `stop`, in an order and on sensors of its own."""
    orders = []
    for pump in range(pumps):
        names = [str(name) for name in rng.permutation(list(KINDS))]
        lengths = [int(rng.integers(*KINDS[name].minutes, endpoint=True)) for name in names]
        starts = begin + spread_out(rng, lengths, stop - begin)
        chosen = rng.permutation(sensors)
        for name, length, first, sensor in zip(names, lengths, starts.tolist(), chosen.tolist(), strict=False):
            size = float(rng.uniform(*KINDS[name].size) * rng.choice([-1, 1]))
            orders.append(Order(name, pump, sensor, first, first + length - 1, size))
    return sorted(orders, key=lambda order: order.first)


def spread_out(rng: Generator, lengths: Sequence[int], rows: int) -> NDArray[np.int64]:
    """Where stretches of these lengths begin in so many rows: `QUIET` at least around each, the rest by chance."""
    pauses = QUIET * (len(lengths) + 1)
    spare = rows - sum(lengths) - pauses
    if spare < 0:
        raise ValueError(f"{rows} live rows have no room for faults of {sum(lengths)} and pauses of {pauses} rows")
    chance = np.sort(rng.integers(0, spare, size=len(lengths), endpoint=True))
    before = np.cumsum([0, *lengths[:-1]])
    begins: NDArray[np.int64] = chance + before + QUIET * np.arange(1, len(lengths) + 1)
    return begins


def inflict(clean: Array, orders: Sequence[Order], spread: Array) -> Array:
    """A copy of the clean values, (pump, minute, sensor), on which every order is carried out."""
    values = clean.copy()
    for order in orders:
        healthy = clean[order.pump, :, order.sensor]
        values[order.pump, order.rows, order.sensor] = faulty(order, healthy, order.size * spread[order.sensor])
    return values


def faulty(order: Order, healthy: Array, size: float) -> Array:
    """What the sensor says in the rows of the order, given all that it would have said, (minute,)."""
    length = order.last + 1 - order.first
    match order.kind:
        case "spike" | "level shift":
            return healthy[order.rows] + size
        case "slow drift":
            return healthy[order.rows] + size * np.linspace(0, 1, length)
        case "stuck sensor":
            return np.full(length, healthy[order.first])
        case "lost correlation":
            return healthy[order.first - OTHER_TIME : order.last + 1 - OTHER_TIME]
    raise ValueError(f"no fault is of kind {order.kind!r}; the kinds are {', '.join(KINDS)}")
