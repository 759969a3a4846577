"""`tidewatch runs` and `train --run`, as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from stream_app.cli import tidewatch
from tests.training.conftest import RELEASE, Trained
from training import runs


@pytest.fixture
def workplace(trained: Trained, tmp_path: Path, monkeypatch, plain_environment) -> Path:
    """A folder with three runs: one done, one stopped while it trained, and the first one's neighbour that failed."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(trained.file, tmp_path / "plant.csv")
    for number, name in enumerate([RELEASE, "stopped", "failed"]):
        shutil.copytree(trained.run.root, runs.RUNS / name)
        run = runs.find(name)
        run.update(
            run=name,
            created=f"2026-08-2{number}T10:15:00Z",
            data=str(tmp_path / "plant.csv"),
            store=f"dir:{tmp_path / 'var' / 'store'}",
        )
    change("stopped", "train", state="running")
    change("failed", "evaluate", state="failed", error="no room [left]")
    return tmp_path


def change(name: str, stage: str, **became: str) -> None:
    """A run that came to this stage, and no further."""
    run = runs.find(name)
    names = list(run.record.stages)
    stages = {name: run.record.stages[name] for name in names[: names.index(stage) + 1]}
    stages[stage] = msgspec.structs.replace(stages[stage], outputs={}, **became)
    run.update(stages=stages)
    run.artifacts.publication.unlink()


def call(*words: str) -> Result:
    """The command, on a wide screen; runs are not tracked."""
    options = ["--no-tracking"] if words[0] == "train" else []
    return CliRunner().invoke(tidewatch, [*words, *options], env={"COLUMNS": "200"})


def test_the_list_says_how_far_each_came(workplace):
    """By time, with losses, for people and for programs."""
    lines = call("runs", "list").output.splitlines()
    begins = [line.split() for line in lines if line.startswith((RELEASE, "stopped", "failed"))]
    assert [line[:4] + line[4:6] for line in begins] == [
        [RELEASE, "plant", "2026-08-20", "10:15", "done", "lstm_ae"],
        ["stopped", "plant", "2026-08-21", "10:15", "train", "interrupted"],
        ["failed", "plant", "2026-08-22", "10:15", "evaluate", "failed"],
    ]
    assert begins[0][-1] == "published"
    found = json.loads(call("runs", "list", "plant", "--json").output)
    assert [run["state"] for run in found] == ["done", "interrupted", "failed"]
    assert [run["release"] for run in found] == [RELEASE, None, None]
    assert found[0]["losses"].keys() == {"lstm_ae", "cnn_ae", "var", "level"}
    assert json.loads(call("runs", "list", "pumps", "--json").output) == []


def test_a_run_at_work_is_told_from_one_that_was_killed(workplace):
    """By the lock that the system takes back."""
    with runs.find("stopped").locked():
        assert "train running" in call("runs", "list").output
    assert "train interrupted" in call("runs", "list").output


def test_the_first_list_says_what_to_do(tmp_path, monkeypatch):
    """There is nothing yet, and nothing is made by looking."""
    monkeypatch.chdir(tmp_path)
    assert "there are no runs in var/runs; make one: tidewatch train" in call("runs", "list").output
    assert list(tmp_path.iterdir()) == []


def test_a_run_in_full(workplace):
    """What was asked for, every stage, the reason of a failure as it is, and where the files are."""
    output = call("runs", "show", "failed").output
    for expected in (
        "not published",
        "no room [left]",
        "var/runs/failed/Artifact: ",
        "model_dataloader (",
        "plant.csv",
    ):
        assert expected in output
    about = json.loads(call("runs", "show", f"var/runs/{RELEASE}", "--json").output)
    assert about["promoted"]
    assert about["networks"]["cnn_ae"]["epochs"] == 2
    assert about["config"]["window"]["size"] == 8
    assert about["stages"]["train"]["seconds"] > 0


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        (["--keep", "2"], [RELEASE]),
        (["--keep", "1", "--older-than", "0"], [RELEASE, "stopped"]),
        (["--older-than", "1"], [RELEASE, "stopped", "failed"]),
        (["--older-than", "100000"], []),
        (["--keep", "0", "--dataset", "pumps"], []),
    ],
    ids=str,
)
def test_pruning_says_first_and_does_it_with_yes(workplace, options, gone):
    """What would go and how many bytes; then it is gone, and nothing else is."""
    names = {path.name for path in runs.RUNS.iterdir()}
    said = call("runs", "prune", *options).output.splitlines()
    assert {path.name for path in runs.RUNS.iterdir()} == names
    done = call("runs", "prune", *options, "--yes").output.splitlines()
    assert {path.name for path in runs.RUNS.iterdir()} == names - set(gone)
    assert [line.split()[0] for line in said[:-1]] == gone
    assert said[:-1] == done[:-1]
    if gone:
        assert said[-1].startswith(f"would remove {len(gone)} of 3 runs, ")
        assert said[-1].endswith("bytes); do it: add --yes")
        assert done[-1].startswith(f"removed {len(gone)} of 3 runs, ")


def test_a_run_at_work_is_never_pruned(workplace):
    """Whatever the rule says."""
    with runs.find("stopped").locked():
        call("runs", "prune", "--keep", "0", "--yes")
    assert [path.name for path in runs.RUNS.iterdir()] == ["stopped"]


