"""Every stage by itself: from the files that it says it reads, by the sections of the config that it names."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from models.store.local import LocalStore
from schemas.training import TrainingConfig
from tests.training.conftest import Trained
from training import digests
from training.artifacts import Artifacts
from training.events import silent
from training.speed import threads
from training.stages import NAMES, STAGES, Stage, Work

NOTES = {"preprocess": {"threshold"}}  # looked at for what is said on the way, which is not kept


class Watched(TrainingConfig):
    """A config that remembers which of its sections were looked at."""

    seen: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        """Look at something."""
        if name in TrainingConfig.model_fields:
            Watched.seen.add(name)
        return super().__getattribute__(name)


def beside(trained: Trained, stage: Stage, root: Path) -> Artifacts:
    """A tree with nothing but what the stages left that this one reads."""
    tree, artifacts = trained.artifacts.tree, Artifacts(root).make()
    for earlier in STAGES:
        for path in digests.matching(tree, earlier.leaves if earlier.name in stage.after else ()):
            shutil.copyfile(path, artifacts.tree / path.relative_to(tree))
    return artifacts


@pytest.mark.parametrize("stage", STAGES, ids=NAMES)
def test_a_stage_alone(trained: Trained, stage: Stage, tmp_path):
    """It leaves the same files as in the whole run, and needed nothing that it does not name."""
    artifacts = beside(trained, stage, tmp_path)
    given = set(digests.of_files(artifacts.tree, ["**/*"]))
    config = Watched.model_validate(trained.config.model_dump())
    Watched.seen.clear()  # its own checks have looked at everything
    identity, store = trained.run.record.identity, LocalStore(tmp_path / "store")
    with threads(1):
        stage.run(Work(artifacts, replace(trained.run.request, config=config), identity, store, silent, "inputs"))
    left = digests.of_files(artifacts.tree, stage.leaves)
    whole = trained.run.record.stages[stage.name].outputs
    unlike = {"model_training/training_logs.json"}  # holds how long each epoch took
    assert left.keys() == whole.keys()
    assert all(left[name] == whole[name] for name in left.keys() - unlike)
    assert Watched.seen - NOTES.get(stage.name, set()) <= set(stage.sections)
    others = set(digests.of_files(artifacts.tree, ["**/*"])) - given - left.keys()
    assert all("checkpoints" in name for name in others)


def test_no_two_stages_leave_the_same_file(trained: Trained):
    """So each can clear away its own before it is run again; together they leave all but the checkpoints."""
    left = [name for stage in STAGES for name in digests.of_files(trained.artifacts.tree, stage.leaves)]
    assert len(left) == len(set(left))
    everything = set(digests.of_files(trained.artifacts.tree, ["**/*"]))
    assert {name for name in everything if "checkpoints" not in name} == set(left)


def test_stages_come_after_what_they_read():
    """The order of the table is one in which they can be run."""
    for number, stage in enumerate(STAGES):
        assert set(stage.after) <= set(NAMES[:number])


def test_every_stage_is_documented():
    """docs/runs.md has a line for each, with the stages it comes after and the sections that concern it."""
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()
    rows = [line.split("|")[1:-1] for line in page.splitlines() if line.startswith("| `")]
    assert [name.strip(" `") for name, *_ in rows] == list(NAMES)
    for stage, (_, reads, _, concerned) in zip(STAGES, rows, strict=True):
        named = [name for name in NAMES if name in reads]
        assert named == list(stage.after) or (stage.name == "report" and "all but package" in reads)
        sections = (
            set(TrainingConfig.model_fields) if "whole config" in concerned else set(re.findall(r"`(\w+)`", concerned))
        )
        assert sections == set(stage.sections)
