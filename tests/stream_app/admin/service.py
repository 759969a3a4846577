"""The admin, served as it is in earnest, in a thread: what tests ask over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import uvicorn

from config.settings import Settings, load
from stream_app.admin.api import create
from tests.watchers import wait_until


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings whose every file lies in a folder; quick detectors; `changes` are keys of the group `admin`."""
    told = {"config": "quick", "folder": str(folder / "admin"), **changes}
    return load({"store.url": f"dir:{folder / 'store'}", **{f"admin.{key}": value for key, value in told.items()}})


@contextmanager
def served(chosen: Settings) -> Iterator[httpx.Client]:
    """A client of a service that runs meanwhile, on a port of its own."""
    config = uvicorn.Config(create(chosen), log_config=None, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started or not thread.is_alive(), "the service starts")
            host, port = listening.getsockname()
            with httpx.Client(base_url=f"http://{host}:{port}", timeout=60, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
