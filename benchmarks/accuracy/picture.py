"""The picture of a run: mean VUS-PR by set and detector, as an SVG that suits light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from benchmarks.accuracy.bars import BARS
from benchmarks.accuracy.judging import NAIVE, OURS

SHOWN = (OURS, NAIVE, *BARS)
LEFT, WIDTH, BAR, SET_GAP, TOP = 170, 420, 16, 18, 34  # pixels: names, the scale from 0 to 1, and rows
COLOURS = {OURS: "#0b7285"}
OTHERS = "#8a94a0"
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2933 }
  .set { font-weight: 600 }
  .grid { stroke: #d5dae0 }
  @media (prefers-color-scheme: dark) { text { fill: #e4e7eb } .grid { stroke: #3e4c59 } }
"""


def svg(found: Mapping[str, Any]) -> str:
    """The picture of the figures by set."""
    height = TOP + len(found) * (len(SHOWN) * BAR + SET_GAP)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 60} {height}" role="img">',
            "<title>Mean VUS-PR by set and detector; higher is better</title>",
            f"<style>{STYLE}</style>",
            *_scale(height),
            *_rows(found),
            "</svg>\n",
        ]
    )


def _scale(height: int) -> Iterator[str]:
    for tenth in range(0, 11, 2):
        x = LEFT + WIDTH * tenth // 10
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - SET_GAP}"/>'
        yield f'<text x="{x}" y="{TOP - 14}" text-anchor="middle">{tenth / 10:g}</text>'


def _rows(found: Mapping[str, Any]) -> Iterator[str]:
    y = TOP
    for name, figures in found.items():
        yield f'<text class="set" x="0" y="{y + 12}">{escape(name)}</text>'
        for detector in SHOWN:
            value = figures["means"][detector]["vus_pr"]
            yield from [] if value is None else _bar(detector, value, y)
            y += BAR
        y += SET_GAP


def _bar(detector: str, value: float, y: int) -> Iterator[str]:
    long, colour = WIDTH * value, COLOURS.get(detector, OTHERS)
    yield f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{escape(detector)}</text>'
    yield f'<rect x="{LEFT}" y="{y + 2}" width="{long:.1f}" height="{BAR - 4}" rx="2" fill="{colour}"/>'
    yield f'<text x="{LEFT + long + 6:.1f}" y="{y + 12}">{value:.3f}</text>'
