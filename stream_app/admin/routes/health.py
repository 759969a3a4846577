"""Whether the service lives, and whether it can work: for a supervisor and a load balancer."""

from __future__ import annotations

import logging

from fastapi import APIRouter

from models.store.base import StoreBroken
from schemas.admin import Healthy
from stream_app.admin.failures import NotReady
from stream_app.admin.parts import With
from stream_app.admin.problems import documented

log = logging.getLogger(__name__)
router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> Healthy:
    """Say that the service answers."""
    return Healthy()


@router.get("/readyz", responses=documented(500))
def ready(parts: With) -> Healthy:
    """Say that database and store can be reached."""
    parts.database.one("SELECT count(*) FROM datasets")
    try:
        parts.store.releases()
    except StoreBroken as error:  # which may name a dataset, and who asks needs no token
        log.error("%s", error)
        raise NotReady("the store of releases can not be used now; the log of the service says why") from error
    return Healthy()
