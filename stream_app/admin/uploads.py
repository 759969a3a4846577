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
from stream_app.admin.kinds import UNPACKED, kind_of
from stream_app.admin.preview import preview
from stream_app.admin.training_command import Training
from stream_app.admin.workshop import Workshop

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
    keys: Idempotency
    megabytes: int

    def check(self, owner: str, dataset: str, options: Options, key: str | None = None) -> None:
        """Refuse what can be refused before the file has come; for a key that was sent before nothing new need wait."""
        self.datasets.check_writable(owner, dataset)
        self.training.check(options)
        if not self.keys.is_known(owner, key):
            self.jobs.check_queue(owner)

    def accept(
        self, owner: str, dataset: str, arrived: Arrived, file_name: str | None, options: Options, key: str | None
    ) -> tuple[Accepted, bool]:
        """Take a file in, and train on it; whether that is new. Raises a Refused, and has changed nothing then."""
        request = ("upload", dataset, arrived.digest, options.model_dump_json())
        if earlier := self.keys.earlier(owner, key, request):
            return self._answer(owner, earlier), False
        self.check(owner, dataset, options)
        shown = plain(file_name)
        kind = kind_of(arrived.path, UNPACKED * self.megabytes)
        seen = preview(arrived.path, kind, dataset, shown, options)
        upload, job = new_id(), new_id()
        folder = self.folders.upload(owner, dataset, upload)
        try:
            with self.database.together():
                earlier = self.keys.earlier(owner, key, request)  # it may have come twice at once
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
        return self._answer(owner, earlier or job), earlier is None

    def again(self, owner: str, dataset: str, options: Options, key: str | None) -> tuple[Accepted, bool]:
        """Train on the newest upload of a dataset once more, perhaps understood otherwise; whether that is new."""
        request = ("again", dataset, options.model_dump_json())
        if earlier := self.keys.earlier(owner, key, request):
            return self._answer(owner, earlier), False
        self.check(owner, dataset, options)
        row = self.newest(owner, dataset)
        if row is None:
            raise Missing(f"nothing was uploaded to a dataset '{dataset}' of yours; see POST /upload")
        data = self.folders.data(owner, dataset, row["id"])
        seen, job = preview(data, row["kind"], dataset, row["file"], options), new_id()
        with self.database.together():
            earlier = self.keys.earlier(owner, key, request)
            if earlier is None:
                self.database.run("UPDATE uploads SET preview = ? WHERE id = ?", seen.model_dump_json(), row["id"])
                self._train(owner, dataset, row["id"], job, options, key, request)
        return self._answer(owner, earlier or job), earlier is None

    def newest(self, owner: str, dataset: str) -> Row | None:
        """The newest upload to a dataset of an owner's."""
        return self.database.one(
            "SELECT uploads.* FROM uploads JOIN datasets ON datasets.name = uploads.dataset"
            " WHERE dataset = ? AND owner = ? ORDER BY uploads.rowid DESC LIMIT 1",
            *(dataset, owner),
        )

    def preview(self, upload: str) -> Preview:
        """What an upload on record was understood as, the last time that it was trained on."""
        row = self.database.one("SELECT preview FROM uploads WHERE id = ?", upload)
        assert row is not None, f"upload {upload} has no row, though a job is of it"
        return Preview.model_validate_json(row["preview"])

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
        self.keys.keep(owner, key, request, job)

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
