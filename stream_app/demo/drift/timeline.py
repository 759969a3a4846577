"""What happens, told as it happens: an alert that waits, fires or ends, a call of the webhook, the gauge."""

from __future__ import annotations

from collections.abc import Iterator

from stream_app.demo.drift.prometheus import Prometheus
from stream_app.demo.drift.webhook import Call, Webhook

AGAIN_SECONDS = 5.0  # between two lines about the gauge
Alert = tuple[str, str]  # its name and its feature, if it is of one


class Timeline:
    """Asks, and says what is new since it asked last."""

    def __init__(self, prometheus: Prometheus, webhook: Webhook, sensor: str) -> None:
        self._prometheus = prometheus
        self._webhook = webhook
        self._sensor = sensor
        self._states: dict[Alert, str] = {}
        self._calls = 0
        self._gauge_at = -AGAIN_SECONDS

    @property
    def firing(self) -> bool:
        """Whether any alert fired when it asked last."""
        return "firing" in self._states.values()

    def news(self, seconds: float) -> Iterator[str]:
        """Lines for what is new, `seconds` after the beginning."""
        yield from self._gauge(seconds)
        now = {name(labels): labels["alertstate"] for labels, _ in self._prometheus.query("ALERTS")}
        for alert, state in now.items():
            if self._states.get(alert) != state:
                yield f"alert    {state:8} {called(alert)}"
        for alert in self._states.keys() - now.keys():
            yield f"alert    ended    {called(alert)}"
        self._states = now
        calls = self._webhook.calls[self._calls :]
        self._calls += len(calls)
        yield from map(told, calls)

    def _gauge(self, seconds: float) -> Iterator[str]:
        if seconds < self._gauge_at + AGAIN_SECONDS:
            return
        live = self._prometheus.by("feature", "tidewatch:feature_mean:live").get(self._sensor)
        if live is not None:
            mean = self._prometheus.by("feature", "tidewatch:feature_mean:ref")[self._sensor]
            std = self._prometheus.by("feature", "tidewatch:feature_std:ref")[self._sensor]
            self._gauge_at = seconds
            yield f"gauge    {self._sensor}: mean {live:.1f}, in training {mean:.1f} with a deviation of {std:.1f}"


def name(labels: dict[str, str]) -> Alert:
    """Which alert it is."""
    return labels["alertname"], labels.get("feature", "")


def called(alert: Alert) -> str:
    """As people read it."""
    return " of ".join(filter(None, alert))


def told(call: Call) -> str:
    """A call of Alertmanager's."""
    return f"webhook  {call.status:8} {call.receiver} hears: {call.summary}"
