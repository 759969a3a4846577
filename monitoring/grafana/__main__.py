"""Writes the dashboards of monitoring/grafana/dashboards: `python -m monitoring.grafana` (or `make docs`)."""

from __future__ import annotations

from monitoring.grafana.pages import FOLDER, RUNBOOKS, dashboards, texts

if __name__ == "__main__":
    for name, text in dashboards(texts(RUNBOOKS)).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
