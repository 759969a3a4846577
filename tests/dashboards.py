"""The committed dashboards, and what they ask Prometheus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.grafana import pages

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / pages.FOLDER
VARIABLES = ("dataset", "release", "feature")
Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One query: of which page and panel, under which letter; `label` is what a variable asks the values of."""

    page: str
    panel: str
    letter: str
    expr: str
    instant: bool
    label: str = ""
    name: str = ""  # what each line is called, with {{labels}}

    def called(self, labels: Mapping[str, str]) -> str:
        """One line's name in the legend."""
        return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), self.name)

    def __str__(self) -> str:
        return f"{self.page}/{self.panel}/{self.letter}"


def boards() -> dict[str, Json]:
    """Each dashboard by its file's name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def asked() -> list[Asked]:
    """All queries of all panels, variables and annotations."""
    return [each for page, board in boards().items() for each in _of(page, board)]


def chosen(expr: str, **choice: str) -> str:
    """The query as Grafana sends it, with these values of variables, and all where none is given."""
    values = {"__rate_interval": "10s", "__range": "1h", **dict.fromkeys(VARIABLES, ".*"), **choice}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expr)


def _of(page: str, board: Json) -> Iterator[Asked]:
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            name = target.get("legendFormat", "")
            yield Asked(page, panel["title"], target["refId"], target["expr"], target["instant"], name=name)
    for variable in board["templating"]["list"]:
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert found, variable["query"]["query"]
        yield Asked(page, "variable", variable["name"], found[1], True, found[2])
    for annotation in board["annotations"]["list"]:
        yield Asked(page, "annotation", annotation["name"], annotation["target"]["expr"], False)
