"""Takes docs/admin.png, the picture in the README: `python -m tests.stream_app.admin.page.picture`.

A plant's readings are uploaded, trained with the config `quick`, and others with three faults are scored on the page.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import FilePayload, ViewportSize, sync_playwright

from tests.browser import QUIET, installed
from tests.stream_app.admin.service import ended, send, served, settings

TARGET = Path("docs/admin.png")
ROWS, LIVE = 6000, 1500
SIZE = ViewportSize(width=1100, height=1000)
MARGIN = 28.0


def plant() -> dict[str, np.ndarray]:
    """Four sensors of a pump under a load that rises and falls, a reading each ten seconds."""
    noise, at = np.random.default_rng(3), np.arange(ROWS + LIVE)
    load = np.sin(at / 160) + 0.3 * np.sin(at / 23)
    return {
        "flow_m3h": 42 + 6 * load + noise.normal(0, 0.4, len(at)),
        "temp_c": 71 + 4 * np.roll(load, 5) + noise.normal(0, 0.3, len(at)),
        "pressure_bar": 5.2 + 0.5 * load + noise.normal(0, 0.04, len(at)),
        "vibration": 1.1 + 0.2 * np.abs(load) + noise.normal(0, 0.05, len(at)),
    }


def with_faults(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Shaking, a slow rise of the temperature, and a flow that collapses."""
    broken = {name: values.copy() for name, values in columns.items()}
    broken["vibration"][ROWS + 400 : ROWS + 430] += 0.8
    broken["temp_c"][ROWS + 800 : ROWS + 900] += np.linspace(0, 9, 100)
    broken["flow_m3h"][ROWS + 1250 : ROWS + 1262] = 24
    return broken


def csv(columns: dict[str, np.ndarray], first: int, last: int) -> bytes:
    """Rows as a file."""
    began = datetime(2026, 11, 20, tzinfo=UTC)
    lines = [",".join(["time", *columns])]
    for row in range(first, last):
        values = ",".join(f"{values[row]:.4f}" for values in columns.values())
        lines.append(f"{began + timedelta(seconds=10 * row):%Y-%m-%dT%H:%M:%SZ},{values}")
    return "\n".join([*lines, ""]).encode()


def main() -> None:
    """Train, score, and take the picture."""
    columns = plant()
    rows = FilePayload(name="live.csv", mimeType="text/csv", buffer=csv(with_faults(columns), ROWS, ROWS + LIVE))
    with TemporaryDirectory() as folder, served(settings(Path(folder))) as service, sync_playwright() as playwright:
        ended(service, send(service, "pumps", csv(columns, 0, ROWS)).json()["job"]["id"], seconds=300)
        browser = playwright.chromium.launch(executable_path=installed(), args=[*QUIET])
        page = browser.new_page(base_url=str(service.base_url), viewport=SIZE, color_scheme="light")
        page.goto("/page/datasets/pumps")
        page.set_input_files("#ask input[type=file]", rows)
        page.get_by_role("button", name="Score", exact=True).click()
        page.locator(".happening").first.wait_for()
        part = page.locator("#predict").bounding_box()
        assert part is not None
        top = page.evaluate("scrollY") + part["y"] - MARGIN
        whole = {"x": 0.0, "y": top, "width": float(SIZE["width"]), "height": part["height"] + 2 * MARGIN}
        page.screenshot(path=TARGET, full_page=True, clip=whole)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
