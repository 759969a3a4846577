"""The admin, served as it is in earnest, in a thread: what tests ask over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import numpy as np
import uvicorn

from config.settings import Settings, load
from stream_app.admin.api import create
from tests.watchers import wait_until

Json = dict[str, Any]
# A detector that is trained in seconds: one small network, once over the windows.
SMALL = ("window.size=8", "networks.lstm_ae=null", "networks.gru_ae=null", "training.epochs=1", "training.threads=1")


def settings(folder: Path, **changes: Any) -> Settings:
    """Settings whose every file lies in a folder; quick detectors; `changes` are keys of the group `admin`."""
    told = {"config": "quick", "folder": str(folder / "admin"), "free_megabytes": 1, "tracked": False, **changes}
    return load({"store.url": f"dir:{folder / 'store'}", **{f"admin.{key}": value for key, value in told.items()}})


@contextmanager
def served(chosen: Settings) -> Iterator[httpx.Client]:
    """A client of a service that runs meanwhile, on a port of its own."""
    trusted = chosen.admin.trusted_proxies
    config = uvicorn.Config(create(chosen), log_config=None, timeout_graceful_shutdown=2, forwarded_allow_ips=trusted)
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


def readings(rows: int = 300, seed: int = 7) -> bytes:
    """A CSV of two features, a wave each, a row a second."""
    noise = np.random.default_rng(seed).normal(0, 0.1, (rows, 2))
    lines = [
        f"2026-01-01T00:{row // 60:02d}:{row % 60:02d}Z,{np.sin(row / 9) + a:.4f},{np.cos(row / 9) + b:.4f}"
        for row, (a, b) in enumerate(noise)
    ]
    return "\n".join(["time,flow,temp", *lines, ""]).encode()


def send(
    client: httpx.Client, dataset: str, content: bytes, headers: Json | None = None, **fields: Any
) -> httpx.Response:
    """Upload by the form, as curl does."""
    file = {"file": ("readings.csv", content, "text/csv")}
    return client.post("/upload", files=file, data={"dataset": dataset, **fields}, headers=headers)


def problem(answer: httpx.Response, status: int) -> str:
    """What the problem that an answer is says; it has this status."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    content = answer.json()
    assert content.keys() >= {"type", "title", "status", "detail", "instance"}
    assert (content["status"], answer.status_code) == (status, status), content
    return str(content["detail"])


def ended(client: httpx.Client, job: str, seconds: float = 120.0) -> Json:
    """A job, once it has ended."""
    wait_until(lambda: client.get(f"/jobs/{job}").json()["state"] not in {"queued", "running"}, "the job ends", seconds)
    content: Json = client.get(f"/jobs/{job}").json()
    return content
