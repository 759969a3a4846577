"""The process of a job's training, from outside: found, held still in a stage of it, killed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stream_app.admin.job_events import STAGES
from tests.watchers import wait_until

SLICE_SECONDS = 0.001  # that it runs between two looks


@dataclass(frozen=True)
class TrainingProcess:
    """A training whose files are in `folder`."""

    pid: int
    folder: Path

    @property
    def stage(self) -> str | None:
        """The newest that it has begun."""
        events = self.folder / "events.jsonl"
        told = events.read_text().splitlines() if events.exists() else []
        stages = [event["stage"] for event in map(json.loads, told) if event["event"] == "stage"]
        return stages[-1] if stages else None

    @property
    def is_gone(self) -> bool:
        """Whether it, and all that it started, has ended."""
        return not any(_session(path) == self.pid for path in Path("/proc").glob("[0-9]*"))

    def hold(self, stage: str, when: Callable[[], bool] = lambda: True) -> None:
        """Stop it in a stage, and there at a moment: from the stage before on it runs a millisecond between two looks.

        Short stages are hit so without a sleep in the code under test.
        """
        near = {stage, *STAGES[: STAGES.index(stage)][-1:]}
        wait_until(lambda: self.is_gone or self.stage in near or stage == STAGES[0], f"it comes near {stage}", 200)
        while True:
            os.kill(self.pid, signal.SIGSTOP)
            wait_until(lambda: _state(self.pid) in "TZ", "it stands still")
            assert _state(self.pid) == "T", f"it ended before {stage}"
            if self.stage == stage and when():
                return
            self.go_on()
            time.sleep(SLICE_SECONDS)

    def go_on(self) -> None:
        """Let it run."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def training_of(folder: Path) -> TrainingProcess:
    """The process whose command line names a job's folder, as soon as there is one."""
    found: list[int] = []

    def look() -> bool:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if f"--events={folder}/".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
        return bool(found)

    wait_until(look, "its process starts")
    return TrainingProcess(found[0], folder)


def _state(pid: int) -> str:
    """A letter: T is stopped, Z has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def _session(process: Path) -> int:
    try:
        state, _, _, session = (process / "stat").read_text().rsplit(")", 1)[1].split()[:4]
    except OSError:  # it has just ended
        return 0
    return 0 if state == "Z" else int(session)
