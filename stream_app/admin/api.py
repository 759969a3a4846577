"""The app: what answers where, and which error has which HTTP code. `uvicorn stream_app.admin.api:app` serves it."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from config.settings import FILES, Settings, load
from models.manifest import BundleError
from models.store.base import NameRefused, ReleaseMissing, StoreBroken, StoreConflict, StoreError, StoreFull
from schemas.errors import TidewatchError
from stream_app.admin import failures, problems
from stream_app.admin.database import DatabaseError, DatabaseFull
from stream_app.admin.headers import SafeHeaders
from stream_app.admin.heads import Heads
from stream_app.admin.page import refusal
from stream_app.admin.page import routes as page
from stream_app.admin.parts import assemble
from stream_app.admin.routes import datasets, health, jobs, metrics, predict, releases, sessions, uploads
from stream_app.admin.small_bodies import SmallBodies

log = logging.getLogger(__name__)
Handler = Callable[[Request, Exception], Awaitable[problems.ProblemResponse]]
CODES: dict[type[TidewatchError], int] = {
    failures.NotSignedIn: 401,
    failures.NotAllowed: 403,
    failures.Missing: 404,
    failures.TooSlow: 408,
    failures.Taken: 409,
    failures.TooMuch: 413,
    failures.WrongKind: 415,
    failures.Unusable: 422,
    failures.TooOften: 429,
    failures.NotReady: 503,
    failures.NoRoom: 507,
    DatabaseError: 503,
    DatabaseFull: 507,
    BundleError: 409,
    NameRefused: 422,
    ReleaseMissing: 404,
    StoreBroken: 503,
    StoreFull: 507,
    StoreConflict: 409,
    StoreError: 409,
    TidewatchError: 422,
}
RECORDED = (403, 409)  # who may not, or not there, is on record with what was tried


def create(settings: Settings) -> FastAPI:
    """The whole service, ready to be served."""
    app = FastAPI(
        title="Tidewatch admin",
        version=version("tidewatch"),
        description="A file of readings becomes a detector in service; rows become scores.",
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's pages fetch scripts from elsewhere
        redoc_url=None,
        responses=problems.documented(401, 403, 409, 422, 429, 500, 503),
    )
    app.add_middleware(SmallBodies)
    app.state.parts = assemble(settings, FILES / "detectors")
    for handled, handler in (
        (TidewatchError, _refusal),
        (OSError, _no_room),
        (RequestValidationError, problems.of_validation),
        (HTTPException, problems.of_framework),
        (Exception, problems.of_bug),
    ):
        app.add_exception_handler(handled, _as_asked(handler))
    app.add_middleware(Heads)
    app.add_middleware(SafeHeaders)
    app.include_router(page.router)
    app.include_router(health.router)
    app.include_router(sessions.router)
    app.include_router(uploads.router)
    app.include_router(datasets.router)
    app.include_router(jobs.router)
    app.include_router(predict.router)
    app.include_router(releases.router)
    app.include_router(metrics.router)
    described = app.openapi
    app.openapi = lambda: problems.add_schema(described())  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """From start to end of the service."""
    with app.state.parts.at_work():
        yield


def _as_asked(handler: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    """A handler whose problem becomes a page where a page was asked for."""

    async def handle(request: Request, error: Exception) -> Response:
        problem = await handler(request, error)
        return refusal.refusal(request, problem.status_code, problem.detail) if refusal.asked(request) else problem

    return handle


async def _refusal(request: Request, error: Exception) -> problems.ProblemResponse:
    """An error of ours, under the code of the nearest kind that has one."""
    status = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    headers = {}
    if isinstance(error, failures.NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="tidewatch"'
    if isinstance(error, failures.TooOften):
        headers["Retry-After"] = str(error.seconds)
    if status in RECORDED and (caller := getattr(request.state, "caller", None)):
        action, subject = request.method, quote(request.scope["path"])[: problems.LONGEST_PATH]
        await run_in_threadpool(request.app.state.parts.audit.note, caller, action, subject, f"refused: {error}")
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    if isinstance(error, StoreBroken):
        log.error("%s", error)  # for who has to mend it
    return problems.answer(request, status, str(error), kind, headers=headers)


async def _no_room(request: Request, error: Exception) -> problems.ProblemResponse:
    """A disk that is full is nobody's bug; another error of the system's is ours."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return problems.answer(request, 507, "the service's disk is full; delete old jobs, or ask who runs the service")
    raise error


@cache
def _app() -> FastAPI:
    return create(load())


def __getattr__(name: str) -> Any:
    """Build `app` when it is first asked for: importing this module does nothing."""
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
