"""Which files stay on the disk: of each dataset those of the newest jobs, and the uploads that these trained on."""

from __future__ import annotations

import shutil

from stream_app.admin.database import Database
from stream_app.admin.folders import Folders
from stream_app.admin.jobs import ENDED


class Cleaning:
    """Removes files, never rows: what was done stays on record. Releases are in the store, and stay there."""

    def __init__(self, database: Database, folders: Folders, kept: int) -> None:
        self.database, self.folders, self.kept = database, folders, kept

    def sweep(self) -> None:
        """Away with uploads that are not on record, for the service was killed as they came. Not while one comes."""
        known = {row["id"] for row in self.database.all("SELECT id FROM uploads")}
        for folder in self.folders.uploads():
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def clean(self, owner: str, dataset: str) -> None:
        """Clean one dataset up. Harmless at any time: what waits or runs keeps its files."""
        jobs = self.database.all("SELECT id, state, upload FROM jobs WHERE dataset = ? ORDER BY rowid DESC", dataset)
        ended = [job for job in jobs if job["state"] in ENDED]
        old = {job["id"] for job in ended[self.kept :]}
        needed = {job["upload"] for job in jobs if job["id"] not in old}
        uploads = self.database.all("SELECT id FROM uploads WHERE dataset = ? ORDER BY rowid DESC", dataset)
        for job in old:
            shutil.rmtree(self.folders.job(owner, dataset, job), ignore_errors=True)
        for upload in uploads[1:]:
            if upload["id"] not in needed:
                shutil.rmtree(self.folders.upload(owner, dataset, upload["id"]), ignore_errors=True)
