"""The choice of threads and windows at once: clear gains only, and what was chosen stays."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
import torch

from models.store import open_store
from schemas.training import TrainingConfig
from tests.training.conftest import TINY, Trained, begin, play, rename
from training import speed
from training.events import BatchDone, Event, NetworkStarted, SpeedChosen, StageSkipped
from training.pipeline import Pipeline
from training.runs import Run, find
from training.speed import CANDIDATES, Speed


def with_threads(trained: Trained, folder: Path, threads: int) -> Run:
    """A run that is to use so many threads; 0 is to be measured."""
    training = {**TINY["training"], "threads": threads}
    return begin(trained.file, folder, TrainingConfig.model_validate({**TINY, "training": training}))


@pytest.mark.parametrize(
    ("taken", "most", "expected"),
    [
        ({1: [6.0]}, 1, 1),  # nothing to choose from
        ({1: [6.0], 2: [3.5]}, 2, 2),
        ({1: [6.0], 2: [5.5]}, 2, 1),  # faster, but hardly
        ({1: [6.0], 2: [3.2], 4: [2.0], 8: [1.9]}, 8, 4),
        ({1: [6.0], 2: [3.2]}, 3, 2),
        ({1: [6.0], 2: [3.0, 3.0, 40.0]}, 2, 1),  # now and then another process wants the second core
        ({1: [6.0], 2: [7.0], 4: [1.0]}, 4, 1),  # not worth a look
    ],
)
def test_more_threads_must_be_clearly_faster(taken, most, expected):
    """By a fifth in the mean of all turns, the slow ones too; the first, which warms up, does not count."""
    turns = {count: cycle(each) for count, each in taken.items()}
    chosen, known = speed.fewest(lambda count: next(turns[count]), most)
    assert chosen == expected
    assert set(known) <= {1, 2, 4, 8}
    assert (chosen in known) == (most > 1)


def test_a_number_in_the_config_is_not_doubted(trained: Trained):
    """Nothing is measured, so that the same numbers come out on every machine."""
    assert speed.load(trained.artifacts) == Speed(1, 1024)


def test_what_is_measured(trained: Trained, tmp_path):
    """A step of training by threads, errors by windows at once, and of those the fastest is taken."""
    run = with_threads(trained, tmp_path, 0)
    with speed.threads(2):
        told = play(run, ["ingest", "preprocess", "speed"])
        assert torch.get_num_threads() == 2
    chosen = speed.load(run.artifacts)
    assert [event.speed for event in told if isinstance(event, SpeedChosen)] == [chosen]
    assert set(chosen.step_ms) == {"1", "2"}
    assert set(map(int, chosen.window_us)) == set(CANDIDATES)
    assert chosen.window_us[str(chosen.windows_at_once)] == min(chosen.window_us.values())
    assert f"a training step takes {chosen.step_ms['1']:.0f} ms with 1 and" in str(chosen)


def test_a_stopped_run_goes_on_with_the_same(trained: Trained, tmp_path):
    """It is not measured again, and every step of training uses the threads on record."""
    run, used = with_threads(trained, tmp_path, 0), []

    def stop(event: Event) -> None:
        if isinstance(event, NetworkStarted):
            raise KeyboardInterrupt

    with speed.threads(2), pytest.raises(KeyboardInterrupt):
        Pipeline(run, run.request, open_store(run.request.store), stop, rename).play()
    before = run.artifacts.speed.read_bytes()

    def watch(event: Event) -> None:
        if isinstance(event, BatchDone):
            used.append(torch.get_num_threads())

    with speed.threads(3):
        told = play(find(str(run.root)), ["preprocess", "speed", "train"], observer=watch)
    assert StageSkipped("speed") in told
    assert run.artifacts.speed.read_bytes() == before
    assert set(used) == {speed.load(run.artifacts).threads}


def test_threads_of_the_config_are_used(trained: Trained, tmp_path):
    """In training; afterwards there are as many as before."""
    run, used = with_threads(trained, tmp_path, 2), set[int]()

    def watch(event: Event) -> None:
        if isinstance(event, BatchDone):
            used.add(torch.get_num_threads())

    before = torch.get_num_threads()
    play(run, ["ingest", "preprocess", "speed", "train"], observer=watch)
    assert used == {2}
    assert torch.get_num_threads() == before
