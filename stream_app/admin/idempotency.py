"""`Idempotency-Key`: a request that is sent once more, for its answer was lost, does nothing once more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stream_app.admin.clock import now
from stream_app.admin.database import Database
from stream_app.admin.failures import Unusable

KEPT = timedelta(days=1)


class Idempotency:
    """The keys of the last day, each owner's apart, with what they stood for."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def earlier(self, owner: str, key: str, request: Sequence[str]) -> str | None:
        """The job that this request made before; None if it is new. Raises Unusable if the key was another's."""
        oldest = (datetime.now(UTC) - KEPT).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.database.run("DELETE FROM idempotency WHERE created < ?", oldest)
        row = self.database.one("SELECT * FROM idempotency WHERE owner = ? AND key = ?", owner, key)
        if row is None:
            return None
        if row["fingerprint"] != _fingerprint(request):
            raise Unusable(f"Idempotency-Key {key[:60]!r} was sent with another request before; use a new one for this")
        job: str = row["job"]
        return job

    def keep(self, owner: str, key: str, request: Sequence[str], job: str) -> None:
        """Remember what a key stands for. Within one step of the database with the job."""
        statement = "INSERT INTO idempotency (owner, key, fingerprint, job, created) VALUES (?, ?, ?, ?, ?)"
        self.database.run(statement, owner, key, _fingerprint(request), job, now())


def _fingerprint(request: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(request).encode()).hexdigest()
