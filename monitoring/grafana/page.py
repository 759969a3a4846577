"""A page: sections of panels laid out on Grafana's grid, with the variables and links that all pages have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitoring.grafana.panel import SOURCE, Json, Link, Panel
from monitoring.grafana.promql import OF_DATASET, OF_RELEASE

COLUMNS = 24
SCHEMA = 42  # of classic JSON: Grafana 13's
TAG = "tidewatch"
ALPHABETICAL, NEWEST_FIRST = 1, 2  # a release is named after the time that it was made
LABEL_VALUES = 1  # what a variable's query asks for
ON_TIME_RANGE = 2  # when it asks anew
# What a table's row is about, chosen by a click: two choices of variables for `leads_to`.
THIS_RELEASE = "var-dataset=${__data.fields.dataset:percentencode}&var-release=${__data.fields.release:percentencode}"
THIS_FEATURE = f"{THIS_RELEASE}&var-feature=${{__data.fields.feature:percentencode}}"


@dataclass(frozen=True)
class Section:
    """Panels under a heading; with `repeat`, once for each chosen value of that variable."""

    title: str
    panels: tuple[Panel, ...]
    repeat: str = ""


@dataclass(frozen=True)
class Page:
    """A dashboard: its uid is `tidewatch-` and its name, which its file has too."""

    name: str
    title: str
    description: str
    sections: tuple[Section, ...]
    variables: bool = True

    @property
    def uid(self) -> str:
        """By which others lead here."""
        return f"{TAG}-{self.name}"

    def json(self) -> str:
        """The file, as Grafana reads it."""
        whole = {
            "uid": self.uid,
            "title": f"Tidewatch: {self.title}",
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": SCHEMA,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "links": [PAGES],
            "annotations": {"list": [RELEASES] if self.variables else []},
            "templating": {"list": VARIABLES if self.variables else []},
            "panels": list(laid_out(self.sections)),
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def leads_to(name: str, title: str, choice: str = "${__all_variables}") -> Link:
    """A link to the page of that name, with the time and the variables as they are, or another choice of them."""
    return Link(title, f"/d/{TAG}-{name}?${{__url_time_range}}&{choice}")


def laid_out(sections: Sequence[Section]) -> Iterator[Json]:
    """Each section a heading and lines from left to right, as many panels in a line as fit."""
    number, y = 0, 0
    for section in sections:
        number += 1
        yield _heading(section, number, y)
        x, y, below = 0, y + 1, y + 1
        for panel in section.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, below
            number += 1
            yield panel.json(number, x, y)
            x, below = x + panel.width, max(below, y + panel.height)
        y = below


def _heading(section: Section, number: int, y: int) -> Json:
    row: Json = {"id": number, "type": "row", "title": section.title, "collapsed": False, "panels": []}
    row["gridPos"] = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
    return row | ({"repeat": section.repeat} if section.repeat else {})


def _variable(name: str, query: str, sort: int) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "datasource": SOURCE,
        "query": {"qryType": LABEL_VALUES, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": ON_TIME_RANGE,
        "sort": sort,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
        "hide": 0,
    }


VARIABLES = [
    _variable("dataset", "label_values(tidewatch_release_info, dataset)", ALPHABETICAL),
    _variable("release", f"label_values(tidewatch_release_info{{{OF_DATASET}}}, release)", NEWEST_FIRST),
    _variable("feature", f"label_values(feature_mean_ref{{{OF_RELEASE}}}, feature)", ALPHABETICAL),
]

PAGES: Json = {
    "type": "dashboards",
    "title": "Tidewatch",
    "tags": [TAG],
    "asDropdown": False,
    "includeVars": True,
    "keepTime": True,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "",
    "url": "",
}

RELEASES: Json = {
    "name": "Another release",
    "datasource": SOURCE,
    "enable": True,
    "hide": False,
    "iconColor": "purple",
    "target": {
        "refId": "Anno",
        "interval": "30s",
        "expr": (
            f"max by (dataset, release) (tidewatch_release_info{{{OF_RELEASE}}})"
            f" unless max by (dataset, release) (tidewatch_release_info{{{OF_RELEASE}}} offset 1m)"
        ),
    },
    "titleFormat": "{{dataset}}: another release",
    "textFormat": "{{release}}",
}
