"""The worker's own pages, as a supervisor asks for them; no broker is needed to answer."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from aiohttp.test_utils import TestClient, TestServer

from config.groups import KafkaSettings, StoreSettings, WebSettings
from config.settings import Settings
from stream_app.worker import App, build


@pytest.fixture
def app(tmp_path, plain_environment) -> Iterator[App]:
    """A worker that is not connected yet; what it changes in its process is put right again."""
    threads, garbage = torch.get_num_threads(), gc.get_threshold()
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:9")
    yield build(Settings(kafka=kafka, store=StoreSettings(url=f"dir:{tmp_path}"), web=WebSettings(port=0)))
    torch.set_num_threads(threads)
    gc.set_threshold(*garbage)
    gc.unfreeze()


def answers(app: App, *paths: str) -> list[tuple[int, str]]:
    """Status and text of each page."""

    async def ask() -> list[tuple[int, str]]:
        web: Any = app.web
        web.init_server()
        async with TestClient(TestServer(web.web_app)) as client:
            found = [await client.get(path) for path in paths]
            return [(response.status, await response.text()) for response in found]

    return asyncio.run(ask())


def test_a_worker_without_partitions_is_alive_and_not_ready(app: App):
    """It is no reason to start it anew."""
    assert answers(app, "/healthz", "/readyz") == [
        (200, "ok\n"),
        (503, "no partitions with their state loaded\n"),
    ]


def test_a_worker_that_can_not_go_on_is_not_healthy(app: App):
    """While it stops, whoever asks is told so."""
    app.engine.failure = RuntimeError("a send failed")
    assert answers(app, "/healthz") == [(503, "stopping\n")]
