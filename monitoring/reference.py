"""docs/metrics.md, written from the metrics themselves: `python -m monitoring.reference` (or `make docs`)."""

from __future__ import annotations

from pathlib import Path

from monitoring.metrics import COUNTERS, GAUGES, HISTOGRAMS

PAGE = Path("docs/metrics.md")

HEADER = """\
# Metrics

<!-- Written by `make docs` from monitoring/metrics.py; change that file, not this one. -->

A worker serves these on `/metrics` of its port (`web.port`, 6066). There is no label per series, and none that a
stranger's reading could make up: a `dataset` is always one with a release.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole page, as Markdown."""
    rows = [_row(f"{name}_total", "counter", labels, text) for name, (text, labels) in COUNTERS.items()]
    rows += [_row(name, "gauge", labels, text) for name, (text, labels) in GAUGES.items()]
    rows += [_row(name, "histogram", (), text) for name, text in HISTOGRAMS.items()]
    return HEADER + "\n".join(rows) + "\n"


def _row(name: str, kind: str, labels: tuple[str, ...], text: str) -> str:
    return f"| `tidewatch_{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
