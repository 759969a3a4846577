"""What a candidate is worth, on windows that fitted nothing: run as the worker would run it, never looking ahead.

The test part is streamed through a detector that begins afresh, as it will when it is put into service. Windows before
the test part that hold a labelled anomaly fitted nothing either: they are streamed with many readings before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.detector import Detector
from models.ensemble import AT_ONCE
from models.stream import StreamDetector
from schemas.evaluation import Evaluation, Labelled, SeriesFigures
from schemas.training import TrainingConfig
from training import candidate, places, results, trials, worst
from training.agreement import agreement, flag_rate
from training.artifacts import Artifacts, write_json
from training.judging import Judged, judge
from training.table import load
from training.truth import Truth

MOST_SERIES = 200  # that get figures of their own


def run(artifacts: Artifacts, config: TrainingConfig, at_once: int = AT_ONCE) -> Evaluation:
    """Judge the candidate that training left; leave metrics and the scores behind them."""
    detector, truth = candidate.load(artifacts, at_once), Truth(load(artifacts), config)
    section = truth.test_part
    chosen = places.choose(detector, truth, section, config.training.seed)
    tested, states = judge(StreamDetector(detector), section, [place.row for place in chosen])
    injected = trials.run(detector, truth.table, chosen, states, tested)
    judged = Judged.together([tested, *_before(detector, truth)])
    figures = Figures(truth, judged, detector.ensemble.names)
    evaluation = Evaluation(figures.all.flag_rate, figures.all.labelled, injected, figures.by_series)
    _write(artifacts.metrics, evaluation)
    _write(artifacts.events, worst.events(truth, judged, detector))
    results.write(artifacts.results("windows"), truth, judged, detector.ensemble.names)
    return evaluation


def _write(path: Path, content: msgspec.Struct) -> None:
    write_json(path, msgspec.to_builtins(content))


def _before(detector: Detector, truth: Truth) -> Iterator[Judged]:
    """The windows before the test part that hold a labelled anomaly, if there are any."""
    section = truth.before
    if len(section.numbers):
        judged, _ = judge(StreamDetector(detector), section)
        yield judged.where(truth.stained(judged.row))


@dataclass(frozen=True, eq=False)
class Figures:
    """What windows that fitted nothing say, of all series together and of each."""

    truth: Truth
    judged: Judged
    networks: tuple[str, ...]

    @property
    def all(self) -> SeriesFigures:
        """Over all series: one detector has one scale for all of them."""
        return self._of(slice(None))

    @property
    def by_series(self) -> dict[str, SeriesFigures]:
        """Of each series that has windows, the first of them."""
        ends = np.searchsorted(self.judged.row, self.truth.bounds).tolist()
        names = [series.name for series in self.truth.table.series]
        spans = {name: slice(*span) for name, *span in zip(names, ends[:-1], ends[1:], strict=True)}
        filled = [name for name, span in spans.items() if span.stop > span.start]
        return {name: self._of(spans[name]) for name in filled[:MOST_SERIES]}

    def _of(self, chosen: slice) -> SeriesFigures:
        truth, judged = self.truth, self.judged.where(chosen)
        normal = truth.tested(judged.row) & ~truth.stained(judged.row)
        owners = truth.owners(judged.row)
        known = truth.labelled[owners]
        labelled = self._labelled(judged.where(known), owners[known]) if known.any() else None
        return SeriesFigures(flag_rate(truth.config.threshold.rate, judged.where(normal)), labelled)

    def _labelled(self, judged: Judged, owners: NDArray[np.int64]) -> Labelled:
        labels, tested = self.truth.labels[judged.row], self.truth.tested(judged.row)
        return agreement(judged, labels, tested, owners, self.truth.config.window.stride, self.networks)
