"""How scores are spread: over the test part where no label says that something is wrong, and wherever one does."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.report.drawing import LARGE, SMALL, Line, Plot, Rule, Scale, spanning
from training.report.words import count, percent

Float64 = NDArray[np.float64]
BINS = 60
SHOWN = 0.0005  # of the scores at either end may lie outside of the picture, in its last bins


def distributions(judged: pa.Table, networks: list[str]) -> list[Plot]:
    """The ensemble's scores, then each network's own."""
    anomalous = judged["label"].fill_null(False).to_numpy()
    usual = pc.equal(judged["part"].cast(pa.string()), "test").to_numpy() & ~anomalous
    scores = {name: judged[name].to_numpy() for name in ("score", *networks)}
    return [_plot(name, each[usual], each[anomalous]) for name, each in scores.items()]


def _plot(name: str, usual: Float64, labelled: Float64) -> Plot:
    scale = _scale(np.concatenate([usual, labelled]))
    edges = scale.edges(BINS)
    floor = 0.5 / max(len(usual), len(labelled), 2)
    whole = not len(labelled)
    lines = [_line("test windows" if whole else "test windows without a label", "first", usual, edges, floor)]
    lines += [] if whole else [_line("labelled anomalies", "odd", labelled, edges, floor)]
    return Plot(
        name=f"distribution-{name}",
        sentence=_sentence(name, usual, labelled),
        x=scale,
        y=Scale(floor, 1, "log"),
        x_title="score" if name == "score" else f"{name}'s own score",
        y_title="share of windows",
        lines=tuple(lines),
        size=LARGE if name == "score" else SMALL,
        rules=(Rule("threshold", 1.0),),
    )


def _scale(scores: Float64) -> Scale:
    low, high = spanning([np.quantile(scores, [SHOWN, 1 - SHOWN])]) if len(scores) else (0.0, 1.0)
    low, high = min(low, 0.0), max(high * 1.05, 1.5)
    return Scale(low, high, "asinh" if high > 10 else "linear")


def _line(name: str, role: str, scores: Float64, edges: Float64, floor: float) -> Line:
    counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
    shares = np.maximum(counts / max(len(scores), 1), floor)
    return Line(name, role, edges, shares, steps=True)


def _sentence(name: str, usual: Float64, labelled: Float64) -> str:
    who = "The detector's score" if name == "score" else f"{name} alone"
    text = f"{who} is above 1 in {percent(_above(usual))} of {count(len(usual), 'test window')}"
    if not len(labelled):
        return f"{text}."
    return f"{text} without a label, and in {percent(_above(labelled))} of {count(len(labelled), 'labelled window')}."


def _above(scores: Float64) -> float:
    return float((scores > 1).mean()) if len(scores) else math.nan
