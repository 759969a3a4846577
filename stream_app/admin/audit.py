"""Who did what: a line in the log and a row in the database for whatever changed something, or was refused to."""

from __future__ import annotations

import logging

from stream_app.admin.access import Caller
from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row

log = logging.getLogger(__name__)
KEPT = 100_000  # rows; older ones are in the logs


class Audit:
    """The record of what was done, and by whom."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def note(self, caller: Caller, action: str, subject: str, outcome: str = "done") -> None:
        """Put on record that somebody did an action, such as `promote`, to a subject, such as `pumps/2026...`."""
        number = self.database.insert(
            "INSERT INTO audit (at, owner, token, action, subject, outcome) VALUES (?, ?, ?, ?, ?, ?)",
            now(),
            caller.owner,
            caller.token,
            action,
            subject,
            outcome,
        )
        self.database.run("DELETE FROM audit WHERE number <= ?", number - KEPT)
        by = f"{caller.owner} (token {caller.token})" if caller.token else caller.owner
        log.info("audit: %s: %s %s: %s", by, action, subject, outcome)

    def newest(self, most: int = 100) -> list[Row]:
        """The newest rows, the newest first."""
        return self.database.all("SELECT * FROM audit ORDER BY number DESC LIMIT ?", most)
