"""An error, where a page was asked for: said in HTML, or answered with the way to sign in."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from stream_app.admin.page.routes import shown

SIGN_IN = "/page/sign-in"


def asked(request: Request) -> bool:
    """Whether a page was asked for, and neither the API nor, by a page that looks again, a part of itself."""
    path, again = request.scope["path"], "HX-Request" in request.headers
    return request.method in {"GET", "HEAD"} and (path == "/" or path.startswith("/page")) and not again


def refusal(request: Request, status: int, detail: str) -> Response:
    """The error's page; who is not signed in is sent to where one does."""
    if status == HTTPStatus.UNAUTHORIZED:
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    return shown("error.html", None, status, title=HTTPStatus(status).phrase, detail=detail)
