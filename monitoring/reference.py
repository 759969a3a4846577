"""docs/metrics.md, written from the metrics themselves: `python -m monitoring.reference` (or `make docs`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitoring import admin_metrics
from monitoring.drift_metrics import ERROR, ERROR_HELP, OF_BINS, OF_DATASETS, OF_FEATURES, SETTINGS, Told
from monitoring.metrics import COUNTERS, GAUGES, HISTOGRAMS, Described

PAGE = Path("docs/metrics.md")

HEADER = """\
# Metrics

<!-- Written by `make docs` from monitoring/*metrics.py; change those files, not this one. -->

A worker serves these on `/metrics` of its port (`web.port`, 6066). There is no label per series, and none that a
stranger's reading could make up: a `dataset` is always one with a release.

"""

TABLE = """\
| metric | type | labels | meaning |
|---|---|---|---|
"""

ADMIN = """
## The admin

`tidewatch admin` serves these on `/metrics` of its port (`admin.port`, 8000), and drift as below.

"""

DRIFT = """
## Drift

A worker tells it, and the admin of what `/predict` scored. What they mean, and how those of several workers are added
up: [drift.md](drift.md). Those that end in `_live` are over the horizon, and left out while too few readings are behind
them.

"""


def page() -> str:
    """The whole page, as Markdown."""
    worker = _rows(COUNTERS, GAUGES, HISTOGRAMS)
    admin = _rows(admin_metrics.COUNTERS, admin_metrics.GAUGES, admin_metrics.HISTOGRAMS)
    drift = [_plain(name, "gauge", (), text) for name, text in SETTINGS.items()]
    for gauges, labels in ((OF_DATASETS, ()), (OF_FEATURES, ("feature",)), (OF_BINS, ("feature", "bin"))):
        drift += _gauges(gauges, ("dataset", "release", *labels))
    drift += [_plain(ERROR, "histogram", ("dataset", "release"), ERROR_HELP)]
    parts = ((HEADER, worker), (ADMIN, admin), (DRIFT, drift))
    return "".join(text + TABLE + "\n".join(rows) + "\n" for text, rows in parts)


def _rows(counters: Described, gauges: Described, histograms: Mapping[str, str]) -> list[str]:
    rows = [_row(f"{name}_total", "counter", labels, text) for name, (text, labels) in counters.items()]
    rows += [_row(name, "gauge", labels, text) for name, (text, labels) in gauges.items()]
    return rows + [_row(name, "histogram", (), text) for name, text in histograms.items()]


def _gauges(gauges: Mapping[str, Told], labels: tuple[str, ...]) -> list[str]:
    return [_plain(name, "gauge", labels, told.help) for name, told in gauges.items()]


def _row(name: str, kind: str, labels: tuple[str, ...], text: str) -> str:
    return _plain(f"tidewatch_{name}", kind, labels, text)


def _plain(name: str, kind: str, labels: tuple[str, ...], text: str) -> str:
    return f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
