"""Runs in MLflow: what is read back from it equals the run's files, whatever happened on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from schemas.errors import TidewatchError
from schemas.training import TrainingConfig
from tests.training.conftest import RELEASE, RENAMED, TINY, begin, play, write_plant
from tests.training.tracking.kept import champion, check_equal, runs_in, tracked_by
from training import tracked
from training.events import EpochDone, Event, all_of
from training.mirror import mirror
from training.runs import Run
from training.tracker import Tracker
from training.tracking import key_of


def test_what_is_tracked_equals_the_files(run: Run, uri: str, tmp_path: Path):
    """Parameters, tags, losses by epoch, figures and files; files lie beside the SQLite file."""
    (tmp_path / "down").mkdir()
    assert tracked_by(uri, run) == ([], f"{uri} (to see it: tidewatch runs ui)")
    check_equal(uri, run, tmp_path / "down")
    assert (tmp_path / "mlflow-artifacts").is_dir()
    assert champion(uri) == RELEASE


class Stop:
    """Interrupts a run at an epoch."""

    def __init__(self, network: str, number: int) -> None:
        self.at = (network, number)

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochDone) and (event.name, event.epoch.number) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("told", [True, False], ids=["told", "killed before it was told"])
def test_a_resumed_run_is_the_same_run(run: Run, uri: str, tmp_path: Path, told: bool):
    """It is taken up where it was, and each epoch is there once."""
    (tmp_path / "down").mkdir()
    stop, warnings = Stop("cnn_ae", 1), list[str]()
    with pytest.raises(KeyboardInterrupt), Tracker(uri, warnings.append) as tracker:
        play(run, observer=all_of(tracker, stop) if told else all_of(stop, tracker))
    (found,) = runs_in(uri)
    assert (found.info.status, warnings) == ("KILLED", [])
    assert tracked_by(uri, run)[0] == []
    check_equal(uri, run, tmp_path / "down")


def test_what_was_missed_is_caught_up(run: Run, uri: str, tmp_path: Path):
    """A run that was not tracked, or whose server was away, is whole in MLflow once it is played again."""
    (tmp_path / "down").mkdir()
    play(run)
    assert tracked_by(uri, run)[0] == []
    check_equal(uri, run, tmp_path / "down")


def test_another_config_is_another_run(run: Run, uri: str):
    """A parameter never changes in MLflow; the release that is made again has a name and a version of its own."""
    tracked_by(uri, run)
    config = run.request.config.model_copy(update={"training": run.request.config.training.model_copy()})
    config = TrainingConfig.model_validate(config.model_dump() | {"threshold": {"method": "quantile"}})
    tracked_by(uri, run, request=replace(run.request, config=config))
    assert [(one.info.run_name, one.data.params["threshold.method"]) for one in runs_in(uri)] == [
        (RENAMED, "quantile"),
        (RELEASE, "budget"),
    ]
    assert champion(uri) == RENAMED


def test_a_run_that_is_played_again_promotes_nothing(run: Run, uri: str):
    """The alias follows promotions alone: another release may serve by now."""
    tracked_by(uri, run)
    MlflowClient(uri).delete_registered_model_alias("plant", "champion")
    tracked_by(uri, run)
    assert champion(uri) is None
    assert len(MlflowClient(uri).search_model_versions("name = 'plant'")) == 1


def test_a_failure_is_a_failed_run(run: Run, uri: str):
    """MLflow has what there was until then."""
    config = TrainingConfig.model_validate(TINY | {"training": TINY["training"] | {"learning_rate": 1e30}})
    with pytest.raises(TidewatchError, match=r"lower training\.learning_rate"):
        tracked_by(uri, run, request=replace(run.request, config=config))
    (found,) = runs_in(uri)
    assert found.info.status == "FAILED"
    assert found.data.params["training.learning_rate"] == "1e+30"
    assert "data_digest" in found.data.tags


def test_a_window_that_shrinks_is_told_as_it_is_cut(uri: str, tmp_path: Path):
    """A parameter never changes in MLflow, so it is put down when it is known."""
    plant = write_plant(tmp_path / "plant.csv", rows=400, machines=["m1"])
    config = {key: value for key, value in TINY.items() if key != "window"}
    run = begin(plant, tmp_path, TrainingConfig.model_validate(config))
    assert tracked_by(uri, run)[0] == []
    (found,) = runs_in(uri)
    assert found.data.params == tracked.parameters(run.record)
    assert found.data.params["window.size"] == "16"


@pytest.mark.parametrize("text", ["a,b\n", "time,flow\n1,2\n2,3\n3,1\n"], ids=["unreadable", "too little"])
def test_data_that_is_no_good_leaves_no_run(run: Run, uri: str, tmp_path: Path, text: str):
    """A wrong file is no training."""
    (tmp_path / "wrong.csv").write_text(text)
    with pytest.raises(TidewatchError):
        tracked_by(uri, run, request=replace(run.request, data=tmp_path / "wrong.csv"))
    assert runs_in(uri) == []


def test_the_champion_is_mirrored(run: Run, uri: str):
    """Promotions and roll-backs move the alias; a release that MLflow does not know takes it away."""
    tracked_by(uri, run)
    warnings: list[str] = []
    for release, expected in [("20260101T000000Z-000000", None), (RELEASE, RELEASE)]:
        mirror(uri, "plant", release, warnings.append)
        assert champion(uri) == expected
    mirror(uri, "unheard-of", RELEASE, warnings.append)
    assert warnings == []


def test_where_nothing_is_tracked_nothing_is_mirrored(tmp_path: Path):
    """No file is made for it."""
    warnings: list[str] = []
    mirror(f"sqlite:///{tmp_path / 'mlflow.db'}", "plant", RELEASE, warnings.append)
    assert (warnings, list(tmp_path.iterdir())) == ([], [])


def test_names_that_mlflow_does_not_take():
    """A feature may be called anything."""
    assert key_of("temp (°C)/a:b 3.5-x_y") == "temp __C_/a:b 3.5-x_y"
