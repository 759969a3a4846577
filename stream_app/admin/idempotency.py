"""`Idempotency-Key`: a request that is sent once more, for its answer was lost, does nothing once more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row
from stream_app.admin.failures import Unusable

KEPT = timedelta(days=1)


class Idempotency:
    """The keys of the last day, each owner's apart, with what they stood for. A request without one is always new."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def is_known(self, owner: str, key: str | None) -> bool:
        """Whether a request has come with this key, be it this one or another."""
        return self._kept(owner, key) is not None

    def earlier(self, owner: str, key: str | None, request: Sequence[str]) -> str | None:
        """The job that this request made before; None if it is new. Raises Unusable if the key was another's.

        A request is what was sent, and nothing that may have changed since.
        """
        row = self._kept(owner, key)
        if row is None:
            return None
        if row["fingerprint"] != _fingerprint(request):
            raise Unusable(
                f"Idempotency-Key {row['key'][:60]!r} was sent with another request before; use a new one for this"
            )
        job: str = row["job"]
        return job

    def keep(self, owner: str, key: str | None, request: Sequence[str], job: str) -> None:
        """Remember what a key stands for. Within one step of the database with the job."""
        if key is None:
            return
        statement = "INSERT INTO idempotency (owner, key, fingerprint, job, created) VALUES (?, ?, ?, ?, ?)"
        self.database.run(statement, owner, key, _fingerprint(request), job, now())

    def _kept(self, owner: str, key: str | None) -> Row | None:
        if key is None:
            return None
        oldest = (datetime.now(UTC) - KEPT).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.database.run("DELETE FROM idempotency WHERE created < ?", oldest)
        return self.database.one("SELECT * FROM idempotency WHERE owner = ? AND key = ?", owner, key)


def _fingerprint(request: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(request).encode()).hexdigest()
