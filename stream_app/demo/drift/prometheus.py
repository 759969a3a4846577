"""What a Prometheus answers, by its HTTP API."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

FIRING = 'ALERTS{alertstate="firing"}'

Labels = dict[str, str]
Curve = list[tuple[float, float]]  # unix seconds, value


@dataclass(frozen=True)
class Prometheus:
    """One that answers at host:port."""

    address: str

    @property
    def ready(self) -> bool:
        """Whether it answers yet."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[tuple[Labels, float]]:
        """PromQL, now: labels and value of each sample."""
        return [(one["metric"], float(one["value"][1])) for one in self._result("query", query=expression)]

    def by(self, label: str, expression: str) -> dict[str, float]:
        """The same, by one label's values."""
        return {labels[label]: value for labels, value in self.query(expression)}

    def over(self, expression: str, start: float, end: float, step: float) -> list[tuple[Labels, Curve]]:
        """PromQL from `start` to `end`, unix seconds."""
        found = self._result("query_range", query=expression, start=start, end=end, step=step)
        return [(one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in found]

    def firing(self) -> set[tuple[str, str]]:
        """Alerts that fire now, each with its feature, if it is of one."""
        return {(labels["alertname"], labels.get("feature", "")) for labels, _ in self.query(FIRING)}

    def _result(self, kind: str, **parameters: object) -> list[dict[str, Any]]:
        url = f"http://{self.address}/api/v1/{kind}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
            return result
