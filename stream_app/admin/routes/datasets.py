"""Which datasets there are, and what is known of one."""

from __future__ import annotations

from fastapi import APIRouter

from schemas.admin import DatasetDetail, Datasets
from stream_app.admin.callers import Reader
from stream_app.admin.names import DatasetName
from stream_app.admin.parts import With
from stream_app.admin.problems import documented

router = APIRouter(tags=["datasets"])


@router.get("/datasets")
def datasets(parts: With, caller: Reader) -> Datasets:
    """List your datasets, and those that were trained by the command line, by name."""
    return Datasets(datasets=parts.catalogue.all(caller.owner))


@router.get("/datasets/{name}", responses=documented(404))
def dataset(name: DatasetName, parts: With, caller: Reader) -> DatasetDetail:
    """Show a dataset: what serves, and what its newest upload was understood as."""
    return parts.catalogue.one(caller.owner, name)
