"""Where a run keeps what its stages leave: the `Artifact/` tree."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FOLDERS = (
    "DataProcessing/data_transform",
    "DataProcessing/dataset",
    "DataProcessing/preprocessing_obj",
    "DataProcessing/timestamp_data",
    "DataProcessing/window_config",
    "model_dataloader",
    "model_training/checkpoints",
    "model_training/release",
    "model_inference/inference_metrics",
    "model_inference/inference_results",
    "plots",
)


@dataclass(frozen=True)
class Artifacts:
    """The paths of one run. A stage reads what the ones before it wrote, and writes its own."""

    root: Path  # the run's folder

    @property
    def tree(self) -> Path:
        """The folder of all artifacts."""
        return self.root / "Artifact"

    @property
    def raw(self) -> Path:
        """All readings as they were read: series_id, timestamp, features, label."""
        return self._at("DataProcessing", "dataset", "raw_df.parquet")

    @property
    def ingestion(self) -> Path:
        """Where the readings came from, and what they are."""
        return self._at("DataProcessing", "dataset", "ingestion_metadata.json")

    @property
    def cleaned(self) -> Path:
        """The readings without missing values, with the part each belongs to."""
        return self._at("DataProcessing", "data_transform", "cleaned_df.parquet")

    @property
    def scaler(self) -> Path:
        """The scaler that is read."""
        return self._at("DataProcessing", "preprocessing_obj", "scaler.json")

    @property
    def scaler_pickle(self) -> Path:
        """The scaler for people who work in Python; nothing of ours reads it."""
        return self._at("DataProcessing", "preprocessing_obj", "scaler.pkl")

    @property
    def window(self) -> Path:
        """How the readings were cut, and the policy for missing values and gaps."""
        return self._at("DataProcessing", "window_config", "window_config.json")

    def timestamps(self, part: str) -> Path:
        """Series, segment, start and end of each window of a part."""
        return self._at("DataProcessing", "timestamp_data", f"timestamps_{part}.npy")

    def loader(self, name: str) -> Path:
        """An array that networks are fed with: X_train, y_train and so on."""
        return self._at("model_dataloader", f"{name}.npy")

    def training(self, *names: str) -> Path:
        """What training leaves: the networks' best weights, and logs."""
        return self._at("model_training", *names)

    @property
    def speed(self) -> Path:
        """The threads that the run uses, and how many windows at once."""
        return self.training("speed.json")

    @property
    def logs(self) -> Path:
        """The losses of every epoch; it grows while networks are trained."""
        return self.training("training_logs.json")

    def checkpoint(self, name: str) -> Path:
        """All that a network's training needs to go on after its last epoch."""
        return self.training("checkpoints", f"{name}.checkpoint")

    def release(self, name: str) -> Path:
        """A file of the release, as it is evaluated and then published."""
        return self.training("release", name)

    @property
    def publication(self) -> Path:
        """Under which name the release was published, where, and whether it was put into service."""
        return self.training("publication.json")

    @property
    def metrics(self) -> Path:
        """What the candidate is worth."""
        return self._at("model_inference", "inference_metrics", "metrics.json")

    @property
    def events(self) -> Path:
        """The events with the highest scores, row by row."""
        return self._at("model_inference", "inference_results", "events.json")

    def results(self, name: str) -> Path:
        """The candidate's verdict on each window that fitted nothing."""
        return self._at("model_inference", "inference_results", f"{name}.parquet")

    @property
    def plots(self) -> Path:
        """The folder of still pictures, for those who look at many runs."""
        return self.tree / "plots"

    def plot(self, name: str) -> Path:
        """One of them."""
        return self._at("plots", f"{name}.svg")

    @property
    def report(self) -> Path:
        """The run told on one page."""
        return self._at("report.html")

    def make(self) -> Self:
        """Make the folders of the tree, those that are not there yet."""
        for folder in FOLDERS:
            (self.tree / folder).mkdir(parents=True, exist_ok=True)
        return self

    def _at(self, *names: str) -> Path:
        return self.tree.joinpath(*names)


def write_json(path: Path, content: Any) -> None:
    """Write JSON for programs and people, in one step."""
    replace(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read it back."""
    return json.loads(path.read_text(encoding="utf-8"))


def replace(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file in one step: whoever is killed meanwhile leaves the old one, or the new.

    What must outlast a power failure too is `durable`, which takes ten times as long; the rest is told to be broken by
    its digest.
    """
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    unfinished.replace(path)


def link(source: Path, target: Path) -> None:
    """Let `target` be the same file as `source`, or a copy where the file system has no hard links."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
