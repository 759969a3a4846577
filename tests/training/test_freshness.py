"""What is run again: what a change concerns, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.training import TrainingConfig
from tests.training.conftest import RENAMED, Trained, play
from training.events import Event, StageSkipped, StageStarted
from training.freshness import Freshness
from training.package import load as publication
from training.roles import Wanted
from training.runs import Request, Run, RunError, find
from training.stages import NAMES, STAGES

AFTER_TRAINING = ["calibrate", "evaluate"]
TRAINING = ["speed", "train", *AFTER_TRAINING]


@pytest.fixture
def run(trained: Trained, tmp_path) -> Run:
    """A run of one's own that is done."""
    shutil.copytree(trained.run.root, tmp_path / "run")
    return find(str(tmp_path / "run"))


def concerned(run: Run, request: Request | None = None) -> list[str]:
    """The stages that have to be run before any other is."""
    freshness = Freshness(run, request or run.request)
    return [stage.name for stage in STAGES if freshness.why_run(stage, freshness.inputs(stage))]


def with_config(run: Run, changes: dict[str, Any]) -> Request:
    """What was asked for, with other values in one section of the config."""
    config = run.request.config.model_dump()
    for section, values in changes.items():
        config[section] = {**config[section], **values}
    return replace(run.request, config=TrainingConfig.model_validate(config))


def test_nothing_is_concerned_by_nothing(run: Run):
    """All digests are as they were."""
    assert concerned(run) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"window": {"size": 9}}, ["preprocess", *TRAINING]),
        ({"window": {"stride": 2}}, ["preprocess", *TRAINING]),
        ({"missing": {"hold_limit": 3}}, ["preprocess", *AFTER_TRAINING]),
        ({"gap": {"factor": 5.0}}, ["preprocess", *AFTER_TRAINING]),
        ({"split": {"train": 0.5}}, ["preprocess", *AFTER_TRAINING]),
        ({"scaling": {"clip": 5.0}}, TRAINING),
        ({"networks": {"cnn_ae": {"hidden": 5}}}, TRAINING),
        ({"autoregression": {"lags": 2}}, TRAINING),
        ({"training": {"epochs": 3}}, TRAINING),
        ({"training": {"seed": 8}}, TRAINING),
        ({"training": {"threads": 2}}, TRAINING),
        ({"ensemble": {"hold": 0.5}}, AFTER_TRAINING),
        ({"threshold": {"rate": 0.02}}, AFTER_TRAINING),
    ],
    ids=str,
)
def test_a_section_of_the_config(run: Run, changes, expected):
    """It concerns the stages that look at it; what they leave may concern more."""
    assert concerned(run, with_config(run, changes)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"wanted": Wanted(ignore=("temp",))}, ["ingest"]),
        ({"promote": False}, ["package"]),
        ({"store": "dir:elsewhere"}, ["package"]),
    ],
    ids=str,
)
def test_what_was_asked_for(run: Run, change, expected):
    """Columns are a matter of reading, the store of publishing."""
    assert concerned(run, replace(run.request, **change)) == expected


def older(file: Path) -> None:
    """The same, as it seems from a long time ago."""
    os.utime(file, (0, 0))


def other_value(file: Path) -> None:
    """One digit differs; size and time are the same."""
    before = file.stat()
    text = file.read_text()
    place = text.rindex("20.")
    file.write_text(f"{text[:place]}21.{text[place + 3 :]}")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def one_more(file: Path) -> None:
    """A line more."""
    file.write_text(file.read_text() + "1800000000,m1,0,20,3,0\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [(older, []), (other_value, ["ingest"]), (one_more, ["ingest"])],
    ids=["older", "other value", "one more"],
)
def test_the_data(run: Run, trained: Trained, tmp_path, change: Callable[[Path], None], expected):
    """What counts is the content, not where it lies or when it was written."""
    file = tmp_path / trained.file.name
    shutil.copyfile(trained.file, file)
    change(file)
    assert concerned(run, replace(run.request, data=file)) == expected


def test_data_that_is_gone(run: Run, tmp_path):
    """It must be found again to tell whether it has changed; stages that do not read it do without."""
    gone = replace(run.request, data=tmp_path / "gone.csv")
    with pytest.raises(RunError, match=r"gone\.csv is not there any more; say where .* --data FILE"):
        play(run, request=gone)
    assert done(play(run, ["evaluate"], gone, again=True)) == (["evaluate"], [])


def test_the_code(run: Run):
    """What was made by other code concerns every stage."""
    for name, record in run.record.stages.items():
        run.note(name, msgspec.structs.replace(record, inputs={**record.inputs, "code": "older"}))
    assert concerned(run) == list(NAMES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("DataProcessing/dataset/raw_df.parquet", ["ingest", "preprocess", *AFTER_TRAINING]),
        ("DataProcessing/preprocessing_obj/scaler.json", ["preprocess", *TRAINING]),
        ("model_dataloader/X_train.npy", ["preprocess", *TRAINING]),
        ("model_training/speed.json", TRAINING),
        ("model_training/lstm_ae.pth", ["train", "calibrate"]),
        ("model_training/release/manifest.json", ["calibrate", "evaluate", "package"]),
        ("model_inference/inference_metrics/metrics.json", ["evaluate", "package"]),
        ("model_training/publication.json", ["package"]),
    ],
)
@pytest.mark.parametrize("change", [Path.unlink, lambda file: file.write_bytes(b"other")], ids=["gone", "other"])
def test_a_file_of_the_tree(run: Run, name, expected, change):
    """It concerns the stage that left it, and for the time being those that read it: the report reads nearly all."""
    change(run.artifacts.tree / name)
    unread = {"model_training/publication.json", "model_training/speed.json"}
    assert concerned(run) == [*expected, *(["report"] if name not in unread else [])]


def test_checkpoints_may_go(run: Run):
    """They are for a run that was stopped."""
    shutil.rmtree(run.artifacts.tree / "model_training" / "checkpoints")
    assert concerned(run) == []


def done(told: list[Event]) -> tuple[list[str], list[str]]:
    """The stages that were run, and those that were not."""
    run = [event.name for event in told if isinstance(event, StageStarted)]
    return run, [event.name for event in told if isinstance(event, StageSkipped)]


def test_what_is_the_same_again_concerns_nobody(run: Run):
    """A lost file is made again; as it is as before, the stages that read it are not run."""
    (run.artifacts.tree / "model_dataloader" / "X_train.npy").unlink()
    assert done(play(run)) == (["preprocess"], [name for name in NAMES if name != "preprocess"])
    assert done(play(run)) == ([], list(NAMES))


def test_another_threshold_is_another_release(run: Run, trained: Trained):
    """Networks are kept, what follows is run, and the new release is published beside the first, under its own name."""
    asked = replace(with_config(run, {"threshold": {"rate": 0.02}}), store=f"dir:{run.root / 'store'}")
    ran, skipped = done(play(run, request=asked))
    assert (ran, skipped) == (
        ["calibrate", "evaluate", "package", "report"],
        ["ingest", "preprocess", "speed", "train"],
    )
    assert publication(run.artifacts).release == run.record.identity.release == RENAMED
    assert find(str(run.root)).request == asked


def test_again_is_again(run: Run):
    """Asked for, a stage is run although nothing has changed."""
    assert done(play(run, ["evaluate"], again=True)) == (["evaluate"], [])
