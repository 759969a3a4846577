"""The page of a running service in a real browser, in which nothing may go wrong unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.stream_app.admin.service import readings, served, settings

Open = Callable[..., Page]
expect.set_options(timeout=30_000)  # milliseconds; a busy machine takes its time
# Trained in seconds: one small network, twice over the windows.
DETECTOR = """\
format: 1
window: {size: 8, shrinks: false}
networks: {cnn_ae: {hidden: 8, latent: 4, layers: 1, judged: 4, linear: 0.9}}
training: {epochs: 2, threads: 1}
"""


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The config of a detector that is trained in seconds."""
    file = tmp_path_factory.mktemp("detector") / "small.yaml"
    file.write_text(DETECTOR)
    return str(file)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, detector: str) -> Iterator[httpx.Client]:
    """A service with nothing in it, and no token."""
    with served(settings(tmp_path_factory.mktemp("page"), config=detector)) as client:
        yield client


@pytest.fixture
def complaints() -> list[str]:
    """What the browser had to say, and what was fetched from elsewhere."""
    return []


@pytest.fixture
def browse(chromium: Browser, service: httpx.Client, complaints: list[str]) -> Iterator[Open]:
    """Opens a page of the service; at the end there may be no complaint that the test did not take away."""
    own = str(service.base_url)

    def open_(path: str = "/", **options: Any) -> Page:
        tab = chromium.new_context(base_url=own, **options).new_page()
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("request", lambda request: complaints.extend([request.url] * (not request.url.startswith(own))))
        tab.goto(path)
        return tab

    yield open_
    for context in chromium.contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of readings on this machine."""
    path = tmp_path / "Pump Hall 3.csv"
    path.write_bytes(readings())
    return path
