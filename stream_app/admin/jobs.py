"""Jobs as rows: queued, running, then succeeded, failed or cancelled; what is on the disk outlives the service.

They have the order in which they came, by `rowid`: a clock may be set back.
"""

from __future__ import annotations

import json
from typing import Any

from schemas.admin import Job, JobDetail, JobState, NetworkProgress, Options
from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row
from stream_app.admin.failures import Missing, Taken, TooOften
from stream_app.admin.folders import Folders
from stream_app.admin.job_events import Standing
from stream_app.admin.job_log import tail

ENDED = ("succeeded", "failed", "cancelled")
JOINED = "SELECT jobs.*, uploads.file FROM jobs JOIN uploads ON uploads.id = jobs.upload"
TOLD = ("stage", "rejected", "notes", "flag_rate", "release", "promoted")  # of where a job stands, as it is
WORTH_WAITING_SECONDS = 60


class Jobs:
    """The table of jobs. Who asks sees their own."""

    def __init__(self, database: Database, folders: Folders, waiting_cap: int, owner_waiting_cap: int) -> None:
        """At most so many wait, and of one owner's so many."""
        self.database, self.folders = database, folders
        self.waiting_cap, self.owner_waiting_cap = waiting_cap, owner_waiting_cap

    def check_queue(self, owner: str) -> None:
        """Raise TooOften if too many wait for another of an owner's."""
        waiting = self.database.all("SELECT owner FROM jobs WHERE state = 'queued'")
        own = sum(row["owner"] == owner for row in waiting)
        for whose, count, cap, setting in (
            ("of yours ", own, self.owner_waiting_cap, "admin.owner_jobs_waiting_cap"),
            ("", len(waiting), self.waiting_cap, "admin.jobs_waiting_cap"),
        ):
            if count >= cap:
                raise TooOften(
                    f"{count} trainings {whose}wait, which is all that may ({setting}); try again later",
                    WORTH_WAITING_SECONDS,
                )

    def add(self, job: str, owner: str, dataset: str, upload: str, options: Options) -> None:
        """A job that waits. Within one step of the database with its upload."""
        self.check_queue(owner)
        self.database.run(
            "INSERT INTO jobs (id, dataset, upload, owner, request, state, created)"
            " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
            *(job, dataset, upload, owner, options.model_dump_json(exclude_defaults=True), now()),
        )

    def find(self, owner: str, job: str) -> Row:
        """A job's row. Raises Missing if there is none, or it is another's."""
        row = self.database.one(f"{JOINED} WHERE jobs.id = ? AND jobs.owner = ?", job, owner)
        if row is None:
            raise Missing(f"there is no job '{job[:60]}'; see GET /jobs")
        return row

    def newest(self, owner: str, dataset: str | None = None, state: str | None = None, most: int = 100) -> list[Row]:
        """An owner's jobs, the newest first."""
        return self.database.all(
            f"{JOINED} WHERE jobs.owner = ?1 AND (?2 IS NULL OR jobs.dataset = ?2) AND (?3 IS NULL OR state = ?3)"
            " ORDER BY jobs.rowid DESC LIMIT ?4",
            *(owner, dataset, state, most),
        )

    def take(self) -> Row | None:
        """The job whose turn it is, running from now on; a dataset has one at a time, so that the newest wins."""
        with self.database.together():
            row = self.database.one(
                f"{JOINED} WHERE state = 'queued' AND jobs.dataset NOT IN"
                " (SELECT dataset FROM jobs WHERE state = 'running') ORDER BY jobs.rowid LIMIT 1"
            )
            if row is not None:
                self.database.run("UPDATE jobs SET state = 'running', started = ? WHERE id = ?", now(), row["id"])
        return row

    def end(self, job: str, state: JobState, standing: Standing, error: str | None = None) -> None:
        """Put on record how a job ended, and where it stood then."""
        seen = {name: getattr(standing, name) for name in TOLD} | {
            "networks": [network.model_dump() for network in standing.seen()],
            "rejected": [row.model_dump() for row in standing.rejected],
            "progress": standing.progress,
        }
        self.database.run(
            "UPDATE jobs SET state = ?, ended = ?, error = ?, outcome = ? WHERE id = ?",
            *(state, now(), error, json.dumps(seen), job),
        )

    def cancel_waiting(self, job: str) -> bool:
        """Cancel a job that waits; False if it does not wait any more."""
        ended = "UPDATE jobs SET state = 'cancelled', ended = ? WHERE id = ? AND state = 'queued'"
        return bool(self.database.run(ended, now(), job))

    def running(self) -> list[Row]:
        """All jobs on record as running."""
        return self.database.all(f"{JOINED} WHERE state = 'running'")

    def view(self, row: Row, standing: Standing | None = None) -> Job:
        """A job as it is told; `standing` is that of one that runs."""
        return Job(**self._fields(row, standing))

    def detail(self, row: Row, standing: Standing | None = None) -> JobDetail:
        """As `view`, with the end of its log."""
        folder = self.folders.job(row["owner"], row["dataset"], row["id"])
        return JobDetail(**self._fields(row, standing), log=tail(folder / "log.txt", self.folders.root))

    def _fields(self, row: Row, standing: Standing | None) -> dict[str, Any]:
        kept = ("id", "dataset", "owner", "upload", "file", "state", "created", "started", "ended", "error")
        folder = self.folders.job(row["owner"], row["dataset"], row["id"])
        return {
            **{key: row[key] for key in kept},
            "options": Options.model_validate_json(row["request"]),
            "waiting": self._before(row) if row["state"] == "queued" else None,
            "has_report": (folder / "run" / "Artifact" / "report.html").exists(),
            **_stood(row, standing),
        }

    def _before(self, row: Row) -> int:
        earlier = "rowid < (SELECT rowid FROM jobs WHERE id = ?)"
        found = self.database.one(f"SELECT count(*) AS jobs FROM jobs WHERE state = 'queued' AND {earlier}", row["id"])
        return int(found["jobs"]) if found else 0


def refuse_ended(row: Row) -> None:
    """Raise Taken for a job that is over."""
    if row["state"] in ENDED:
        raise Taken(f"job {row['id']} has ended already: it {row['state']}")


def _stood(row: Row, standing: Standing | None) -> dict[str, Any]:
    """Where a job stands, or stood when it ended."""
    if row["outcome"] is None:
        at = standing or Standing()
        told = {"networks": at.seen(), "seconds_left": at.seconds_left, "progress": at.progress}
        return told | {name: getattr(at, name) for name in TOLD}
    outcome = json.loads(row["outcome"])
    networks = [NetworkProgress(**network) for network in outcome["networks"]]
    progress = 1.0 if row["state"] == "succeeded" else outcome["progress"]
    told = {"networks": networks, "seconds_left": None, "progress": progress}
    return told | {name: outcome[name] for name in TOLD}
