"""Where runs are tracked: the URI of a server, or of a SQLite file with a folder beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

VARIABLE = "MLFLOW_TRACKING_URI"
DEFAULT = "sqlite:///var/mlflow.db"
FOLDER = "mlflow-artifacts"  # beside the SQLite file, for the files of its runs


def named(environment: Mapping[str, str]) -> str:
    """What the environment names, as MLflow's own tools read it, or the file under `var/`."""
    return environment.get(VARIABLE) or DEFAULT


def is_server(uri: str) -> bool:
    """Whether it is a server, which has pages of its own."""
    return urlsplit(uri).scheme in {"http", "https"}


def sqlite_file(uri: str) -> Path | None:
    """The file of a SQLite URI; None for any other, and for one in memory."""
    parts = urlsplit(uri)
    return Path(parts.path[1:]) if parts.scheme == "sqlite" and parts.path else None


def artifacts_folder(uri: str) -> Path | None:
    """Where the files of runs go; None where the server decides."""
    file = sqlite_file(uri)
    return None if file is None else file.with_name(FOLDER).absolute()


def without_password(uri: str) -> str:
    """The URI for people to see."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if "@" in parts.netloc else uri
