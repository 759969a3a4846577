"""docs/metrics.md, written from the metrics themselves: `python -m monitoring.reference` (or `make docs`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from monitoring.drift_metrics import ERROR, ERROR_HELP, OF_BINS, OF_DATASETS, OF_FEATURES, SETTINGS, Told
from monitoring.metrics import COUNTERS, GAUGES, HISTOGRAMS

PAGE = Path("docs/metrics.md")

HEADER = """\
# Metrics

<!-- Written by `make docs` from monitoring/metrics.py and drift_metrics.py; change those files, not this one. -->

A worker serves these on `/metrics` of its port (`web.port`, 6066). There is no label per series, and none that a
stranger's reading could make up: a `dataset` is always one with a release.

"""

TABLE = """\
| metric | type | labels | meaning |
|---|---|---|---|
"""

DRIFT = """
## Drift

What they mean, and how those of several workers are added up: [drift.md](drift.md). Those that end in `_live` are over
the horizon, and left out while too few readings are behind them.

"""


def page() -> str:
    """The whole page, as Markdown."""
    rows = [_row(f"{name}_total", "counter", labels, text) for name, (text, labels) in COUNTERS.items()]
    rows += [_row(name, "gauge", labels, text) for name, (text, labels) in GAUGES.items()]
    rows += [_row(name, "histogram", (), text) for name, text in HISTOGRAMS.items()]
    drift = [_plain(name, "gauge", (), text) for name, text in SETTINGS.items()]
    for gauges, labels in ((OF_DATASETS, ()), (OF_FEATURES, ("feature",)), (OF_BINS, ("feature", "bin"))):
        drift += _gauges(gauges, ("dataset", "release", *labels))
    drift += [_plain(ERROR, "histogram", ("dataset", "release"), ERROR_HELP)]
    return HEADER + TABLE + "\n".join(rows) + "\n" + DRIFT + TABLE + "\n".join(drift) + "\n"


def _gauges(gauges: Mapping[str, Told], labels: tuple[str, ...]) -> list[str]:
    return [_plain(name, "gauge", labels, told.help) for name, told in gauges.items()]


def _row(name: str, kind: str, labels: tuple[str, ...], text: str) -> str:
    return _plain(f"tidewatch_{name}", kind, labels, text)


def _plain(name: str, kind: str, labels: tuple[str, ...], text: str) -> str:
    return f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
