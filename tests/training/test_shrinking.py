"""A default window in a short file: it gets shorter by itself; one that somebody asked for does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.training import TrainingConfig, WindowConfig
from stream_app.cli import tidewatch
from tests.training.conftest import TINY, begin, play, write_plant
from training import runs
from training.artifacts import read_json
from training.config import change, load
from training.events import StageStarted, WindowShrunk
from training.preprocess import TooLittleData
from training.shrinking import shrunk

DETECTORS = Path(__file__).parents[2] / "config" / "detectors"
ROWS = 400  # 360 of them are not labelled, and the least part has a tenth of that, a window's gap included
BY_DEFAULT = {key: value for key, value in TINY.items() if key != "window"}


def sizes(config: TrainingConfig | None) -> list[int]:
    """The windows that are tried, one after the other."""
    found = []
    while config is not None:
        found.append(config.window.size)
        config = shrunk(config)
    return found


def test_halves_down_to_four():
    """No shorter window is any good."""
    assert sizes(TrainingConfig()) == [64, 32, 16, 8, 4]
    assert sizes(TrainingConfig(window=WindowConfig(size=9, shrinks=True))) == [9, 4]


@pytest.mark.parametrize("name", [file.stem for file in DETECTORS.glob("*.yaml")])
def test_our_configs_shrink_unless_a_size_is_named(name):
    """By an option, in a YAML of one's own, or in another config that is laid over."""
    ours = load(name, DETECTORS)
    assert ours.window.shrinks
    assert load(name, DETECTORS, ["window.stride=2"]).window.shrinks
    assert not load(name, DETECTORS, ["window.size=32"]).window.shrinks
    assert not change(ours, ["window={size: 32}"]).window.shrinks
    assert change(ours, ["window.size=32", "window.shrinks=true"]).window.shrinks
    assert not TrainingConfig.model_validate({"window": {"size": 32}}).window.shrinks


def test_a_run_goes_on_with_the_window_that_fits(tmp_path):
    """It says so, it is on record and in the release, and another time nothing has to be tried."""
    file = write_plant(tmp_path / "plant.csv", rows=ROWS, machines=["m1"])
    run = begin(file, tmp_path, TrainingConfig.model_validate(BY_DEFAULT))
    told = play(run)
    assert [event for event in told if isinstance(event, WindowShrunk)] == [
        WindowShrunk(64, 32),
        WindowShrunk(32, 16),
    ]
    assert run.request.config.window == WindowConfig(size=16, shrinks=True)
    assert read_json(run.artifacts.window)["size"] == 16
    assert "size: 16" in run.artifacts.release("config.yaml").read_text()
    assert [event for event in play(runs.find(str(run.root))) if isinstance(event, StageStarted)] == []


def test_a_window_that_was_asked_for_is_not_changed(tmp_path):
    """The error says what would fit."""
    file = write_plant(tmp_path / "plant.csv", rows=ROWS, machines=["m1"])
    run = begin(file, tmp_path, TrainingConfig.model_validate({**BY_DEFAULT, "window": {"size": 64}}))
    with pytest.raises(TooLittleData, match="no window of 64 rows fits into the validation part"):
        play(run)
    assert run.request.config.window.size == 64


def train(folder: Path, *options: str) -> Result:
    """The command, with tiny networks."""
    small = [f"networks.{name}.hidden=4" for name in ("lstm_ae", "gru_ae", "cnn_ae")]
    words = [word for one in ("training.epochs=1", *small) for word in ("--set", one)]
    return CliRunner().invoke(
        tidewatch, ["train", "--no-tracking", "--data", "plant.csv", "--dataset", "plant", *words, *options]
    )


def test_the_command_says_so_in_a_line(tmp_path, monkeypatch, plain_environment):
    """With the way to insist; one that insists gets today's error, and too few readings for any window theirs."""
    monkeypatch.chdir(tmp_path)
    write_plant(tmp_path / "plant.csv", rows=ROWS, machines=["m1"])
    result = train(tmp_path)
    assert result.exit_code == 0, result.output
    assert "windows of 16 readings, for there are too few for 32; to insist: --set window.size=" in result.output
    insisting = train(tmp_path, "--set", "window.size=64")
    assert "no window of 64 rows fits into the validation part" in insisting.output
    write_plant(tmp_path / "plant.csv", rows=30, machines=["m1"])
    assert "no window of 4 rows fits into the" in train(tmp_path).output
