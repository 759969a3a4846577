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
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)]+)\)")


def runbook(name: str) -> Link:
    """A panel's link to the runbook docs/runbooks/`name`.md."""
    return Link(f"Runbook: {name}", _place(name))


def page(texts: Mapping[str, str]) -> Page:
    """Of the files' texts by their names, without `.md`."""
    sections = (
        Section("Drift", tuple(_shown(texts[name]) for name in DRIFT)),
        Section("Service", tuple(_shown(texts[name]) for name in SERVICE)),
    )
    return Page("runbooks", "Runbooks", "What to do about each alert (docs/runbooks).", sections, variables=False)


def _place(name: str) -> str:
    headings = 1 if name in DRIFT else 2  # before it: they have numbers too
    return f"/d/tidewatch-runbooks?viewPanel=panel-{(DRIFT + SERVICE).index(name) + 1 + headings}"


def _shown(markdown: str) -> Panel:
    """The title becomes the panel's."""
    title, _, content = markdown.partition("\n")
    return text(title.removeprefix("# "), LINK.sub(_led, content).strip())


def _led(link: re.Match[str]) -> str:
    """To a runbook it leads to its panel; to another file, which is not here, it becomes its text."""
    called, name = link[1], link[2].removesuffix(".md")
    return f"[{called.removesuffix('.md')}]({_place(name)})" if name in DRIFT + SERVICE else called
