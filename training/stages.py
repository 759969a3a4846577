"""The stages, each with all that shapes what it leaves: the rest of the pipeline is told by this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from models.store.base import Store
from schemas.manifest import Identity
from schemas.training import TrainingConfig
from training import candidate, digests, evaluate, ingest, package, preprocess, report, speed, train
from training.artifacts import Artifacts
from training.events import Evaluated, Ingested, Observer, Preprocessed, Published, SpeedChosen
from training.runs import Request, RunError

EVERY_SECTION = tuple(TrainingConfig.model_fields)


@dataclass(frozen=True, eq=False)
class Work:
    """What a stage is given: it reads what earlier ones left among the artifacts, and nothing else of theirs."""

    artifacts: Artifacts
    request: Request
    identity: Identity
    store: Store
    tell: Observer
    inputs: str  # a digest of all that shapes what the stage leaves

    @property
    def config(self) -> TrainingConfig:
        """How to train."""
        return self.request.config


@dataclass(frozen=True, eq=False)
class Stage:
    """A step of the pipeline. What it leaves depends on nothing but what is named here, and the code."""

    name: str
    run: Callable[[Work], None]
    leaves: tuple[str, ...]  # patterns of its files under Artifact/, which are no other stage's
    after: tuple[str, ...] = ()  # the stages whose files it reads
    sections: tuple[str, ...] = ()  # of the config
    given: Callable[[Request], Mapping[str, Any]] = lambda request: {}  # what else of the request
    is_named: bool = False  # what it leaves bears a release's name, which is never used twice


def _ingest(work: Work) -> None:
    work.tell(Ingested(ingest.run(work.artifacts, work.request.data, work.request.wanted)))


def _preprocess(work: Work) -> None:
    work.tell(Preprocessed(preprocess.run(work.artifacts, work.config), work.config))


def _speed(work: Work) -> None:
    work.tell(SpeedChosen(speed.run(work.artifacts, work.config)))


def _train(work: Work) -> None:
    with speed.threads(speed.load(work.artifacts).threads):
        train.run(work.artifacts, work.config, work.tell, work.inputs)


def _calibrate(work: Work) -> None:
    chosen = speed.load(work.artifacts)
    with speed.threads(chosen.threads):
        networks = train.networks(work.artifacts, work.config)
        candidate.run(work.artifacts, work.config, work.identity, networks, chosen.windows_at_once)


def _evaluate(work: Work) -> None:
    chosen = speed.load(work.artifacts)
    with speed.threads(chosen.threads):
        work.tell(Evaluated(evaluate.run(work.artifacts, work.config, chosen.windows_at_once)))


def _package(work: Work) -> None:
    work.tell(Published(package.run(work.artifacts, work.store, promote=work.request.promote)))


def _report(work: Work) -> None:
    report.run(work.artifacts)


def _readings(request: Request) -> dict[str, Any]:
    """The files by name and content, and the columns that the user named."""
    root = request.data
    if not root.exists():
        raise RunError(f"{root} is not there any more; say where the run's data is now: --data FILE")
    files = ingest.find_files(root)
    names = [file.relative_to(root).as_posix() if file != root else file.name for file in files]
    return {"data": dict(zip(names, map(digests.of_file, files), strict=True)), "columns": asdict(request.wanted)}


STAGES = (
    Stage("ingest", _ingest, leaves=("DataProcessing/dataset/*",), given=_readings),
    Stage(
        "preprocess",
        _preprocess,
        leaves=(
            "DataProcessing/data_transform/*",
            "DataProcessing/preprocessing_obj/*",
            "DataProcessing/timestamp_data/*",
            "DataProcessing/window_config/*",
            "model_dataloader/*",
        ),
        after=("ingest",),
        sections=("window", "missing", "gap", "split"),
    ),
    Stage(
        "speed",
        _speed,
        leaves=("model_training/speed.json",),
        after=("preprocess",),
        sections=("window", "scaling", "networks", "autoregression", "level", "training"),
    ),
    Stage(
        "train",
        _train,
        leaves=("model_training/*.pth", "model_training/training_logs.json", "model_training/best_model_name.txt"),
        after=("preprocess", "speed"),
        sections=("window", "scaling", "networks", "autoregression", "level", "training"),
    ),
    Stage(
        "calibrate",
        _calibrate,
        leaves=("model_training/release/*",),
        after=("ingest", "preprocess", "speed", "train"),
        sections=EVERY_SECTION,
        is_named=True,
    ),
    Stage(
        "evaluate",
        _evaluate,
        leaves=("model_inference/**/*",),
        after=("ingest", "preprocess", "speed", "calibrate"),
        sections=EVERY_SECTION,
    ),
    Stage(
        "package",
        _package,
        leaves=("model_training/publication.json",),
        after=("calibrate", "evaluate"),
        given=lambda request: {"store": request.store, "promotion": request.promote},
    ),
    Stage(
        "report",
        _report,
        leaves=("report.html", "plots/*"),
        after=("ingest", "preprocess", "train", "calibrate", "evaluate"),
    ),
)
NAMES = tuple(stage.name for stage in STAGES)
