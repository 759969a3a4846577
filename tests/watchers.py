"""A real Prometheus and a real Alertmanager with the project's own files, in which time runs faster."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream_app.demo.drift import faster
from stream_app.demo.drift.prometheus import Prometheus
from stream_app.demo.drift.webhook import Webhook, listening
from stream_app.local_kafka.ports import free_port

FASTER = 120  # a horizon of half an hour is 15 seconds
PATIENCE_SECONDS = 90.0

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian: apt install prometheus)"
)
needed = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")),
    reason="Prometheus and Alertmanager are not installed (Debian: apt install prometheus prometheus-alertmanager)",
)


@dataclass
class Watchers:
    """Where they answer."""

    prometheus: Prometheus
    webhook: Webhook

    @property
    def both(self) -> tuple[Prometheus, Webhook]:
        """As a timeline takes them."""
        return self.prometheus, self.webhook

    def told(self, status: str) -> set[str]:
        """The names of the alerts that the webhook was told of with this status."""
        return {call.labels["alertname"] for call in self.webhook.calls if call.status == status}


@contextmanager
def watching(folder: Path, worker: str) -> Iterator[Watchers]:
    """Both of them, at a worker that answers at `worker` (host:port), until the block ends."""
    prometheus, alertmanager = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with ExitStack() as running:
        webhook = running.enter_context(listening())
        faster.write(folder, FASTER, worker, alertmanager, webhook.url)
        alone = ["--cluster.listen-address=", f"--storage.path={folder / 'alertmanager'}"]
        kept = [f"--storage.tsdb.path={folder / 'prometheus'}", "--rules.alert.resend-delay=500ms"]
        running.enter_context(process(folder, "prometheus-alertmanager", faster.ALERTMANAGER, alertmanager, *alone))
        running.enter_context(process(folder, "prometheus", faster.PROMETHEUS, prometheus, *kept))
        yield Watchers(Prometheus(prometheus), webhook)


@contextmanager
def process(folder: Path, command: str, config: str, address: str, *options: str) -> Iterator[None]:
    """Run it, wait until it is ready, and end it; its log is shown where that fails."""
    log = folder / f"{command}.log"
    words = [command, f"--config.file={folder / config}", f"--web.listen-address={address}", *options]
    with log.open("wb") as output:
        running = subprocess.Popen(words, stdout=output, stderr=output, cwd=folder)
    try:
        wait_until(lambda: Prometheus(address).ready, f"{command}: {log.read_text()[-2000:]}")
        yield
    finally:
        running.terminate()
        running.wait(30)


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Poll; AssertionError that says what never came."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
