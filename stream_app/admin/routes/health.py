"""Whether the service lives, and whether it can work: for a supervisor and a load balancer."""

from __future__ import annotations

from fastapi import APIRouter

from schemas.admin import Healthy
from stream_app.admin.parts import With
from stream_app.admin.problems import documented

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> Healthy:
    """Say that the service answers."""
    return Healthy()


@router.get("/readyz", responses=documented(500))
def ready(parts: With) -> Healthy:
    """Say that database and store can be reached."""
    parts.database.one("SELECT count(*) FROM datasets")
    parts.store.releases()
    return Healthy()
