"""The last stage: a finished run told on one page, `report.html`, with its plots as files beside it."""

from __future__ import annotations

from pathlib import Path

from training.artifacts import Artifacts
from training.report.findings import read
from training.report.page import page, picture
from training.report.plots import plots

__all__ = ["run"]


def run(artifacts: Artifacts) -> Path:
    """Write the report and the plots from the run's files alone; the report's path."""
    findings = read(artifacts)
    for plot in plots(findings):
        artifacts.plot(plot.name).write_text(picture(plot), encoding="utf-8")
    artifacts.report.write_text(page(findings), encoding="utf-8")
    return artifacts.report
