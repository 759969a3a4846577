"""A webhook that Alertmanager calls: it keeps what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Call:
    """One alert of a call."""

    receiver: str
    status: str  # "firing" or "resolved"
    labels: dict[str, str]
    summary: str


class Webhook(ThreadingHTTPServer):
    """It answers on a free port of this machine."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.calls: list[Call] = []  # in the order they came

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Listener(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        """One group of alerts."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in body["alerts"]:
            self.server.calls.append(
                Call(body["receiver"], alert["status"], alert["labels"], alert["annotations"]["summary"])
            )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def listening() -> Iterator[Webhook]:
    """One that listens until the block ends."""
    with Webhook() as webhook:
        Thread(target=webhook.serve_forever, daemon=True).start()
        try:
            yield webhook
        finally:
            webhook.shutdown()
