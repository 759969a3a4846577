"""Tokens: made once, kept as digests, compared in constant time, several to an owner so that they can be changed."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row
from stream_app.admin.failures import Missing, Unusable

PREFIX = "tw"  # so that scanners for secrets can know one
OWNER = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
SCOPES = ("read", "operate")
NOBODY = "0" * 64


@dataclass(frozen=True)
class Token:
    """What is known of a token; not the token itself."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    digest: str  # SHA-256 of the whole token: it is random and long, so that nothing slower is needed
    created: str
    revoked: str | None = None


class Tokens:
    """All tokens of the service."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, owner: str, scopes: Collection[str] = SCOPES) -> tuple[Token, str]:
        """A new token and its text, which nobody can tell again. Whoever may operate may read."""
        if not OWNER.fullmatch(owner):
            raise Unusable(
                f"owner {owner!r} is not a name: use up to 40 small letters, digits, dots, dashes and underscores, "
                "beginning with a letter or digit"
            )
        if not scopes or not set(scopes) <= set(SCOPES):
            raise Unusable(f"scopes {', '.join(scopes) or 'none'}: choose from {', '.join(SCOPES)}")
        identity = secrets.token_hex(4)
        text = f"{PREFIX}_{identity}_{secrets.token_urlsafe(32)}"
        ordered = tuple(scope for scope in SCOPES if scope in scopes or "operate" in scopes)
        token = Token(identity, owner, ordered, _digest(text), now())
        self.database.run(
            "INSERT INTO tokens (id, owner, scopes, digest, created) VALUES (?, ?, ?, ?, ?)",
            token.id,
            owner,
            " ".join(ordered),
            token.digest,
            token.created,
        )
        return token, text

    def all(self) -> list[Token]:
        """Every token, oldest first, the revoked ones too."""
        return [_token(row) for row in self.database.all("SELECT * FROM tokens ORDER BY created, rowid")]

    def revoke(self, identity: str) -> None:
        """Make a token worthless. Raises Missing."""
        if not self.database.run("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", now(), identity):
            raise Missing(f"there is no token '{identity}' that is valid; see: tidewatch token list")


def find(tokens: Collection[Token], text: str) -> Token | None:
    """The valid token of this text. What it takes does not depend on how much of the text is right."""
    identity = text.split("_")[1] if text.count("_") >= 2 else ""
    token = next((one for one in tokens if one.id == identity and one.revoked is None), None)
    same = hmac.compare_digest(_digest(text), token.digest if token else NOBODY)
    return token if same else None


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _token(row: Row) -> Token:
    return Token(**{**row, "scopes": tuple(row["scopes"].split())})
