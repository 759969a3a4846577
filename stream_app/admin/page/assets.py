"""What the page is made of beside its HTML: a fixed list of files, each at an address that changes with its content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from stream_app.admin.failures import Missing
from training.report.page import FOLDER as REPORT

HERE = Path(__file__).parent
PREFIX = "/page/static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# The look and the plot of scores are the report's: what is seen after a training looks the same before it.
SOURCES = {
    "uplot.css": REPORT / "uplot/uPlot.min.css",
    "plot.css": REPORT / "templates/plot.css",
    "report.css": REPORT / "templates/page.css",
    "admin.css": HERE / "static/admin.css",
    "htmx.js": HERE / "htmx/htmx.min.js",
    "admin.js": HERE / "static/admin.js",
    "uplot.js": REPORT / "uplot/uPlot.iife.min.js",
    "charts.js": REPORT / "templates/charts.js",
    "score.js": REPORT / "templates/score.js",
    "zoom.js": REPORT / "templates/zoom.js",
    "predict.js": HERE / "static/predict.js",
    "icon.svg": HERE / "static/icon.svg",
}


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    content: bytes
    kind: str
    address: str


@cache
def asset(name: str) -> Asset:
    """One by its name. Raises Missing for a name that is not on the list."""
    source = SOURCES.get(name)
    if source is None:
        raise Missing(f"there is nothing at {PREFIX}/{name[:80]}")
    content = source.read_bytes()
    return Asset(content, KINDS[source.suffix], f"{PREFIX}/{name}?v={sha256(content).hexdigest()[:12]}")
