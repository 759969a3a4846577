"""Small still pictures as SVG: lines on two scales. What moves and zooms is left to uPlot, in the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]
Bend = Callable[[Float64], Float64]

SMALL, LARGE = (340, 200), (480, 250)  # width and height in the style sheet's pixels
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 14, 40
TICKS = 5
BENDS: dict[str, tuple[Bend, Bend]] = {  # and back
    "linear": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "asinh": (np.arcsinh, np.sinh),
}


@dataclass(frozen=True)
class Scale:
    """Values between `low` and `high` on a line from 0 to 1; `asinh` is linear near 0 and logarithmic beyond 1."""

    low: float
    high: float
    kind: Literal["linear", "log", "asinh"] = "linear"
    whole: bool = False  # ticks at whole numbers only

    def place(self, values: ArrayLike) -> Float64:
        """Where values lie, those beyond the ends at the ends."""
        low, high = self._bend(np.array([self.low, self.high]))
        bent = self._bend(np.clip(np.asarray(values, np.float64), self.low, self.high))
        placed: Float64 = (bent - low) / (high - low)
        return placed

    def edges(self, bins: int) -> Float64:
        """The edges of bins that look equally wide."""
        low, high = self._bend(np.array([self.low, self.high]))
        even = np.linspace(low, high, bins + 1)
        return BENDS[self.kind][1](even)

    def ticks(self) -> list[float]:
        """Round values to name, within the scale."""
        if self.kind == "linear":
            return _round_steps(self.low, self.high, least=1.0 if self.whole else 0.0)
        decades = range(-12, 13)
        powers = [10.0**power for power in decades if self.kind == "log" or power >= 0]
        wanted = powers if self.kind == "log" else [*(-power for power in reversed(powers)), 0.0, *powers]
        within = [value for value in wanted if self.low <= value <= self.high]
        return within[:: -(-len(within) // 8)] if within else [self.low, self.high]

    def _bend(self, values: Float64) -> Float64:
        return BENDS[self.kind][0](values)


def _round_steps(low: float, high: float, least: float) -> list[float]:
    """About `TICKS` multiples of 1, 2 or 5 times a power of ten, at least `least` apart."""
    rough = max((high - low) / TICKS, least)
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [float(round(at * step, 12)) for at in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points (n,); `role` is its class in the style sheet, `steps` makes a staircase of it."""

    name: str
    role: str
    x: Float64
    y: Float64
    steps: bool = False


@dataclass(frozen=True)
class Rule:
    """An upright line at `at` on the horizontal scale, with a word beside it."""

    name: str
    at: float


@dataclass(frozen=True, eq=False)
class Plot:
    """A picture and the sentence that stands for it."""

    name: str
    sentence: str
    x: Scale
    y: Scale
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...] = ()
    size: tuple[int, int] = SMALL

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what lies between the axes."""
        return LEFT, TOP, self.size[0] - RIGHT, self.size[1] - BOTTOM

    @property
    def x_ticks(self) -> list[tuple[float, str]]:
        """Pixel and text of each tick."""
        return [(float(self.across([value])[0]), f"{value:g}") for value in self.x.ticks()]

    @property
    def y_ticks(self) -> list[tuple[float, str]]:
        """Pixel and text of each tick."""
        return [(float(self.down([value])[0]), f"{value:g}") for value in self.y.ticks()]

    def across(self, values: ArrayLike) -> Float64:
        """Pixels from the left."""
        left, _, right, _ = self.box
        return left + self.x.place(values) * (right - left)

    def down(self, values: ArrayLike) -> Float64:
        """Pixels from the top."""
        _, top, _, bottom = self.box
        return bottom - self.y.place(values) * (bottom - top)

    def path(self, line: Line) -> str:
        """The line as SVG's `d`; it breaks where a value is missing."""
        x, y = self.across(line.x), self.down(line.y)
        if line.steps:  # y[i] from x[i] to x[i + 1]
            x, y = np.repeat(x, 2)[1:-1], np.repeat(y, 2)
        pieces = np.split(np.column_stack([x, y]), np.flatnonzero(np.isnan(y)))
        return "".join(_stroke(piece[~np.isnan(piece).any(axis=1)]) for piece in pieces)


def _stroke(points: Float64) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if len(points) else ""


def spanning(values: Sequence[Float64]) -> tuple[float, float]:
    """From the smallest to the largest finite value, never the same."""
    together = np.concatenate([*values, np.empty(0)])
    finite = together[np.isfinite(together)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)
