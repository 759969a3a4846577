"""What MLflow is told of a run, and when: an observer that works beside the training, which never waits for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from schemas.evaluation import Evaluation
from schemas.run import RunRecord
from training import digests, history, package, runs, speed, tracked, tracking_access
from training.artifacts import Artifacts
from training.background import Background
from training.events import EpochDone, Event, RunStarted, StageEnded, StageSkipped
from training.history import Epoch
from training.tracking_uri import is_server, without_password

if TYPE_CHECKING:  # it brings mlflow
    from mlflow import MlflowClient

    from training.tracking import Status, TrackedRun

RELEASE = "release"  # the folder of a run's files in MLflow that holds the bundle


class Tracker:
    """Keeps a run in MLflow; a context manager, which ends when MLflow has everything, or has failed.

    A failure is told once, in a line, and ends the tracking, not the training.
    """

    def __init__(self, uri: str, warn: Callable[[str], None]) -> None:
        self.uri = uri
        self._warn = warn
        self._background = Background(self._failed)
        self._mlflow: ModuleType
        self._client: MlflowClient
        self._artifacts: Artifacts

    @property
    def where(self) -> str:
        """Where to look at the run; empty if MLflow has not taken all of it."""
        if self._background.has_failed or not self._has_begun:
            return ""
        shown = without_password(self.uri)
        page = f"{shown.rstrip('/')}/#/experiments/{self._run.experiment}/runs/{self._run.id}"
        return page if is_server(self.uri) else f"{shown} (to see it: tidewatch runs ui)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status: Status = "FINISHED" if kind is None else "KILLED" if issubclass(kind, KeyboardInterrupt) else "FAILED"
        with self._background as background:
            background.later(partial(self._end, status))

    def __call__(self, event: Event) -> None:
        """Put on the list what MLflow shall be told of an event."""
        match event:
            case RunStarted(_, artifacts):
                self._background.later(partial(self._connect, artifacts))
            case EpochDone(name, epoch):
                self._background.later(partial(self._measure, name, epoch))
            case StageEnded("package"):
                self._background.later(self._register)
                self._background.later(self._crown)
            case StageEnded(name) | StageSkipped(name):
                self._background.later(partial(self._look_at, name))
            case _:
                pass

    def _connect(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self._mlflow = tracking_access.library()
        self._client = self._mlflow.connect(self.uri)

    @cached_property
    def _run(self) -> TrackedRun:
        """The run in MLflow, begun with the first thing to tell: data that is no good leaves none."""
        record = self._on_record()  # the window may have shrunk since the run began
        key = digests.of_value([record.run, record.created, record.config])
        run: TrackedRun = self._mlflow.take_up(self._client, record.identity.dataset, record.identity.release, key)
        run.describe(tracked.parameters(record))
        run.tag(tracked.origin(record))
        return run

    @property
    def _has_begun(self) -> bool:
        return "_run" in vars(self)

    def _end(self, status: Status) -> None:
        if self._has_begun:
            self._run.end(status)

    def _measure(self, network: str, epoch: Epoch) -> None:
        self._run.measure(tracked.losses(network, epoch), epoch.number)

    def _look_at(self, stage: str) -> None:
        """Put down what a stage has left."""
        match stage:
            case "preprocess":
                self._run.tag(tracked.digests(self._on_record()))
            case "speed":
                chosen = speed.load(self._artifacts)
                self._run.tag({"threads": str(chosen.threads), "windows_at_once": str(chosen.windows_at_once)})
            case "train":
                self._catch_up()
                self._run.keep(self._artifacts.logs)
            case "calibrate":
                self._keep_release()
            case "evaluate":
                evaluation = msgspec.json.decode(self._artifacts.metrics.read_bytes(), type=Evaluation)
                self._run.measure(tracked.figures(evaluation))
                self._run.keep(self._artifacts.metrics)
            case "package":
                self._register()
            case "report":
                self._run.keep(self._artifacts.report)
                self._run.keep(self._artifacts.plots, "plots")

    def _catch_up(self) -> None:
        """Put down the epochs that MLflow has missed: a run may have been killed before it could tell of one."""
        for network, log in history.load(self._artifacts).items():
            known = self._run.steps(next(iter(tracked.losses(network, log.best))))
            for epoch in log.epochs:
                if epoch.number not in known:
                    self._measure(network, epoch)

    def _keep_release(self) -> None:
        """A run that makes its release once more has given it another name."""
        release = self._on_record().identity.release
        self._run.rename(release)
        self._run.tag({"release": release})
        self._run.keep(self._artifacts.release("manifest.json").parent, RELEASE)

    def _register(self) -> None:
        """Make the release a version of the dataset's model, once; the champion, if it was promoted."""
        publication = package.load(self._artifacts)
        self._mlflow.register(self._run, publication.dataset, publication.release, RELEASE)

    def _crown(self) -> None:
        publication = package.load(self._artifacts)
        if publication.version is not None:
            self._mlflow.crown(self._client, publication.dataset, publication.release)

    def _on_record(self) -> RunRecord:
        """The run's record as it is now."""
        return runs.find(str(self._artifacts.root.absolute())).record

    def _failed(self, error: BaseException) -> None:
        self._warn(f"{tracking_access.unusable(self.uri, error)}; the training goes on without it")
