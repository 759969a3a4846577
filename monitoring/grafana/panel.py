"""A panel: what it asks, how it shows the answer, and how large it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

Json = dict[str, Any]
SOURCE: Json = {
    "type": "prometheus",
    "uid": "tidewatch-prometheus",
}  # as in provisioning/datasources


@dataclass(frozen=True)
class Query:
    """PromQL, and what each of its series is called, with {{labels}}."""

    expr: str
    name: str = ""


@dataclass(frozen=True)
class Link:
    """Where a panel or a cell leads."""

    title: str
    url: str

    def json(self) -> Json:
        """As Grafana has it."""
        return {"title": self.title, "url": self.url, "targetBlank": False}


@dataclass(frozen=True)
class Panel:
    """One panel, not yet placed; `kind` is the plugin that draws it, sizes are in units of the grid."""

    kind: str
    title: str
    description: str = ""
    queries: tuple[Query, ...] = ()
    width: int = 12
    height: int = 8
    asks: Mapping[str, Any] = field(default_factory=dict)  # how each query is put
    defaults: Mapping[str, Any] = field(default_factory=dict)  # how each field is shown
    overrides: tuple[Json, ...] = ()  # and which otherwise
    options: Mapping[str, Any] = field(default_factory=dict)
    transformations: tuple[Json, ...] = ()
    links: tuple[Link, ...] = ()

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel with its id, at a place."""
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "datasource": SOURCE,
            "targets": [
                self._target(letter, query) for letter, query in zip(ascii_uppercase, self.queries, strict=False)
            ],
            "fieldConfig": {"defaults": dict(self.defaults), "overrides": list(self.overrides)},
            "options": dict(self.options),
            "transformations": list(self.transformations),
            "links": [link.json() for link in self.links],
        }

    def _target(self, letter: str, query: Query) -> Json:
        asked = {"refId": letter, "datasource": SOURCE, "editorMode": "code", "expr": query.expr}
        return asked | ({"legendFormat": query.name} if query.name else {}) | dict(self.asks)
