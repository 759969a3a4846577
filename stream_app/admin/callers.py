"""What a route takes of who asks: its parameter `caller: Reader` or `caller: Operator` says it, to OpenAPI too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from stream_app.admin.access import Caller, check_page
from stream_app.admin.failures import NotAllowed, NotSignedIn, TooOften
from stream_app.admin.parts import With

_bearer = HTTPBearer(auto_error=False, description="A token that `tidewatch token create` printed.")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _caller(request: Request, parts: With, credentials: _Credentials) -> Caller:
    """Who asks; a header that is no bearer's counts as a wrong token."""
    given = request.headers.get("authorization")
    text = credentials.credentials if credentials else "" if given is not None else None
    caller = await parts.access.caller(request, text)
    request.state.caller = caller  # for the record, if it is refused
    check_page(request, caller)
    return caller


def _may(scope: str) -> Any:
    async def allowed(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if scope not in caller.scopes:
            raise NotAllowed(f"token {caller.token} has scope {' '.join(caller.scopes)}, and this takes {scope}")
        return caller

    return Depends(allowed)


def _still(request: Request, parts: With, credentials: _Credentials) -> Callable[[], Awaitable[bool]]:
    async def let_in() -> bool:
        try:
            await _caller(request, parts, credentials)
        except (NotSignedIn, NotAllowed, TooOften):
            return False
        return True

    return let_in


Reader = Annotated[Caller, _may("read")]
Operator = Annotated[Caller, _may("operate")]
StillIn = Annotated[Callable[[], Awaitable[bool]], Depends(_still)]  # asks again, for an answer that takes long
