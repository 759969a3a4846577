"""One SQLite file: who may do what, who owns what, what was asked for. The only file that knows SQL's dialect."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from schemas.errors import TidewatchError

BUSY_MILLISECONDS = 10_000  # the other process, `tidewatch token`, is at work for a moment only

# Each adds to the ones before; a file remembers how many it has had.
MIGRATIONS = (
    """
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, scopes TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
        created TEXT NOT NULL, revoked TEXT
    ) STRICT;
    CREATE TABLE datasets (
        name TEXT PRIMARY KEY, owner TEXT NOT NULL, created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE uploads (
        id TEXT PRIMARY KEY, dataset TEXT NOT NULL REFERENCES datasets(name), file TEXT NOT NULL, kind TEXT NOT NULL,
        bytes INTEGER NOT NULL, digest TEXT NOT NULL, preview TEXT NOT NULL, created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, dataset TEXT NOT NULL REFERENCES datasets(name),
        upload TEXT NOT NULL REFERENCES uploads(id), owner TEXT NOT NULL, request TEXT NOT NULL,
        state TEXT NOT NULL, created TEXT NOT NULL, started TEXT,
        ended TEXT, error TEXT, outcome TEXT
    ) STRICT;
    CREATE INDEX jobs_by_state ON jobs (state, created);
    CREATE INDEX jobs_by_dataset ON jobs (dataset, created);
    CREATE TABLE idempotency (
        owner TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, job TEXT NOT NULL, created TEXT NOT NULL,
        PRIMARY KEY (owner, key)
    ) STRICT;
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY, at TEXT NOT NULL, owner TEXT NOT NULL, token TEXT, action TEXT NOT NULL,
        subject TEXT NOT NULL, outcome TEXT NOT NULL
    ) STRICT;
    """,
)

Row = dict[str, Any]


class DatabaseError(TidewatchError):
    """The file can not be used: names it, and says what to do."""


class DatabaseFull(DatabaseError):
    """There is no room for another row."""


class AlreadyThere(TidewatchError):
    """A row with this key exists, or what it refers to does not."""


class Database:
    """A connection that threads share, one at a time; other processes may use the file too."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with its folder. Raises DatabaseError."""
        self.path = path
        self._lock = RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            self._connection.row_factory = _as_dict
            for pragma in (f"busy_timeout = {BUSY_MILLISECONDS}", "journal_mode = WAL", "foreign_keys = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._migrate()
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(f"{path} can not be used as the admin's database ({error}); see admin.folder") from None

    def all(self, query: str, *values: Any) -> list[Row]:
        """The rows that a query finds."""
        with self._lock, self._told():
            return self._connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Row | None:
        """The first of them."""
        found = self.all(query, *values)
        return found[0] if found else None

    def run(self, statement: str, *values: Any) -> int:
        """Change rows, and say how many. Raises AlreadyThere where a key is taken."""
        return self._change(statement, values).rowcount

    def insert(self, statement: str, *values: Any) -> int:
        """Add a row, and say its number."""
        return self._change(statement, values).lastrowid or 0

    def _change(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        with self._lock, self._told():
            return self._connection.execute(statement, values)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of SQLite's as ours."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise AlreadyThere(str(error)) from None
        except sqlite3.Error as error:
            kind = DatabaseFull if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL else DatabaseError
            raise kind(f"{self.path.name} can not be used now ({error}); see whether its disk is full") from error

    @contextmanager
    def together(self) -> Iterator[None]:
        """Whatever is read and changed within is one step for everybody else: all of it, or nothing."""
        with self._lock:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a disk that is full may have ended it already
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        with self.together():
            (known,) = self._connection.execute("PRAGMA user_version").fetchone().values()
            if known > len(MIGRATIONS):
                raise DatabaseError(f"{self.path} was made by a newer version of Tidewatch; use that one")
            for script in MIGRATIONS[known:]:
                for statement in filter(str.strip, script.split(";")):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _as_dict(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
