"""How MLflow is reached: late, for it takes a second to load; quietly; and without much waiting."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

from training.background import reason
from training.tracking_uri import without_password

# What MLflow does otherwise: wait for minutes for a server that is away, print, and phone home. Who sets one is heard.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def library() -> ModuleType:
    """The module that brings mlflow, which is imported by whoever needs it first."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    return import_module("training.tracking")


def unusable(uri: str, error: BaseException) -> str:
    """That MLflow did not do what was asked, and why."""
    return f"MLflow at {without_password(uri)} can not be used ({reason(error)})"
