"""A few numbers as a line so small that it fits beside words."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 110.0, 22.0, 2.0


def spark(values: Sequence[float]) -> str:
    """The points of an SVG polyline in a box of 110 by 22, the lowest value at the bottom; equal ones in the middle."""
    low, high = min(values), max(values)
    rise = (HEIGHT - 2 * MARGIN) / (high - low) if high > low else 0.0
    step = (WIDTH - 2 * MARGIN) / max(len(values) - 1, 1)
    floor = HEIGHT - MARGIN if high > low else HEIGHT / 2
    return " ".join(f"{MARGIN + step * at:.1f},{floor - rise * (value - low):.1f}" for at, value in enumerate(values))
