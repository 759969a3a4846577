"""An upload that has arrived becomes a job: looked at, put into its place, and on record, all of it or nothing."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from schemas.admin import Accepted, Options, Preview
from stream_app.admin.clock import now
from stream_app.admin.database import Database, Row
from stream_app.admin.datasets import Datasets
from stream_app.admin.failures import Missing
from stream_app.admin.folders import Folders, new_id, synced
from stream_app.admin.idempotency import Idempotency
from stream_app.admin.incoming import Arrived
from stream_app.admin.jobs import Jobs
from stream_app.admin.kinds import kind_of
from stream_app.admin.preview import preview
from stream_app.admin.training_command import Training
from stream_app.admin.workshop import Workshop

UNPACKED = 4  # times the limit of an upload is what a gzip may hold
LONGEST_NAME = 100


@dataclass(frozen=True)
class Uploads:
    """What can be done with files of readings. All of it blocks: not for the event loop."""

    database: Database
    folders: Folders
    datasets: Datasets
    jobs: Jobs
    workshop: Workshop
    training: Training
    megabytes: int

    def check(self, owner: str, dataset: str, options: Options) -> None:
        """Refuse what can be refused before the file has come."""
        self.datasets.check_writable(owner, dataset)
        self.training.check(options)
        self.jobs.check_queue(owner)

    def accept(
        self, owner: str, dataset: str, arrived: Arrived, file_name: str | None, options: Options, key: str | None
    ) -> Accepted:
        """Take a file in, and train on it. Raises a Refused, and has changed nothing then."""
        self.check(owner, dataset, options)
        shown = plain(file_name)
        kind = kind_of(arrived.path, UNPACKED * self.megabytes)
        seen = preview(arrived.path, kind, dataset, shown, options)
        upload, job = new_id(), new_id()
        folder = self.folders.upload(owner, dataset, upload)
        request = ("upload", dataset, arrived.digest, options.model_dump_json())
        try:
            with self.database.together():
                earlier = self._earlier(owner, key, request)
                if earlier is None:
                    self.datasets.claim(owner, dataset)
                    self.database.run(
                        "INSERT INTO uploads (id, dataset, file, kind, bytes, digest, preview, created)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        *(upload, dataset, shown, kind, arrived.bytes, arrived.digest, seen.model_dump_json(), now()),
                    )
                    self._train(owner, dataset, upload, job, options, key, request)
                    _settle(arrived.path, folder / f"{dataset}.{kind}")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self._answer(owner, earlier or job)

    def again(self, owner: str, dataset: str, options: Options, key: str | None) -> Accepted:
        """Train on the newest upload of a dataset once more, perhaps understood otherwise."""
        self.check(owner, dataset, options)
        row = self.newest(owner, dataset)
        if row is None:
            raise Missing(f"nothing was uploaded to a dataset '{dataset}' of yours; see POST /upload")
        data = next(self.folders.upload(owner, dataset, row["id"]).iterdir())
        seen, job = preview(data, row["kind"], dataset, row["file"], options), new_id()
        request = ("again", dataset, row["id"], options.model_dump_json())
        with self.database.together():
            earlier = self._earlier(owner, key, request)
            if earlier is None:
                self.database.run("UPDATE uploads SET preview = ? WHERE id = ?", seen.model_dump_json(), row["id"])
                self._train(owner, dataset, row["id"], job, options, key, request)
        return self._answer(owner, earlier or job)

    def newest(self, owner: str, dataset: str) -> Row | None:
        """The newest upload to a dataset of an owner's."""
        return self.database.one(
            "SELECT uploads.* FROM uploads JOIN datasets ON datasets.name = uploads.dataset"
            " WHERE dataset = ? AND owner = ? ORDER BY uploads.created DESC, uploads.rowid DESC LIMIT 1",
            *(dataset, owner),
        )

    def preview(self, upload: str) -> Preview:
        """What an upload on record was understood as, the last time that it was trained on."""
        row = self.database.one("SELECT preview FROM uploads WHERE id = ?", upload)
        assert row is not None, f"upload {upload} has no row, though a job is of it"
        return Preview.model_validate_json(row["preview"])

    def _earlier(self, owner: str, key: str | None, request: tuple[str, ...]) -> str | None:
        return Idempotency(self.database).earlier(owner, key, request) if key else None

    def _train(
        self,
        owner: str,
        dataset: str,
        upload: str,
        job: str,
        options: Options,
        key: str | None,
        request: tuple[str, ...],
    ) -> None:
        self.jobs.add(job, owner, dataset, upload, options)
        if key:
            Idempotency(self.database).keep(owner, key, request, job)

    def _answer(self, owner: str, job: str) -> Accepted:
        self.workshop.wake()
        row = self.jobs.find(owner, job)
        return Accepted(
            job=self.jobs.view(row, self.workshop.standing(job)),
            preview=self.preview(row["upload"]),
        )


def plain(file_name: str | None) -> str:
    """What a file is called, to be shown and never to be opened: no folders, nothing that is no letter."""
    name = (file_name or "").replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", name)[:LONGEST_NAME].strip() or "the file"


def _settle(path: Path, target: Path) -> None:
    """Move a file that is whole to where it stays."""
    target.parent.mkdir(parents=True)
    path.rename(target)
    synced(target.parent)
