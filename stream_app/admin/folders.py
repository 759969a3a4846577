"""Where the admin's files are: names in these paths have passed a pattern, or are made here."""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stream_app.admin.failures import Missing, NoRoom

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Folders:
    """Owners apart, and each one's datasets apart: `owners/<owner>/<dataset>/{uploads,jobs}/<id>/`."""

    root: Path
    free_megabytes: int

    @property
    def incoming(self) -> Path:
        """Uploads that are not whole yet."""
        return self.root / "incoming"

    def upload(self, owner: str, dataset: str, upload: str) -> Path:
        """The folder of an upload, which holds its one file."""
        return self.root / "owners" / owner / dataset / "uploads" / upload

    def uploads(self) -> list[Path]:
        """The folders of all uploads that are on the disk."""
        return list(self.root.glob("owners/*/*/uploads/*"))

    def data(self, owner: str, dataset: str, upload: str) -> Path:
        """The file of an upload. Raises Missing if somebody has removed it."""
        found = next(self.upload(owner, dataset, upload).glob("*"), None)
        if found is None:
            raise Missing(
                f"the file of upload {upload} to dataset '{dataset}' is no longer on the disk; upload it again"
            )
        return found

    def job(self, owner: str, dataset: str, job: str) -> Path:
        """The folder of a job: its log, its events, its run."""
        return self.root / "owners" / owner / dataset / "jobs" / job

    def tidy(self) -> None:
        """Away with what was coming when the service ended."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(parents=True)

    def check_room(self, coming: int = 0) -> None:
        """Raise NoRoom if so many bytes more would leave too little room on the disk."""
        free = shutil.disk_usage(self.root).free - coming
        if free < self.free_megabytes * MEGABYTE:
            raise NoRoom(
                f"the upload would leave {max(free, 0) // MEGABYTE} MB of the service's disk free, less than "
                f"admin.free_megabytes {self.free_megabytes}; delete old jobs, or ask who runs the service"
            )


def new_id() -> str:
    """A name that sorts by time and can not be guessed."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"


def synced(folder: Path) -> None:
    """See to it that a folder's names survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
