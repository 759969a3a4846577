"""`run.json`: what a training run was asked for, and what became of each of its stages."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas.manifest import Identity

FORMAT = 1


class StageRecord(msgspec.Struct, frozen=True):
    """What became of a stage. `running` whose process is gone was interrupted."""

    state: Literal["running", "done", "failed"]
    began: str  # RFC 3339
    inputs: dict[str, str]  # all that shapes what it leaves -> SHA-256
    outputs: dict[str, str] = {}  # path under Artifact/ -> SHA-256
    seconds: float = 0.0
    error: str = ""


class RunRecord(msgspec.Struct, frozen=True):
    """All of it. `identity` is that of the release that the run makes."""

    format: int
    run: str
    created: str  # RFC 3339
    data: str  # an absolute path
    wanted: dict[str, Any]  # the columns that the user named
    config: dict[str, Any]  # the whole training config
    store: str  # the URL
    promote: bool
    identity: Identity
    stages: dict[str, StageRecord] = {}
