"""Starting, stopping, dying: seconds until a worker is ready, and until another has taken over 10,000 series."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from benchmarks.bed import WINDOW, Bed, say
from benchmarks.processes import Worker, wait_for
from benchmarks.throughput import WINDOWS


def startup(bed: Bed) -> dict[str, Any]:
    """Seconds from the start of the process to /readyz, with nothing to recover."""
    say("start-up")
    bed.fill("empty", 1, 0, 1)
    seconds = [_start(bed, f"startup-{turn}") for turn in range(bed.scale.repeats)]
    return {"startup_seconds": round(median(seconds), 2)}


def _start(bed: Bed, group: str) -> float:
    with bed.worker("empty", group, core=None) as running:
        wait_for("readiness", running.ready)
        return time.monotonic() - running.started


def takeover(bed: Bed) -> dict[str, Any]:
    """From SIGKILL of one of two workers until the other is ready with all partitions; and what a checkpoint costs."""
    say("takeover after SIGKILL, and checkpoints")
    bed.fill("steady", bed.scale.series, 0, WINDOW + 2)
    seconds, cost = [], []
    for turn in range(bed.scale.repeats):
        took, checkpoint = _kill_one(bed, f"takeover-{turn}")
        seconds.append(took)
        cost.append(checkpoint)
        say(f"  {took:.1f} s, {checkpoint:.2f} us a series")
    return {
        "takeover_seconds": round(median(seconds), 2),
        "checkpoint_us_per_series": round(median(cost), 2),
    }


def _kill_one(bed: Bed, group: str) -> tuple[float, float]:
    total = bed.scale.series * 3
    with bed.worker("steady", group, core=0) as victim, bed.worker("steady", group, core=1) as heir:
        wait_for("both workers", lambda: victim.ready() and heir.ready())
        wait_for("all windows", lambda: _windows(victim) + _windows(heir) >= total, seconds=300, every=0.5)
        wait_for("a checkpoint", lambda: _checkpoints(heir) >= bed.scale.partitions / 2, every=0.5)
        cost = heir.metrics()["tidewatch_checkpoint_seconds_sum"] / _series_written(heir) * 1e6
        killed = time.monotonic()
        victim.kill()
        wait_for("the takeover", lambda: heir.metrics()["tidewatch_assigned_partitions"] == bed.scale.partitions)
        wait_for("readiness", heir.ready)
        return time.monotonic() - killed, cost


def _windows(running: Worker) -> float:
    return running.metrics()[WINDOWS]


def _checkpoints(running: Worker) -> float:
    return running.metrics()["tidewatch_checkpoint_seconds_count"]


def _series_written(running: Worker) -> float:
    return running.metrics()["tidewatch_checkpoint_series_total"]
