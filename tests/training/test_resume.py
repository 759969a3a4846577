"""Stopped anywhere and gone on with, a run ends with the weights that it would have had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from models.store import open_store
from schemas.training import TrainingConfig
from tests.training.conftest import TINY, Trained, play, rename, write_plant
from training import digests, history, runs
from training.artifacts import Artifacts
from training.events import BatchDone, Event, NetworkStarted, StageStarted
from training.pipeline import Pipeline
from training.runs import Request, Run

COMPARED = ["model_training/*.pth", "model_training/release/*.pth", "model_training/release/ensemble_meta.json"]
EPOCHS = 40  # more than a process makes until it is stopped
SLOW = {"training": {"epochs": EPOCHS, "patience": EPOCHS, "threads": 1}}


def begun(trained: Trained, root: Path, **training: Any) -> Run:
    """A run of a tiny detector with dropout, before its first stage."""
    values = {**TINY, "training": {**TINY["training"], "epochs": 5, **training}}
    values["networks"] = {name: {**size, "dropout": 0.2} for name, size in TINY["networks"].items()}
    request = Request(
        trained.file, trained.run.request.wanted, TrainingConfig.model_validate(values), f"dir:{root}-store", True
    )
    return runs.create(root, request, trained.run.record.identity)


def stop_at(run: Run, name: str, step: int) -> None:
    """Run it until a network has made so many steps, then press Ctrl-C."""

    def tell(event: Event) -> None:
        if isinstance(event, BatchDone) and (event.name, event.done) == (name, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Pipeline(run, run.request, open_store(run.request.store), tell, rename).play()


def made(artifacts: Artifacts) -> dict[str, str]:
    """Digests of all that training decides, and the losses of every epoch."""
    losses = [
        (name, epoch.train_loss, epoch.validation_loss)
        for name, of in history.load(artifacts).items()
        for epoch in of.epochs
    ]
    return digests.of_files(artifacts.tree, COMPARED) | {"losses": str(losses)}


@pytest.fixture(scope="module")
def whole(trained: Trained, tmp_path_factory) -> dict[str, str]:
    """What a run leaves that nothing stopped."""
    run = begun(trained, tmp_path_factory.mktemp("whole") / "run")
    play(run)
    return made(run.artifacts)


@pytest.mark.parametrize(
    "stops", [[("lstm_ae", 1)], [("lstm_ae", 40), ("lstm_ae", 100)], [("cnn_ae", 33)], [("lstm_ae", 70), ("cnn_ae", 1)]]
)
def test_a_stopped_run_ends_the_same(trained: Trained, whole, tmp_path, stops):
    """In the first epoch, twice, in the second network: to the last bit, and in another Run object."""
    run = begun(trained, tmp_path / "run")
    for name, step in stops:
        stop_at(runs.find(str(run.root)), name, step)
    told = play(runs.find(str(run.root)))
    assert made(run.artifacts) == whole
    assert next(event.name for event in told if isinstance(event, StageStarted)) == "train"
    begins = {event.name: event.history.done for event in told if isinstance(event, NetworkStarted)}
    steps = next(event.total for event in told if isinstance(event, BatchDone)) // 5
    last_name, last_step = stops[-1]
    assert begins[last_name] == (last_step - 1) // steps
    assert begins["lstm_ae"] == (5 if last_name == "cnn_ae" else begins[last_name])


def test_a_checkpoint_of_another_config_is_not_gone_on_with(trained: Trained, tmp_path):
    """Asked for something else in the meantime, the networks begin anew, and end as if they never had."""
    run = begun(trained, tmp_path / "run", seed=1)
    stop_at(run, "cnn_ae", 60)
    other = begun(trained, tmp_path / "other", seed=2)
    play(other)
    told = play(run, request=other.request)
    assert [len(event.history.epochs) for event in told if isinstance(event, NetworkStarted)] == [0, 0, 0, 0]
    assert made(run.artifacts) == made(other.artifacts)


def test_a_damaged_checkpoint_costs_time_and_nothing_else(trained: Trained, whole, tmp_path):
    """The network that it is of begins anew."""
    run = begun(trained, tmp_path / "run")
    stop_at(run, "cnn_ae", 60)
    file = run.artifacts.checkpoint("lstm_ae")
    file.write_bytes(file.read_bytes()[:1000])
    play(run)
    assert made(run.artifacts) == whole


def process(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, as a user starts it."""
    command = [sys.executable, "-m", "stream_app", "train", "--no-tracking", *arguments]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=pipe, text=True)


def started(folder: Path) -> subprocess.Popen[str]:
    """A run in `folder/run` that is at work on its second network; a detector with many short epochs."""
    (folder / "config.yaml").write_text(json.dumps({**TINY, **SLOW}))
    write_plant(folder / "plant.csv", rows=300)
    options = ("--data", "plant.csv", "--dataset", "plant", "--config", "config.yaml", "--run-dir", "run")
    running = process(folder, *options)
    while len(history.load(Artifacts(folder / "run"))) < 2:
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    return running


def is_interrupted(run: Run) -> bool:
    """Whether it was stopped amid its second network, and says so."""
    first, second = (of.done for of in history.load(run.artifacts).values())
    return run.state("train") == "interrupted" and first == EPOCHS and 0 < second < EPOCHS


@pytest.mark.slow
def test_a_killed_process(tmp_path, monkeypatch, plain_environment):
    """A real one, amid an epoch: its losses are there, its run says so, and goes on to the same weights."""
    running = started(tmp_path)
    running.kill()
    running.communicate()
    monkeypatch.chdir(tmp_path)
    run = runs.find("run")
    assert is_interrupted(run)
    assert process(tmp_path, "--resume", "run").wait() == 0
    undisturbed = runs.create(tmp_path / "undisturbed", run.request, run.record.identity)
    play(undisturbed, ["ingest", "preprocess", "speed", "train", "calibrate"])
    assert made(run.artifacts) == made(undisturbed.artifacts)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_process(tmp_path, plain_environment, how):
    """It says in a line how to go on, and leaves with the code of Ctrl-C."""
    running = started(tmp_path)
    running.send_signal(how)
    _, errors = running.communicate()
    assert running.returncode == 130
    assert errors == "stopped; go on with: tidewatch train --resume run\n"
    assert is_interrupted(runs.find(str(tmp_path / "run")))
