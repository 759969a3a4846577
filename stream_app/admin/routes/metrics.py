"""What Prometheus is told: the readings that were scored here, and their drift."""

from __future__ import annotations

from fastapi import APIRouter, Response

from monitoring.metrics import CONTENT_TYPE_LATEST
from stream_app.admin.access import LOCAL
from stream_app.admin.callers import Reader
from stream_app.admin.failures import NotAllowed
from stream_app.admin.parts import With

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(parts: With, caller: Reader) -> Response:
    """Tell Prometheus of all datasets that were asked for predictions; once there are tokens, with one of `local`'s."""
    if caller.owner != LOCAL:
        raise NotAllowed(f"/metrics tells of all owners' datasets; use a token of owner '{LOCAL}'")
    return Response(parts.predictor.exposition(), headers={"content-type": CONTENT_TYPE_LATEST})
