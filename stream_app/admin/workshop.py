"""The trainings at work: so many processes at a time, each watched by a thread, ended when its time is up."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic
from typing import IO

from models.store.base import Store, StoreError
from schemas.admin import JobState, Options
from stream_app.admin.cleaning import Cleaning
from stream_app.admin.database import DatabaseError, Row
from stream_app.admin.failures import Missing
from stream_app.admin.job_events import Follower, Standing
from stream_app.admin.job_log import failure, tail
from stream_app.admin.jobs import Jobs
from stream_app.admin.training_command import Training

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.2  # how often a process is looked at
AGAIN_SECONDS = 5.0  # until what the database refused is tried again
GRACE_SECONDS = 10.0  # for a process that was told to end
PLAIN = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "110", "PYTHONUNBUFFERED": "1"}
SPARING = {"ARROW_DEFAULT_MEMORY_POOL": "system"}  # its own reserves a gigabyte at once, which counts as needed


@dataclass
class Running:
    """A training at work."""

    follower: Follower
    cancelled: Event = field(default_factory=Event)


class Workshop:
    """Takes jobs in turn, and puts on record how each ended."""

    def __init__(
        self, jobs: Jobs, training: Training, cleaning: Cleaning, store: Store, at_once: int, minutes: float
    ) -> None:
        self.jobs, self.training, self.cleaning, self.store = jobs, training, cleaning, store
        self.minutes = minutes
        self._changed = Condition()
        self._resting = self._stopping = False
        self._running: dict[str, Running] = {}
        self._threads = [Thread(target=self._work, name=f"job-{number}") for number in range(at_once)]

    def start(self) -> None:
        """Put on record how the jobs of a service that was killed ended, and begin with those that wait."""
        self.cleaning.sweep()
        for row in self.jobs.running():
            standing = self._stood(row, Follower(self._folder(row) / "events.jsonl"))
            state, error = _judged("failed", "the service ended while it ran; upload or train it again", standing)
            self.jobs.end(row["id"], state, standing, error)
            log.warning("job %s of dataset %s was left by a service that ended: %s", row["id"], row["dataset"], state)
        for thread in self._threads:
            thread.start()

    def rest(self) -> None:
        """Begin nothing more: what waits, waits for the next start. A handler of signals may call this."""
        self._resting = True

    def stop(self) -> None:
        """Rest, and end all that runs."""
        with self._changed:
            self._resting = self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def wake(self) -> None:
        """There is a new job."""
        with self._changed:
            self._changed.notify_all()

    def cancel(self, job: str) -> bool:
        """End a job that waits or runs; False if it does neither."""
        with self._changed:
            if self.jobs.cancel_waiting(job):
                return True
            running = self._running.get(job)
        if running is not None:
            running.cancelled.set()
        return running is not None

    def standing(self, job: str) -> Standing | None:
        """Where a job that runs stands."""
        running = self._running.get(job)
        return running.follower.read() if running else None

    def _work(self) -> None:
        while (row := self._next()) is not None:
            try:
                self._run(row)
            except Missing as gone:
                self._end(row, "failed", Standing(), str(gone))
            except Exception:
                log.exception("job %s could not be run", row["id"])
                self._end(row, "failed", Standing(), "the service could not run it; its log says why")
            finally:
                self._running.pop(row["id"], None)
                self.wake()

    def _next(self) -> Row | None:
        with self._changed:
            while not self._resting:
                if (row := self._take()) is not None:
                    self._running[row["id"]] = Running(Follower(self._folder(row) / "events.jsonl"))
                    return row
                self._changed.wait(AGAIN_SECONDS)
        return None

    def _take(self) -> Row | None:
        try:
            return self.jobs.take()
        except DatabaseError as error:
            log.error("no job can begin now: %s", error)
            return None

    def _end(self, row: Row, state: JobState, standing: Standing, error: str | None = None) -> None:
        """Put on record how a job ended; where that fails, as on a full disk, again until it does not."""
        while True:
            try:
                return self.jobs.end(row["id"], state, standing, error)
            except DatabaseError as failed:
                log.error("that job %s %s can not be put on record now: %s", row["id"], state, failed)
            with self._changed:
                if self._stopping:
                    return None  # then the next start calls it failed
                self._changed.wait(AGAIN_SECONDS)

    def _run(self, row: Row) -> None:
        running, folder = self._running[row["id"]], self._folder(row)
        folder.mkdir(parents=True)
        log.info("job %s of dataset %s begins", row["id"], row["dataset"])
        with (folder / "log.txt").open("wb") as output:
            process = self._begin(row, folder, output)
            ended = self._watch(process, running)
        came_of, why = ended or self._came_of(process.returncode, folder)
        standing = self._stood(row, running.follower)
        state, error = _judged(came_of, why, standing)
        self._end(row, state, standing, _shown(error, row))
        log.info("job %s of dataset %s %s%s", row["id"], row["dataset"], state, f": {why}" if why else "")
        self.cleaning.clean(row["owner"], row["dataset"])

    def _begin(self, row: Row, folder: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
        data = self.jobs.folders.data(row["owner"], row["dataset"], row["upload"])
        options = Options.model_validate_json(row["request"])
        return subprocess.Popen(
            self.training.command(data, row["dataset"], options, folder),
            stdin=subprocess.PIPE,  # its end tells the process that the service has ended
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **PLAIN, **SPARING},
            start_new_session=True,
        )

    def _watch(self, process: subprocess.Popen[bytes], running: Running) -> tuple[JobState, str | None] | None:
        """Wait for the end of a process, or bring it about; None if it ended by itself."""
        began = monotonic()
        while process.poll() is None:
            if running.cancelled.is_set() and not running.follower.read().promoted:
                return _ended(process, "cancelled", None)
            if self._stopping:
                return _ended(process, "failed", "the service was stopped while it ran; train it again")
            if monotonic() - began > self.minutes * 60:
                late = f"the training took longer than {self.minutes:g} minutes (admin.job_minutes); upload fewer rows"
                return _ended(process, "failed", late)
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
        return None

    def _stood(self, row: Row, follower: Follower) -> Standing:
        """Where a training stood at its end: its release may serve although it was ended before it could say so."""
        standing = follower.read()
        try:
            champion = None if standing.promoted else self.store.champion(row["dataset"])
        except StoreError as error:
            log.error("whether job %s has promoted its release is not known: %s", row["id"], error)
            return standing
        if champion is not None and standing.named in (champion.release, *champion.previous):
            return replace(standing, release=standing.named, promoted=True)
        return standing

    def _came_of(self, code: int, folder: Path) -> tuple[JobState, str | None]:
        if code == 0:
            return "succeeded", None
        return "failed", failure(tail(folder / "log.txt", self.jobs.folders.root), code, self.training.memory_megabytes)

    def _folder(self, row: Row) -> Path:
        return self.jobs.folders.job(row["owner"], row["dataset"], row["id"])


def _ended(process: subprocess.Popen[bytes], state: JobState, error: str | None) -> tuple[JobState, str | None]:
    """End a process: it is told to, and if that does not help, it and what it started are killed."""
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return state, error


def _judged(state: JobState, error: str | None, standing: Standing) -> tuple[JobState, str | None]:
    """What a training came to: one whose release serves has succeeded, though it was ended before its report."""
    return ("succeeded", None) if standing.promoted else (state, error)


def _shown(error: str | None, row: Row) -> str | None:
    """An error with the name that the user's file has for them, not for us."""
    if error is None:
        return None
    return re.sub(rf"\S*{re.escape(row['upload'])}/\S+?(?= |$)", lambda _: row["file"], error)
