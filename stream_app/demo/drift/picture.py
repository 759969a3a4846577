"""How far each sensor's mean was from training's, and when alerts fired, drawn from what Prometheus answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stream_app.demo.drift.prometheus import FIRING, Curve, Prometheus

AWAY = "(tidewatch:feature_mean:live - tidewatch:feature_mean:ref) / tidewatch:feature_std:ref"
MARK = 3  # standard deviations; TidewatchFeatureMean fires beyond
STEP_SECONDS = 0.5
WIDE, GREY = "#0b6bb5", "#9aa5b1"


def draw(prometheus: Prometheus, start: float, end: float, sensor: str, file: Path) -> None:
    """A PNG of the time from `start` to `end`, unix seconds, with `sensor` in colour."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(
        2, 1, figsize=(10, 5.6), sharex=True, height_ratios=[3, 1], layout="constrained"
    )
    for labels, curve in prometheus.over(AWAY, start, end, STEP_SECONDS):
        chosen = labels["feature"] == sensor
        seconds, away = since(curve, start)
        above.plot(seconds, away, color=WIDE if chosen else GREY, linewidth=2 if chosen else 1, zorder=2 + chosen)
    above.axhline(MARK, color="black", linestyle="--", linewidth=0.8)
    above.axhline(-MARK, color="black", linestyle="--", linewidth=0.8)
    above.set_title(f"How far each sensor's mean is from training's; {sensor} in blue", loc="left", fontsize=11)
    above.set_ylabel("standard deviations")
    alerts = prometheus.over(f"count by (alertname) ({FIRING})", start, end, STEP_SECONDS)
    for row, (labels, curve) in enumerate(sorted(alerts, key=lambda each: each[1][0])):
        below.barh(row, STEP_SECONDS, left=since(curve, start)[0], color="#d1495b", height=0.6)
        below.text(curve[0][0] - start, row, f"{labels['alertname']} ", ha="right", va="center", fontsize=8)
    below.set_yticks([])
    below.invert_yaxis()
    below.set_title("Alerts that fire", loc="left", fontsize=11)
    below.set_xlabel("seconds")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def since(curve: Curve, start: float) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds since `start`, and values."""
    return [at - start for at, _ in curve], [value for _, value in curve]
