"""What the admin refuses, by kind: services raise these, and `api.py` alone knows their HTTP codes."""

from __future__ import annotations

from schemas.errors import TidewatchError


class Refused(TidewatchError):
    """Something that was asked for can not be done: names it, the rule, and the way out."""


class NotSignedIn(Refused):
    """Nobody knows who asks."""


class NotAllowed(Refused):
    """Who asks is known, and may not."""


class Missing(Refused):
    """There is no such thing, or it is somebody else's: who asks can not tell which."""


class Taken(Refused):
    """A name, a key or a place is taken, or a thing is in a state that forbids it."""


class TooMuch(Refused):
    """More bytes than are accepted."""


class WrongKind(Refused):
    """A file, or a body, of a kind that is not read."""


class Unusable(Refused):
    """What was sent is understood, and is no good."""


class TooOften(Refused):
    """Too many requests; `seconds` until it is worth to try again."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class TooSlow(Refused):
    """A request that does not come to its end."""


class NoRoom(Refused):
    """The disk is too full."""


class NotReady(Refused):
    """A part that is needed does not work now."""
