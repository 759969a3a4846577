"""Workers that die, freeze or are restarted in mid-stream: no flag is missing, every window is exact, order is kept."""

from __future__ import annotations

import random
import re
import signal
import time

import pytest

from tests.end_to_end.agreement import disagreements
from tests.end_to_end.rig import PARTITIONS, Rig, Trained
from tests.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka

RATE = 800  # readings a second: the stream takes some 9 s
ROUNDS = 3


def test_a_worker_is_killed_again_and_again(rig: Rig, plant: Trained):
    """At random moments: while it scores, while it starts, and while it loads its state."""
    messages = plant.messages
    part = len(messages) // ROUNDS
    with rig.worker() as worker:
        for number in range(ROUNDS):
            worker.wait_ready()
            with rig.sending(messages[number * part : (number + 1) * part], RATE):
                works_until(worker, windows=random.randint(1, part - 100), checkpoints=number)
                restart(worker)
                time.sleep(random.uniform(0, 4))  # nothing is waited for: a random moment
                restart(worker)
        rig.send(messages[ROUNDS * part :])
        worker.wait_ready()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        assert loaded_series(worker)[-1] > 0


def test_one_of_two_workers_is_killed(rig: Rig, plant: Trained):
    """The other takes its partitions over, with what it kept of their series."""
    with rig.worker("killed") as killed, rig.worker("other") as other:
        share(killed, other)
        with rig.sending(plant.messages, RATE):
            works_until(killed, windows=random.randint(1, 1000), checkpoints=1)
            killed.kill()
        assert disagreements(rig.published(plant.flags), plant.flags) == []
        assert other.metric("assigned_partitions") == PARTITIONS
        assert loaded_series(other)[-1] > 0


def test_one_of_two_workers_is_frozen_and_comes_back(rig: Rig, plant: Trained):
    """The other takes over; what the first still has in hand when it thaws does no harm, and it joins in again."""
    with rig.worker("frozen") as frozen, rig.worker("other") as other:
        share(frozen, other)
        with rig.sending(plant.messages, RATE):
            works_until(frozen, windows=random.randint(1, 1000), checkpoints=1)
            frozen.signal(signal.SIGSTOP)
            other.wait_until(lambda: other.metric("assigned_partitions") == PARTITIONS)
            frozen.signal(signal.SIGCONT)
            share(frozen, other)
        assert disagreements(rig.published(plant.flags), plant.flags) == []


def test_workers_are_restarted_one_after_the_other(rig: Rig, plant: Trained):
    """As when they are updated: each stops with 0, and comes back, while readings come."""
    with rig.worker("one") as one, rig.worker("other") as other:
        share(one, other)
        with rig.sending(plant.messages, RATE):
            for worker in (one, other):
                works_until(worker, windows=random.randint(1, 500), checkpoints=0)
                assert worker.stop() == 0
                worker.start()
                share(one, other)
        assert disagreements(rig.published(plant.flags), plant.flags) == []


def works_until(worker: WorkerProcess, windows: int, checkpoints: int) -> None:
    """Wait until it has scored so many windows, and written so many checkpoints, since its start."""
    worker.wait_until(lambda: worker.metric("windows_scored_total") >= windows)
    worker.wait_until(lambda: worker.metric("checkpoint_seconds_count") >= checkpoints)


def restart(worker: WorkerProcess) -> None:
    """SIGKILL, and a new one at once."""
    worker.kill()
    worker.start()


def share(one: WorkerProcess, other: WorkerProcess) -> None:
    """Wait until each has half of the partitions."""
    half = PARTITIONS / 2
    one.wait_until(lambda: one.metric("assigned_partitions") == other.metric("assigned_partitions") == half)


def loaded_series(worker: WorkerProcess) -> list[int]:
    """How many series it found in checkpoints, for each time that it was given partitions."""
    return [int(found) for found in re.findall(r"state of (\d+) series loaded", worker.log)]
