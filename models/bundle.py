"""A release as files: packed, and loaded again only when every check says that it is whole."""

from __future__ import annotations

from collections.abc import Mapping

from models.detector import Detector
from schemas.errors import TidewatchError
from schemas.training import TrainingConfig


class BundleError(TidewatchError):
    """A release can not be used: names the file and the reason."""


def pack(detector: Detector, config: TrainingConfig, code_version: str, created: str, golden: int = 3) -> dict[str, bytes]:
    """The files of a release by name; `golden` windows are made from a fixed seed and stored with their scores."""
    raise NotImplementedError


def load(files: Mapping[str, bytes]) -> Detector:
    """The detector in a release's files, or a BundleError."""
    raise NotImplementedError
