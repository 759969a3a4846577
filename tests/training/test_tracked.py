"""What of a run is tracked: flat names, numbers alone, and the commit that is checked out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from schemas.evaluation import Evaluation, FlagRate, Injected
from tests.training.conftest import Trained
from training import tracked
from training.tracked import flat


def test_every_key_of_the_config_is_a_parameter(trained: Trained):
    """By the name that `--set` takes, and in the words of YAML."""
    told = tracked.parameters(trained.run.record)
    assert told["window.size"] == "8"
    assert told["networks.cnn_ae.latent"] == "2"
    assert told["ensemble.weights"] == "{}"
    assert told["threshold.method"] == "budget"
    assert {name.split(".")[0] for name in told} == set(type(trained.config).model_fields)


def test_the_leaves_of_a_tree():
    """Each with the names on the way to it."""
    assert dict(flat({"a": {"b": 1, "c": {}}, "d": [1, 2]}, "/")) == {"a/b": 1, "a/c": {}, "d": [1, 2]}


def test_figures_are_numbers():
    """What is not known is no figure; an injected anomaly has its kind and size for a name; series stay in the file."""
    spike = Injected("spike", 3.0, "sd", 5, 4, 0.8, 1.0, 0)
    rate = FlagRate(0.01, 100, 2, None)
    evaluation = Evaluation(rate, None, [spike], {})
    assert tracked.figures(evaluation) == {
        "flag_rate/promised": 0.01,
        "flag_rate/windows": 100,
        "flag_rate/flagged": 2,
        "injected/spike 3 sd/size": 3,
        "injected/spike 3 sd/tries": 5,
        "injected/spike 3 sd/found": 4,
        "injected/spike 3 sd/recall": 0.8,
        "injected/spike 3 sd/median_delay_rows": 1,
        "injected/spike 3 sd/false_alarms": 0,
    }


def test_the_figures_of_a_run_are_those_of_its_file(trained: Trained):
    """Down to each network's own."""
    evaluation = msgspec.json.decode(trained.artifacts.metrics.read_bytes(), type=Evaluation)
    told = tracked.figures(evaluation)
    assert evaluation.labelled is not None
    assert told["labelled/auc_pr_by_network/cnn_ae"] == evaluation.labelled.auc_pr_by_network["cnn_ae"]
    assert not any("by_series" in name for name in told)


def test_the_commit_that_is_checked_out(tmp_path: Path):
    """With a mark if a file differs from it; nothing where there is no checkout, or none of ours."""
    assert tracked.git_version(tmp_path) == ""
    file, git = tmp_path / "file", ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t"]
    file.write_text("one")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert tracked.git_version(tmp_path) == commit
    file.write_text("two")
    assert tracked.git_version(tmp_path) == f"{commit}-dirty"
    (tmp_path / "below").mkdir()
    assert tracked.git_version(tmp_path / "below") == ""
