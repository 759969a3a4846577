"""Names in the paths of requests, as OpenAPI tells them; who looks them up refuses what is none, in a sentence."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from models.store.base import DATASET, RELEASE

DATASET_NAME = {"pattern": f"^{DATASET.pattern}$", "examples": ["pumps"]}
RELEASE_NAME = {"pattern": f"^{RELEASE.pattern}$", "examples": ["20261126T164407Z-7b14e9"]}

DatasetName = Annotated[str, Path(description="A dataset's name.", json_schema_extra=DATASET_NAME)]
ReleaseName = Annotated[str, Path(description="A release's name.", json_schema_extra=RELEASE_NAME)]
