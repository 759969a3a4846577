"""Who asks: by their token, by having signed in with it, or by being on this machine while there is none."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from stream_app.admin.attempts import Attempts
from stream_app.admin.failures import NotAllowed, NotSignedIn
from stream_app.admin.sessions import COOKIE, Sessions
from stream_app.admin.tokens import SCOPES, Token, Tokens, find

log = logging.getLogger(__name__)
LOCAL = "local"  # whose everything is as long as there is no token
SAFE = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "X-CSRF-Token"
REREAD_SECONDS = 1.0  # so soon a revoked token is worthless
# By which a proxy says that it asks for somebody else; and whatever begins with x-forwarded-.
FORWARDING = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host")
HOW = "send a token as `Authorization: Bearer ...`; `tidewatch token create` makes one"


@dataclass(frozen=True)
class Caller:
    """Who asks: an owner of datasets, and what their token is for."""

    owner: str
    scopes: tuple[str, ...]
    token: str | None = None  # its id
    csrf: str | None = None  # of a session: what its page sends with whatever changes something


class Access:
    """Tells who a request is from. It knows the tokens as they were a second ago: no request waits for the disk."""

    def __init__(self, tokens: Tokens, failures_cap: int) -> None:
        self.tokens = tokens
        self.attempts, self.sessions = Attempts(failures_cap), Sessions()
        self._known: Sequence[Token] | None = None
        self._read = 0.0

    async def caller(self, request: Request, text: str | None) -> Caller:
        """Who asks with a token's text, or without one. Raises NotSignedIn, NotAllowed or TooOften."""
        at = monotonic()
        known = await self._tokens(at)
        if not known:
            return self._local(request, text)
        if text is None:
            return self._in_session(request, known, at)
        token = await self._token(request, text, at)
        if token is None:
            raise NotSignedIn(f"the token is unknown or revoked; {HOW}")
        return Caller(token.owner, token.scopes, token.id)

    async def sign_in(self, request: Request, text: str) -> tuple[Caller, str]:
        """Begin a session by a token's text: whose it is, and the value of its cookie."""
        at = monotonic()
        if not await self._tokens(at):
            raise NotSignedIn(
                "there is no token yet: who runs this service makes one with `tidewatch token create`, "
                "or asks on its own machine without one"
            )
        check_origin(request)
        token = await self._token(request, text, at)
        if token is None:
            raise NotSignedIn(
                "this token is unknown or revoked; look whether all of it was pasted, "
                "or ask who runs this service for another"
            )
        return Caller(token.owner, token.scopes, token.id), self.sessions.begin(token.id, at)

    async def why_out(self, request: Request) -> str | None:
        """Why a browser that has signed in is not let in any more; None if it has not, or is."""
        at = monotonic()
        secret, known = request.cookies.get(COOKIE), await self._tokens(at)
        session = self.sessions.find(secret, at) if secret else None
        if session and any(one.id == session.token and one.revoked for one in known):
            return "The token that you had signed in with was revoked."
        if secret and not session:
            return "Your session is over: it lasts twelve hours, and not beyond a new start of the service."
        return None

    async def _token(self, request: Request, text: str, at: float) -> Token | None:
        """The token of a text; a wrong one is counted, and who is wrong too often makes no work for the disk."""
        if token := find(await self._tokens(at), text):
            return token
        address = address_of(request)
        self.attempts.check(address, at)
        if token := find(await self._tokens(at, 0.0), text):  # it is new
            return token
        self.attempts.failed(address, at)
        log.warning("a wrong token from %s", address)
        return None

    def _in_session(self, request: Request, known: Sequence[Token], at: float) -> Caller:
        """Who has signed in on the page."""
        session = self.sessions.find(request.cookies.get(COOKIE, ""), at)
        token = next((one for one in known if session and one.id == session.token and not one.revoked), None)
        if session is None or token is None:
            raise NotSignedIn(f"this service asks for a token; {HOW}")
        return Caller(token.owner, token.scopes, token.id, session.csrf)

    async def _tokens(self, at: float, seconds: float = REREAD_SECONDS) -> Sequence[Token]:
        """All tokens, as they were no longer than so many seconds before `at`."""
        if self._known is None or at - self._read >= seconds:
            self._known, self._read = await run_in_threadpool(self.tokens.all), at
        return self._known

    def _local(self, request: Request, text: str | None) -> Caller:
        """Without any token all is open to this machine, and to pages that this service itself has sent."""
        if text is not None:
            raise NotSignedIn("there is no token yet, so none is right; leave it out, or: tidewatch token create")
        if header := _forwarding(request):
            raise NotSignedIn(
                f"{header} is a proxy's, and without a token this service answers its own machine alone; {HOW}"
            )
        ends = [request.client, request.scope.get("server")]
        if not all(end and is_loopback(end[0]) for end in ends) or not is_loopback(_hostname(request)):
            raise NotSignedIn(f"without a token this service answers its own machine alone; {HOW}")
        check_origin(request)
        return Caller(LOCAL, SCOPES)


def check_page(request: Request, caller: Caller) -> None:
    """Refuse what changes something for who has signed in on the page, and does not come from that page."""
    if caller.csrf is None or request.method in SAFE:
        return
    check_origin(request)
    if not hmac.compare_digest(request.headers.get(CSRF_HEADER, "").encode(), caller.csrf.encode()):
        raise NotAllowed(f"the header {CSRF_HEADER} is not the page's own; load the page again")


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends from a browser that may ask us."""
    if request.method not in SAFE and request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise NotAllowed("a page of another site may not ask this service; use a token from a program, or its own page")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if origin is not None and origin.lower() != own.lower():
        raise NotAllowed(
            f"a page of {origin[:100]} may not ask this service; use a token from a program, or its own page"
        )


def address_of(request: Request) -> str:
    """Where a request comes from: the other end, or what a trusted proxy says of it."""
    return request.client.host if request.client else "unknown"


def _forwarding(request: Request) -> str | None:
    """The header by which a proxy says that it asks for somebody else, if there is one."""
    return next((name for name in request.headers if name in FORWARDING or name.startswith("x-forwarded-")), None)


def _hostname(request: Request) -> str:
    """What the client calls this service, without the port."""
    try:
        return request.url.hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether an address, or a name in a URL, is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
