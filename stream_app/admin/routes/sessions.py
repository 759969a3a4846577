"""Signing in on the page with a token, and out: the browser keeps a cookie that its scripts can not read."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from schemas.admin import Session, SignIn
from stream_app.admin.access import address_of
from stream_app.admin.callers import Reader
from stream_app.admin.parts import With
from stream_app.admin.problems import documented
from stream_app.admin.sessions import COOKIE, LASTS_SECONDS

router = APIRouter(tags=["session"])


@router.post("/session", status_code=204, responses=documented(400))
async def sign_in(given: SignIn, request: Request, response: Response, parts: With) -> None:
    """Begin a session of twelve hours, for the page: programs send their token with each request."""
    caller, secret = await parts.access.sign_in(request, given.token)
    await run_in_threadpool(parts.audit.note, caller, "sign in", f"from {address_of(request)}")
    response.set_cookie(
        COOKIE, secret, max_age=LASTS_SECONDS, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )


@router.get("/session")
async def who(caller: Reader) -> Session:
    """Say who asks, and what the page has to send in X-CSRF-Token with whatever changes something."""
    return Session(owner=caller.owner, scopes=list(caller.scopes), csrf=caller.csrf)


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, parts: With, caller: Reader) -> None:
    """End the session."""
    if caller.csrf is not None:
        parts.access.sessions.end(request.cookies.get(COOKIE, ""))
        await run_in_threadpool(parts.audit.note, caller, "sign out", f"from {address_of(request)}")
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
