"""Who has signed in on the page: in memory, for a browser that can not keep a token safe. A restart signs all out."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass

COOKIE = "tidewatch_session"
LASTS_SECONDS = 12 * 3600
MOST = 1000


@dataclass(frozen=True)
class Session:
    """A browser that a token was given in."""

    token: str  # its id: when it is revoked, the session is over
    csrf: str  # what the page sends with whatever changes something, and another site's page can not know
    until: float  # monotonic seconds


class Sessions:
    """The sessions by the digest of their secret, the oldest forgotten when there are too many."""

    def __init__(self) -> None:
        self._by_digest: OrderedDict[str, Session] = OrderedDict()

    def begin(self, token: str, at: float) -> str:
        """Begin one for a token's id; its secret is the cookie's value."""
        secret = secrets.token_urlsafe(32)
        self._by_digest[_digest(secret)] = Session(token, secrets.token_urlsafe(32), at + LASTS_SECONDS)
        if len(self._by_digest) > MOST:
            self._by_digest.popitem(last=False)
        return secret

    def find(self, secret: str, at: float) -> Session | None:
        """The session of a secret, if it is not over."""
        session = self._by_digest.get(_digest(secret))
        return session if session is not None and at < session.until else None

    def end(self, secret: str) -> None:
        """Sign out."""
        self._by_digest.pop(_digest(secret), None)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
