"""How trainings go: at a glance, one in detail, as it goes on, and an end to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from schemas.admin import Job, JobDetail, Jobs, JobState
from stream_app.admin.callers import Operator, Reader, StillIn
from stream_app.admin.failures import Missing
from stream_app.admin.jobs import ENDED, refuse_ended
from stream_app.admin.parts import With
from stream_app.admin.problems import documented

router = APIRouter(tags=["jobs"])
LOOK_SECONDS = 0.5
PAGE = {"description": "The page, whole.", "content": {"text/html": {"schema": {"type": "string"}}}}
# The page of a run has its own scripts and pictures in it, and reaches nothing: not even this service.
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'self'"
)


@router.get("/jobs")
def jobs(
    parts: With,
    caller: Reader,
    dataset: str | None = None,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Jobs:
    """List your jobs, the newest first."""
    rows = parts.jobs.newest(caller.owner, dataset, state, limit)
    return Jobs(jobs=[parts.jobs.view(row, parts.workshop.standing(row["id"])) for row in rows])


@router.get("/jobs/{job}", responses=documented(404))
def show(job: str, parts: With, caller: Reader) -> JobDetail:
    """Show a job: where it stands, and the end of its log."""
    return parts.jobs.detail(parts.jobs.find(caller.owner, job), parts.workshop.standing(job))


def _there(job: str, parts: With, caller: Reader) -> str:
    """A job that is the caller's: looked for before the answer begins, for then it can still be a 404."""
    found: str = parts.jobs.find(caller.owner, job)["id"]
    return found


@router.get("/jobs/{job}/events", response_class=EventSourceResponse, responses=documented(404))
async def events(
    job: Annotated[str, Depends(_there)], parts: With, caller: Reader, still_in: StillIn
) -> AsyncIterator[ServerSentEvent]:
    """Follow a job: an event `job` with all that GET /jobs/{job} tells whenever it has changed, until it has ended.

    It ends before that when the token is revoked, or the session over.
    """
    told: Job | None = None
    while (told is None or told.state not in ENDED) and await still_in():
        now = await run_in_threadpool(show, job, parts, caller)
        if now != told:
            yield ServerSentEvent(data=now, event="job")
            told = now
        else:
            await asyncio.sleep(LOOK_SECONDS)


@router.get("/jobs/{job}/report", response_class=FileResponse, responses={**documented(404), 200: PAGE})
def report(job: str, parts: With, caller: Reader) -> FileResponse:
    """Show the page of the run: figures, scores over time, the worst events."""
    row = parts.jobs.find(caller.owner, job)
    page = parts.folders.job(row["owner"], row["dataset"], row["id"]) / "run" / "Artifact" / "report.html"
    if not page.exists():
        raise Missing(
            f"job '{job}' has no report: it has not come so far, was ended before, or its files are cleaned away"
        )
    return FileResponse(page, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})


@router.delete("/jobs/{job}", status_code=202, responses=documented(404, 409, 507))
def cancel(job: str, parts: With, caller: Operator) -> Job:
    """End a job that waits or runs; what it has published before stays.

    It is told to end, and is `cancelled` some moments later. One whose release is put into service before that goes
    on to its end, and has `succeeded`: roll back instead.
    """
    row = parts.jobs.find(caller.owner, job)
    refuse_ended(row)
    parts.workshop.cancel(row["id"])
    parts.audit.note(caller, "cancel", row["dataset"], f"job {row['id']}")
    return parts.jobs.view(parts.jobs.find(caller.owner, job), parts.workshop.standing(job))
