"""Runs: found, locked, and what is on record."""

from __future__ import annotations

import shutil
from dataclasses import replace

import msgspec
import pytest

from schemas.run import StageRecord
from tests.training.conftest import Trained, play
from training import runs
from training.runs import Run, RunError


@pytest.fixture
def run(trained: Trained, tmp_path) -> Run:
    """A run of one's own that is done."""
    shutil.copytree(trained.run.root, tmp_path / "runs" / "one")
    return runs.find("one", tmp_path / "runs")


def test_a_run_is_found_by_its_id_or_its_folder(run: Run, tmp_path):
    """And what is neither is said to be so."""
    assert runs.find(str(run.root)).record == run.record
    with pytest.raises(RunError, match=r"there is no run 'two', neither under .*runs list"):
        runs.find("two", tmp_path / "runs")


def test_the_record_says_all_that_was_asked_for(trained: Trained):
    """It is read back as it was."""
    asked = runs.find(str(trained.run.root)).request
    assert asked == trained.run.request
    assert (asked.data, asked.config, asked.promote) == (trained.file, trained.config, True)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "can not be read"),
        (b"\xff\xfe", "can not be read"),
        (b'{"format": 1}', "can not be read"),
    ],
)
def test_a_broken_record_is_refused(run: Run, content, expected):
    """In one sentence; it is not among those that are listed."""
    (run.root / runs.RECORD).write_bytes(content)
    with pytest.raises(RunError, match=expected):
        runs.find(str(run.root))
    assert runs.all_in(run.root.parent) == []


def test_records_of_other_versions_are_refused(run: Run):
    """A format that is not known, a config with a key that is not known."""
    run.update(config={**run.record.config, "magic": 1})
    with pytest.raises(RunError, match=r"another version \(.*magic.*\); begin a new run"):
        runs.find(str(run.root)).request  # noqa: B018
    run.update(format=99)
    with pytest.raises(RunError, match="format 99"):
        runs.find(str(run.root))


def test_two_can_not_work_on_one_run(run: Run):
    """The second is told who the first is; others may look on; then it is free again."""
    other = runs.find(str(run.root))
    with run.locked():
        assert other.is_at_work
        with pytest.raises(RunError, match=r"process \d+ is at work on run .*one; wait"), other.locked():
            pass
    assert not other.is_at_work
    with other.locked():
        pass


def test_whoever_comes_second_goes_on_from_what_the_first_left(run: Run):
    """The record is read again under the lock."""
    other = runs.find(str(run.root))
    with run.locked():
        run.update(promote=False)
    with other.locked():
        assert not other.record.promote


def test_what_became_of_a_stage(run: Run):
    """Done, until an earlier one leaves something else; running as long as somebody works on it."""
    assert {run.state(name) for name in run.record.stages} == {"done"}
    assert run.is_complete
    train = run.record.stages["train"]
    run.note("train", msgspec.structs.replace(train, outputs={}))
    assert [name for name in run.record.stages if run.state(name) == "outdated"] == [
        "calibrate",
        "evaluate",
        "package",
        "report",
    ]
    assert not run.is_complete
    run.note("train", StageRecord("running", "2026-08-29T10:15:00Z", {}))
    assert run.state("train") == "interrupted"
    with run.locked():
        assert runs.find(str(run.root)).state("train") == "running"


def test_a_folder_in_use_is_no_place_for_a_run(trained: Trained, tmp_path):
    """Nothing that is there is written over."""
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"--run-dir .* is not an empty folder"):
        runs.create(tmp_path, trained.run.request, trained.run.record.identity)


def test_a_stage_needs_what_it_reads(run: Run):
    """Whatever is missing, was changed, or was made by another config is named, with the command that mends it."""
    config = run.request.config
    other = replace(run.request, config=config.model_copy(update={"gap": config.gap.model_copy(update={"factor": 2})}))
    with pytest.raises(RunError, match=r"evaluate needs the files of stage preprocess, .* before config\.gap changed"):
        play(run, ["evaluate"], other)
    assert runs.find(str(run.root)).request == run.request  # what is refused is not put on record
    (run.artifacts.release("manifest.json")).unlink()
    with pytest.raises(RunError, match=r"stage evaluate needs the files of stage calibrate, which were changed; run"):
        play(run, ["evaluate"])
    run.note("calibrate", StageRecord("running", "2026-08-29T10:15:00Z", {}))
    with pytest.raises(RunError, match=r"calibrate, which are not complete; .*tidewatch train --run .*one"):
        play(run, ["evaluate"])
