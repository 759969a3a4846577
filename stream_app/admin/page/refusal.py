"""An error, where a page was asked for: said in HTML, or answered with the way to sign in."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from stream_app.admin.page.routes import shown

SIGN_IN = "/page/sign-in"


def asked(request: Request) -> bool:
    """Whether a request is one for a page, and not for the API."""
    path = request.scope["path"]
    return request.method in {"GET", "HEAD"} and (path == "/" or path.startswith("/page"))


def refusal(request: Request, status: int, detail: str) -> Response:
    """The error's page; who is not signed in is sent there, also by a part of a page that asks for itself again."""
    if status == HTTPStatus.UNAUTHORIZED:
        if "HX-Request" in request.headers:
            return Response(status_code=status, headers={"HX-Redirect": SIGN_IN})
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    return shown("error.html", None, status, title=HTTPStatus(status).phrase, detail=detail)
