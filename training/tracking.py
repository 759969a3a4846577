"""A training run as MLflow keeps it: parameters, losses, figures and files; and releases as versions of a model.

The only file that imports mlflow, which takes a second: `training/tracker.py` imports it late, and beside the training.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy import create_engine, inspect

from training.tracking_uri import artifacts_folder, sqlite_file

Status = Literal["FINISHED", "FAILED", "KILLED"]
MOST_PARAMS, MOST_METRICS = 100, 1000  # in one call
NOT_IN_A_KEY = re.compile(r"[^\w\-. :/]", re.ASCII)
CHAMPION, KEY = "champion", "key"  # an alias; a tag


class TrackedRun:
    """A run in MLflow, begun or taken up again. Every method calls the server, and raises what MLflow raises."""

    def __init__(self, client: MlflowClient, run: Run) -> None:
        self.client, self.id = client, run.info.run_id
        self.experiment: str = run.info.experiment_id

    def describe(self, params: Mapping[str, Any]) -> None:
        """Put down parameters, once and for all."""
        for part in _in_parts([Param(key_of(key), str(value)) for key, value in params.items()], MOST_PARAMS):
            self.client.log_batch(self.id, params=part)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Put down what may change."""
        self.client.log_batch(self.id, tags=[RunTag(key, value) for key, value in tags.items()])

    def rename(self, name: str) -> None:
        """Go by another name."""
        self.client.update_run(self.id, name=name)

    def measure(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Put down figures, all of one step."""
        now = int(time.time() * 1000)
        metrics = [Metric(key_of(name), value, now, step) for name, value in figures.items()]
        for part in _in_parts(metrics, MOST_METRICS):
            self.client.log_batch(self.id, metrics=part)

    def steps(self, name: str) -> set[int]:
        """The steps of a figure that are there already."""
        return {metric.step for metric in self.client.get_metric_history(self.id, key_of(name))}

    def keep(self, file: Path, folder: str | None = None) -> None:
        """Copy a file, or what a folder holds, to where MLflow keeps files."""
        if file.is_dir():
            self.client.log_artifacts(self.id, str(file), folder)
        elif file.exists():
            self.client.log_artifact(self.id, str(file), folder)

    def end(self, status: Status) -> None:
        """Say how it ended."""
        self.client.set_terminated(self.id, status)


def connect(uri: str) -> MlflowClient:
    """A client of a server, or of a SQLite file, which is made if there is none."""
    if file := sqlite_file(uri):
        _make_whole(file)
    if urlsplit(uri).scheme.partition("+")[0] in DATABASE_ENGINES:
        engine = create_engine(uri)
        inspect(engine)  # fails at once, where MLflow would try again for two minutes
        engine.dispose()
    return MlflowClient(uri)


def take_up(client: MlflowClient, experiment: str, name: str, key: str) -> TrackedRun:
    """The run that has the `key`, letters and digits, or a new one of this name."""
    found = client.get_experiment_by_name(experiment)
    place = found.experiment_id if found else client.create_experiment(experiment, _artifacts(client))
    known = client.search_runs([place], f"tags.{KEY} = '{key}'", max_results=1)
    if known:
        client.update_run(known[0].info.run_id, "RUNNING")
    return TrackedRun(client, known[0] if known else client.create_run(place, run_name=name, tags={KEY: key}))


def register(run: TrackedRun, dataset: str, release: str, folder: str) -> None:
    """Make the files that a run keeps in `folder` a version of the model named as the dataset, once."""
    if version_of(run.client, dataset, release) is None:
        if not run.client.search_registered_models(f"name = '{dataset}'"):
            run.client.create_registered_model(dataset)
        source = f"runs:/{run.id}/{folder}"
        run.client.create_model_version(dataset, source, run.id, tags={"release": release})


def crown(client: MlflowClient, dataset: str, release: str) -> None:
    """Let the alias `champion` name this release's version, or none if MLflow does not know the release."""
    version = version_of(client, dataset, release)
    if version is not None:
        client.set_registered_model_alias(dataset, CHAMPION, version)
    elif client.search_registered_models(f"name = '{dataset}'"):
        client.delete_registered_model_alias(dataset, CHAMPION)


def version_of(client: MlflowClient, dataset: str, release: str) -> str | None:
    """The version of a dataset's model that is this release."""
    found = client.search_model_versions(f"name = '{dataset}' and tags.release = '{release}'", max_results=1)
    return found[0].version if found else None


def key_of(name: str) -> str:
    """A name as MLflow takes it: letters, digits, `_-. :/`."""
    return NOT_IN_A_KEY.sub("_", name)


def _make_whole(path: Path) -> None:
    """Make a new SQLite file aside, and put it into place when it is whole.

    It is made in a hundred steps that take seconds; a kill, or a second run, amid them would leave it broken for good.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(b"")
    try:
        MlflowClient(f"sqlite:///{aside}").search_experiments(max_results=1)
        _put_into_place(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _put_into_place(aside: Path, path: Path) -> None:
    try:
        os.link(aside, path)
    except FileExistsError:
        pass  # another run was faster
    except OSError:  # a file system without hard links
        aside.rename(path)


def _artifacts(client: MlflowClient) -> str | None:
    folder = artifacts_folder(client.tracking_uri)
    return None if folder is None else str(folder)


def _in_parts(entries: list[Any], size: int) -> Iterator[list[Any]]:
    yield from (entries[begin : begin + size] for begin in range(0, len(entries), size))
