"""What came of a run, read from the files that it left."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from schemas.evaluation import Evaluation
from schemas.reference import EnsembleMeta, ThresholdMeta
from training import history, package
from training.artifacts import Artifacts
from training.history import History
from training.package import Publication


@dataclass(frozen=True)
class Outcome:
    """How each network's training went, what the detector as a whole is worth, and where it is."""

    networks: dict[str, History]
    threshold: ThresholdMeta
    evaluation: Evaluation
    publication: Publication


def load(artifacts: Artifacts) -> Outcome:
    """Of a run whose stages are all done."""
    meta = msgspec.json.decode(artifacts.release("ensemble_meta.json").read_bytes(), type=EnsembleMeta)
    evaluation = msgspec.json.decode(artifacts.metrics.read_bytes(), type=Evaluation)
    return Outcome(history.load(artifacts), meta.threshold, evaluation, package.load(artifacts))
