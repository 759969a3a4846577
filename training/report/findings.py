"""What the stages of a finished run left, as far as the report tells of it; nothing is computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from schemas.errors import TidewatchError
from schemas.evaluation import Evaluation, Events
from schemas.manifest import Manifest
from schemas.reference import EnsembleMeta
from training import history
from training.artifacts import Artifacts, read_json
from training.health import Health
from training.history import History

Kind = TypeVar("Kind")


class NotFinished(TidewatchError):
    """A run lacks what the report is made from."""


@dataclass(frozen=True, eq=False)
class Findings:
    """A run's files, read."""

    ingestion: dict[str, Any]
    health: Health
    window: dict[str, Any]
    histories: dict[str, History]  # by network
    evaluation: Evaluation
    events: Events
    meta: EnsembleMeta
    manifest: Manifest
    config: dict[str, Any]
    config_text: str
    judged: pa.Table  # windows that fitted nothing, with their scores: see `training.results`

    @property
    def labelled(self) -> bool:
        """Whether any series has ground truth."""
        return any(self.ingestion["labelled"])

    @property
    def by_rows(self) -> bool:
        """Whether times are row numbers, because the data has no others."""
        return self.ingestion["time_column"] is None

    @property
    def networks(self) -> list[str]:
        """The ensemble's members."""
        return list(self.meta.weights)


def read(artifacts: Artifacts) -> Findings:
    """Read them; raises NotFinished if a stage before this one has not run."""
    text = _found(artifacts.release("config.yaml"), "calibrate").read_text(encoding="utf-8")
    ingestion = read_json(_found(artifacts.ingestion, "ingest"))
    return Findings(
        ingestion=ingestion,
        health=msgspec.convert(ingestion["health"], Health),
        window=read_json(_found(artifacts.window, "preprocess")),
        histories=history.load(artifacts),
        evaluation=_decoded(_found(artifacts.metrics, "evaluate"), Evaluation),
        events=_decoded(_found(artifacts.events, "evaluate"), Events),
        meta=_decoded(artifacts.release("ensemble_meta.json"), EnsembleMeta),
        manifest=_decoded(artifacts.release("manifest.json"), Manifest),
        config=yaml.safe_load(text),
        config_text=text,
        judged=pq.read_table(_found(artifacts.results("windows"), "evaluate")),
    )


def _decoded(path: Path, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise NotFinished(f"{path} is not of this version ({error}); run its stage again") from error


def _found(path: Path, stage: str) -> Path:
    if not path.exists():
        raise NotFinished(f"{path} is missing: the report needs what stage '{stage}' leaves; run that first")
    return path
