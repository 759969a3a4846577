"""The still plots of a run, for those who look at many runs side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from training.report.distributions import distributions
from training.report.drawing import LARGE, Line, Plot, Scale, spanning
from training.report.findings import Findings
from training.report.losses import learnings
from training.report.timeline import Timeline, timelines
from training.report.words import moment

POINTS = 1000  # about two for each pixel


def plots(findings: Findings) -> Iterator[Plot]:
    """Losses of each network, how scores are spread, and the score over time of the worst series."""
    yield from (learning.plot for learning in learnings(findings.histories))
    yield distributions(findings.judged, [])[0]
    yield from map(over_time, timelines(findings.judged, POINTS)[:1])


def over_time(line: Timeline) -> Plot:
    """A series' score with its threshold, in hours from its first window."""
    hours = (line.times - line.times[0]) / 3_600_000_000
    low, high = spanning([line.score, line.threshold])
    return Plot(
        name="score",
        sentence=f"Series {line.series}: its score from {moment(int(line.times[0]))}, at most {line.peak:.3g}.",
        x=Scale(*spanning([hours])),
        y=Scale(min(low, 0), high, "asinh" if high > 10 else "linear"),
        x_title="hours",
        y_title=f"score of {line.series}",
        size=LARGE,
        lines=(
            Line("labelled", "odd", hours, np.where(line.labelled, min(low, 0), np.nan)),
            Line("score", "first", hours, line.score),
            Line("threshold", "threshold", hours, line.threshold),
        ),
    )
