"""What there is to serve, what serves, and which is to."""

from __future__ import annotations

from fastapi import APIRouter

from models.store.base import rollback
from schemas.admin import InService, ReleaseDetail, ReleaseRow, Releases
from schemas.manifest import Champion
from stream_app.admin.access import Caller
from stream_app.admin.callers import Operator, Reader
from stream_app.admin.names import DatasetName, ReleaseName
from stream_app.admin.parts import Parts, With
from stream_app.admin.problems import documented
from stream_app.catalogue import describe, row

router = APIRouter(tags=["releases"])


@router.get("/releases")
def all_releases(parts: With, caller: Reader) -> Releases:
    """List the releases of all datasets that you may read."""
    names = parts.datasets.readable(caller.owner)
    return _listed(parts, [pair for pair in parts.store.releases() if pair[0] in names])


@router.get("/releases/{dataset}", responses=documented(404))
def releases(dataset: DatasetName, parts: With, caller: Reader) -> Releases:
    """List the releases of a dataset, the oldest first."""
    parts.datasets.check_readable(caller.owner, dataset)
    return _listed(parts, parts.store.releases(dataset))


@router.get("/releases/{dataset}/{release}", responses=documented(404, 409))
def release(dataset: DatasetName, release: ReleaseName, parts: With, caller: Reader) -> ReleaseDetail:
    """Show what a release is: how it was made, its threshold, its files."""
    parts.datasets.check_readable(caller.owner, dataset)
    return ReleaseDetail.model_validate(describe(parts.store, dataset, release))


@router.post("/releases/{dataset}/rollback", responses=documented(404, 409, 507))
def roll_back(dataset: DatasetName, parts: With, caller: Operator) -> InService:
    """Let the release serve that served before the one in service; each further time the one before that."""
    _check(parts, caller, dataset)
    return _moved(parts, caller, "roll back", dataset, rollback(parts.store, dataset))


@router.post("/releases/{dataset}/{release}/promote", responses=documented(404, 409, 507))
def promote(dataset: DatasetName, release: ReleaseName, parts: With, caller: Operator) -> InService:
    """Let a release serve its dataset; workers go over to it within seconds, predictions at once."""
    _check(parts, caller, dataset)
    return _moved(parts, caller, "promote", dataset, parts.store.promote(dataset, release))


def _check(parts: Parts, caller: Caller, dataset: str) -> None:
    """Who may not see it is told that it is not there; who may see it without owning it, that it is not theirs."""
    parts.datasets.check_readable(caller.owner, dataset)
    parts.datasets.check_writable(caller.owner, dataset)


def _listed(parts: Parts, pairs: list[tuple[str, str]]) -> Releases:
    return Releases(releases=[ReleaseRow.model_validate(row(parts.store, *pair)) for pair in pairs])


def _moved(parts: Parts, caller: Caller, action: str, dataset: str, champion: Champion) -> InService:
    parts.audit.note(caller, action, f"{dataset}/{champion.release}")
    parts.detectors.look()
    return InService(
        dataset=dataset, release=champion.release, version=champion.version, previous=list(champion.previous)
    )
