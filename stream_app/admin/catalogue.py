"""Datasets as they are told: who owns them, what serves, what came of the uploads."""

from __future__ import annotations

from dataclasses import dataclass

from models.store.base import ChampionMissing, Store, StoreBroken
from schemas.admin import Dataset, DatasetDetail, Preview
from stream_app.admin.database import Row
from stream_app.admin.datasets import Datasets
from stream_app.admin.jobs import Jobs
from stream_app.admin.uploads import Uploads
from stream_app.admin.workshop import Workshop


@dataclass(frozen=True)
class Catalogue:
    """What an owner may see of datasets. All of it blocks: not for the event loop."""

    datasets: Datasets
    jobs: Jobs
    workshop: Workshop
    uploads: Uploads
    store: Store

    def all(self, owner: str) -> list[Dataset]:
        """All that an owner may read, by name."""
        return [Dataset(**self._fields(owner, name, row)) for name, row in self.datasets.readable(owner).items()]

    def one(self, owner: str, name: str) -> DatasetDetail:
        """One with its newest upload. Raises Missing."""
        self.datasets.check_readable(owner, name)
        row = self.datasets.readable(owner).get(name)
        upload = self.uploads.newest(owner, name)
        return DatasetDetail(
            **self._fields(owner, name, row),
            preview=Preview.model_validate_json(upload["preview"]) if upload else None,
            file=upload["file"] if upload else None,
            bytes=upload["bytes"] if upload else None,
        )

    def _fields(self, owner: str, name: str, row: Row | None) -> dict[str, object]:
        releases = [release for _, release in self.store.releases(name)]
        champion, problem = self._in_service(name, releases)
        jobs = self.jobs.newest(owner, name)
        newest = jobs[0] if jobs else None
        return {
            "name": name,
            "owner": row["owner"] if row else None,
            "created": row["created"] if row else None,
            "champion": champion,
            "problem": problem,
            "releases": len(releases),
            "jobs": len(jobs),
            "newest_job": self.jobs.view(newest, self.workshop.standing(newest["id"])) if newest else None,
        }

    def _in_service(self, name: str, releases: list[str]) -> tuple[str | None, str | None]:
        """The release that is to serve a dataset, and why it can not, as far as is seen without reading it."""
        try:
            champion = self.store.champion(name)
        except StoreBroken as error:
            return None, str(error)
        if champion is None:
            return None, None
        missing = champion.release not in releases
        return champion.release, str(ChampionMissing(name, champion.release)) if missing else None
