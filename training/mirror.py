"""The champion of the store, mirrored in MLflow: promoting and rolling back tell it which release serves now."""

from __future__ import annotations

from collections.abc import Callable

from training import tracking_access
from training.background import Background
from training.tracking_uri import sqlite_file


def mirror(uri: str, dataset: str, release: str, warn: Callable[[str], None]) -> None:
    """Let the alias `champion` name a release; where no run was ever tracked there is nothing to do."""

    def crown() -> None:
        mlflow = tracking_access.library()
        mlflow.crown(mlflow.connect(uri), dataset, release)

    def failed(error: BaseException) -> None:
        warn(f"{tracking_access.unusable(uri, error)}; its alias `champion` is as it was")

    file = sqlite_file(uri)
    if file is None or file.exists():
        with Background(failed) as background:
            background.later(crown)
