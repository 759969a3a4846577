"""What a program is told of a training: lines of JSON, each whole, in the order of what happens."""

from __future__ import annotations

import json

from training.events import BatchDone, EpochDone, NetworkStarted, StageStarted, WindowShrunk
from training.history import Epoch, History
from training.told import Told


def test_events_are_lines_of_json(tmp_path):
    """One line each with its kind and its time; what a program can do nothing with is left out."""
    path = tmp_path / "events.jsonl"
    with Told(path) as told:
        for event in (
            StageStarted("train", "it was asked for"),
            WindowShrunk(64, 32),
            NetworkStarted("gru_ae", History()),
            EpochDone("gru_ae", Epoch(1, 0.5, 0.25, 3.0)),
        ):
            told(event)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.pop("event") for line in lines] == ["stage", "window", "network", "epoch"]
    assert all(line.pop("at") > 0 for line in lines)
    assert lines[-1] == {"network": "gru_ae", "epoch": 1, "loss": 0.5, "validation_loss": 0.25}


def test_steps_are_told_now_and_then(tmp_path):
    """A thousand steps in a moment are a line or two, and the last is among them."""
    path = tmp_path / "events.jsonl"
    with Told(path) as told:
        for step in range(1, 1001):
            told(BatchDone("gru_ae", step, 1000, 0.5))
    lines = path.read_text().splitlines()
    assert len(lines) < 100
    assert json.loads(lines[-1])["done"] == 1000