def test_pruning_needs_a_rule(workplace):
    """All of them is never what was meant by nothing."""
    result = call("runs", "prune", "--yes")
    assert result.exit_code == 2
    assert "--keep N, --older-than DAYS, or both" in result.output


def test_a_run_goes_on(workplace):
    """What is done is not run again, the rest is; then it says where it serves, and a second time there is nothing."""
    output = call("train", "--resume", "stopped").output
    assert "preprocess: unchanged, not run again" in output
    assert "train: it was interrupted" in output
    assert "lstm_ae: 2 epochs are kept from before" in output
    assert f"{RELEASE} now serves dataset plant" in output
    again = call("train", "--run", "stopped").output
    assert again.count("unchanged, not run again") == len(runs.find("stopped").record.stages)
    assert f"{RELEASE} now serves dataset plant" in again


def test_one_stage_alone(workplace):
    """It is run, if something changed or it is asked to be; then the next command is said."""
    assert "evaluate: unchanged, not run again" in call("train", "--run", RELEASE, "--only", "evaluate").output
    again = call("train", "--run", RELEASE, "--only", "evaluate", "--again").output
    assert "evaluate: it was asked for" in again
    only = call("train", "--data", "plant.csv", "--dataset", "plant", "--only", "ingest", "--run-dir", "new").output
    assert "next: tidewatch train --run new" in only
    assert list(runs.find("new").record.stages) == ["ingest"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--resume", ""], 1, "there is no run '', neither under var/runs nor as a path"),
        (["--resume", "nowhere"], 1, "there is no run 'nowhere', neither under var/runs nor as a path"),
        (["--resume", "stopped", "--dataset", "fans"], 1, "run stopped is of dataset 'plant', not 'fans'; begin a new"),
        (["--resume", "stopped", "--run-dir", "other"], 2, "--run-dir is for a new run"),
        (["--resume", "stopped", "--only", "evaluate"], 1, "stage evaluate needs the files of stage calibrate, which"),
        (["--resume", "stopped", "--set", "window.size=x"], 1, "window.size is 'x'"),
        (["--only", "train", "--data", "plant.csv", "--dataset", "plant"], 2, "name their run by --run"),
        (["--only", "nonsense"], 2, "'nonsense' is not one of"),
        (["--dataset", "plant"], 2, "Missing option '--data'"),
        (["--data", "plant.csv"], 2, "Missing option '--dataset'"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else None,
)
def test_mistakes(workplace, words, code, expected):
    """Each is said in a sentence, and leaves everything as it was."""
    before = {path: path.read_bytes() for path in runs.RUNS.rglob("*.json")}
    result = call("train", *words)
    assert result.exit_code == code, result.output
    assert expected in result.output
    assert {path: path.read_bytes() for path in runs.RUNS.rglob("*.json")} == before


def test_a_run_at_work_is_left_alone(workplace):
    """The second process is told who the first is."""
    with runs.find("stopped").locked():
        result = call("train", "--resume", "stopped")
    assert result.exit_code == 1
    assert "is at work on run stopped; wait until it ends, or stop it" in result.output


@pytest.mark.parametrize(("text", "size"), [("time,flow\n1,2\n1,x\n", 8), ("time,flow\n1,2\n2,3\n3,1\n", 400)])
def test_data_that_is_no_good_leaves_no_run(workplace, text, size):
    """If it can not be read, or is too little: there is nothing to go on with."""
    Path("bad.csv").write_text(text)
    wish = ["--run-dir", "bad", "--set", f"window.size={size}"]
    result = call("train", "--data", "bad.csv", "--dataset", "plant", *wish)
    assert result.exit_code == 1
    assert "--resume" not in result.output
    assert not Path("bad").exists()


def test_what_would_fail_again_is_not_offered(workplace):
    """A run that is asked for a window too long keeps what it has, and does not advise to do the same once more."""
    result = call("train", "--resume", RELEASE, "--set", "window.size=400")
    assert result.exit_code == 1
    assert "no window of 400 rows fits" in result.output
    assert "--resume" not in result.output
    assert runs.find(RELEASE).state("preprocess") == "failed"
    assert runs.find(RELEASE).artifacts.training("lstm_ae.pth").exists()


def test_a_training_that_diverged_goes_on_with_smaller_steps(workplace):
    """The same once more would fail again; what is advised keeps the readings, and goes through."""
    result = call("train", "--resume", RELEASE, "--set", "training.learning_rate=1e30")
    assert result.exit_code == 1
    assert "lower training.learning_rate (it is 1e+30)" in result.output
    assert f"go on with: tidewatch train --resume {RELEASE} --set training.learning_rate=3e+29\n" in result.output
    assert runs.find(RELEASE).state("train") == "failed"


def test_a_failure_that_may_pass_says_how_to_go_on(workplace):
    """Such as a store that takes nothing."""
    Path("full").write_text("no folder")
    result = call("train", "--resume", RELEASE, "--again", "--only", "package", "--setting", "store.url=dir:full")
    assert result.exit_code == 1
    assert f"stopped; go on with: tidewatch train --resume {RELEASE}\n" in result.output


def test_a_run_that_is_looked_at_stays_as_it_is(workplace):
    """Listing and showing write nothing."""
    before = sorted(Path.cwd().rglob("*"))
    call("runs", "list")
    call("runs", "show", "stopped")
    call("runs", "prune", "--keep", "0")
    assert sorted(Path.cwd().rglob("*")) == before
