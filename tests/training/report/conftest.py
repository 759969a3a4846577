"""Reports in a real browser, which fetches nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from training.report.findings import Findings
from training.report.page import page

Open = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser had to say, and what was fetched."""
    return []


@pytest.fixture
def open_page(chromium: Browser, tmp_path: Path, complaints: list[str]) -> Iterator[Open]:
    """Opens the report of some findings; at the end there may be no complaint that the test did not take away."""

    def open_(found: Findings, **options: Any) -> Page:
        file = tmp_path / "report.html"
        file.write_text(page(found), encoding="utf-8")
        tab = chromium.new_context(**options).new_page()
        tab.on("console", lambda message: complaints.append(f"console: {message.text}"))
        tab.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        tab.on("request", lambda request: complaints.extend([request.url] * (request.url != file.as_uri())))
        tab.goto(file.as_uri())
        return tab

    yield open_
    for context in chromium.contexts:
        context.close()
    assert complaints == []
