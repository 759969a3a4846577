"""All pages, as the files that Grafana reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitoring.grafana import anomaly_rate_drift, error_drift, feature_drift, fleet, runbooks

FOLDER = Path("monitoring/grafana/dashboards")
RUNBOOKS = Path("docs/runbooks")


def dashboards(texts: Mapping[str, str]) -> dict[str, str]:
    """Each file's name and text; `texts` are the runbooks by their names."""
    pages = (fleet.page(), feature_drift.page(), error_drift.page(), anomaly_rate_drift.page(), runbooks.page(texts))
    return {f"{page.name}.json": page.json() for page in pages}


def texts(folder: Path) -> dict[str, str]:
    """The runbooks in a folder, by their names."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
