"""The page of runbooks: what to do about each alert, where whoever is on call already looks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from monitoring.grafana.now import text
from monitoring.grafana.page import Page, Section
from monitoring.grafana.panel import Link, Panel

DRIFT = (
    *("feature-mean", "feature-spread", "feature-stuck", "feature-missing", "feature-distribution"),
    *("error-drift", "anomaly-rate"),
)
SERVICE = ("worker-down", "silence", "dead-letters", "release-refused", "commit-lag", "commit-age")


def runbook(name: str) -> Link:
    """A panel's link to the runbook docs/runbooks/`name`.md."""
    behind = 1 if name in DRIFT else 2  # headings, which have numbers too
    return Link(
        f"Runbook: {name}", f"/d/tidewatch-runbooks?viewPanel=panel-{(DRIFT + SERVICE).index(name) + 1 + behind}"
    )


def page(texts: Mapping[str, str]) -> Page:
    """Of the files' texts by their names, without `.md`."""
    sections = (
        Section("Drift", tuple(_shown(texts[name]) for name in DRIFT)),
        Section("Service", tuple(_shown(texts[name]) for name in SERVICE)),
    )
    return Page("runbooks", "Runbooks", "What to do about each alert (docs/runbooks).", sections, variables=False)


def _shown(markdown: str) -> Panel:
    """The title becomes the panel's; links to other files, which are not here, become their text."""
    title, _, content = markdown.partition("\n")
    return text(title.removeprefix("# "), re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", content).strip())
