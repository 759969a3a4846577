"""The page's addresses. They show, and change nothing: forms and buttons call the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from models.store.base import StoreBroken
from schemas.admin import Job, Options, ReleaseRow
from stream_app.admin.access import Caller
from stream_app.admin.callers import Reader
from stream_app.admin.headers import PAGE
from stream_app.admin.jobs import ENDED
from stream_app.admin.page.assets import PREFIX, asset
from stream_app.admin.page.glance import drift_seen, standing
from stream_app.admin.page.view import render
from stream_app.admin.parts import Parts, With
from stream_app.admin.routes import jobs as api
from stream_app.catalogue import row

router = APIRouter(include_in_schema=False)
MOST_JOBS, MOST_RELEASES = 10, 30
A_YEAR = "public, max-age=31536000, immutable"


def shown(template: str, caller: Caller | None, status: int = 200, **content: Any) -> HTMLResponse:
    """A page, for who asks."""
    text = render(template, who=caller, may="operate" in caller.scopes if caller else False, **content)
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE})


@router.get("/")
def overview(parts: With, caller: Reader) -> Response:
    """Upload a file, and see at a glance what there is."""
    datasets = parts.catalogue.all(caller.owner)
    drifting = parts.drifting.look()
    return shown(
        "overview.html",
        caller,
        datasets=[(one, standing(one), drift_seen(one, drifting)) for one in datasets],
        jobs=_jobs(parts, caller),
        silent=drifting.silent,
        limit=parts.uploads.megabytes,
        usual=Options(),
        configs=parts.training.names,
        usual_config=Path(parts.training.config).stem,
    )


@router.get("/page/datasets/{name}")
def dataset(name: str, parts: With, caller: Reader) -> Response:
    """What serves a dataset, how its readings stand, and a place to try rows."""
    about = parts.catalogue.one(caller.owner, name)
    drifting = parts.drifting.look()
    return shown(
        "dataset.html",
        caller,
        dataset=about,
        standing=standing(about),
        drift=drift_seen(about, drifting),
        silent=drifting.silent,
        releases=[release for _, release in reversed(parts.store.releases(name))],
        jobs=_jobs(parts, caller, name),
    )


@router.get("/page/datasets/{name}/releases")
def releases(name: str, parts: With, caller: Reader) -> Response:
    """A dataset's releases, the newest first: a part of its page, for each of them is read."""
    parts.datasets.check_readable(caller.owner, name)
    pairs = parts.store.releases(name)
    return shown(
        "releases.html",
        caller,
        dataset=name,
        releases=[ReleaseRow.model_validate(row(parts.store, *pair)) for pair in reversed(pairs[-MOST_RELEASES:])],
        count=len(pairs),
        earlier=_has_earlier(parts, name),
        owned=parts.datasets.is_writable(caller.owner, name),
    )


@router.get("/page/jobs/{job}")
def job(job: str, parts: With, caller: Reader) -> Response:
    """How a training goes, what its file was understood as, and its report."""
    seen = api.show(job, parts, caller)
    return shown(
        "job.html",
        caller,
        job=seen,
        ended=seen.state in ENDED,
        preview=parts.uploads.preview(seen.upload),
        configs=parts.training.names,
        usual_config=Path(parts.training.config).stem,
    )


@router.get("/page/sign-in")
async def sign_in(request: Request, parts: With) -> Response:
    """Where a token is given."""
    return shown("sign_in.html", None, why=await parts.access.why_out(request))


@router.get(PREFIX + "/{name}")
async def static(name: str) -> Response:
    """A script, a style or a picture of the page; its address changes with its content."""
    found = asset(name)
    return Response(found.content, headers={"Content-Type": found.kind, "Cache-Control": A_YEAR})


def _jobs(parts: Parts, caller: Caller, dataset: str | None = None) -> list[Job]:
    """The newest, as the API lists them."""
    return api.jobs(parts, caller, dataset, None, MOST_JOBS).jobs


def _has_earlier(parts: Parts, name: str) -> bool:
    """Whether there is a release to roll back to."""
    try:
        champion = parts.store.champion(name)
    except StoreBroken:
        return False
    return champion is not None and bool(champion.previous)
