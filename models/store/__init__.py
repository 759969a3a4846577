"""Where releases live; `open_store` chooses by the URL in the settings."""

from __future__ import annotations

from pathlib import Path

from models.store.base import Store, StoreError
from models.store.local import LocalStore


def open_store(url: str) -> Store:
    """The store at `dir:FOLDER`, created when something is first published there."""
    scheme, _, rest = url.partition(":")
    if scheme == "dir" and rest:
        return LocalStore(Path(rest).expanduser())
    if scheme == "s3":
        raise StoreError(f"store.url is {url!r}, but this version keeps releases in folders only; use dir:FOLDER")
    raise StoreError(f"store.url is {url!r}, which names no store; use dir:FOLDER, such as dir:var/store")
