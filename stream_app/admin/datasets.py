"""Names of datasets: a name belongs to its first owner, and nobody else reads or replaces what is behind it."""

from __future__ import annotations

from models.store.base import Store, check_names
from stream_app.admin.access import LOCAL
from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row
from stream_app.admin.failures import Missing, Taken


class Datasets:
    """Who owns which name. What was trained by the command line has no owner: all may read it, `local` may claim it."""

    def __init__(self, database: Database, store: Store) -> None:
        self.database, self.store = database, store

    def check_writable(self, owner: str, name: str) -> None:
        """Raise NameRefused if it is no name, Taken if it is another's."""
        check_names(name)
        row = self._row(name)
        if row is None and owner != LOCAL and self._is_in_store(name):
            raise Taken(f"dataset '{name}' was trained by the command line, and belongs to '{LOCAL}'; use another name")
        if row is not None and row["owner"] != owner:
            raise Taken(f"dataset '{name}' is somebody else's; use another name")

    def is_writable(self, owner: str, name: str) -> bool:
        """Whether `check_writable` lets an owner pass."""
        try:
            self.check_writable(owner, name)
        except Taken:
            return False
        return True

    def check_readable(self, owner: str, name: str) -> None:
        """Raise Missing if there is no such dataset, or it is another's: who asks can not tell which."""
        check_names(name)
        row = self._row(name)
        if row["owner"] != owner if row else not self._is_in_store(name):
            raise Missing(f"there is no dataset '{name}'; upload one, or see GET /datasets")

    def claim(self, owner: str, name: str) -> None:
        """Make a name its first owner's. Within one step of the database with what is put under it."""
        self.check_writable(owner, name)
        self.database.run("INSERT OR IGNORE INTO datasets (name, owner, created) VALUES (?, ?, ?)", name, owner, now())

    def readable(self, owner: str) -> dict[str, Row | None]:
        """The names that an owner may read, in order, each with its row if it is owned."""
        rows = {row["name"]: row for row in self.database.all("SELECT * FROM datasets")}
        names = {*rows, *(name for name, _ in self.store.releases())}
        mine = {name: rows.get(name) for name in sorted(names)}
        return {name: row for name, row in mine.items() if row is None or row["owner"] == owner}

    def _row(self, name: str) -> Row | None:
        return self.database.one("SELECT * FROM datasets WHERE name = ?", name)

    def _is_in_store(self, name: str) -> bool:
        return bool(self.store.releases(name))
