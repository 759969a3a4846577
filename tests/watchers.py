"""A real Prometheus and a real Alertmanager with the project's own files, in which time runs faster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from monitoring import drift_metrics
from stream_app.local_kafka.ports import free_port

FILES = Path(drift_metrics.__file__).parent
FASTER = 120  # a horizon of half an hour is 15 seconds
MILLISECONDS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PATIENCE_SECONDS = 90.0

needed = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")),
    reason="Prometheus and Alertmanager are not installed (Debian: apt install prometheus prometheus-alertmanager)",
)


def hastened(text: str) -> str:
    """A YAML file of rules or settings with every duration in it `FASTER` times shorter."""

    def shorter(found: re.Match[str]) -> str:
        return f"{int(found[1]) * MILLISECONDS[found[2]] // FASTER}ms"

    return re.sub(r"(?<![\w.])(\d+)([smhd])\b", shorter, text)


@dataclass
class Heard:
    """What a webhook was told, in order: (alert's labels, status)."""

    told: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def of(self, status: str) -> set[str]:
        """The names of the alerts that it was told of with this status."""
        return {labels["alertname"] for labels, said in self.told if said == status}


@dataclass
class Watchers:
    """Where they answer."""

    prometheus: str
    webhook: Heard

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """PromQL, now: labels and value of each sample."""
        url = f"{self.prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        result = get(url)["data"]["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def by(self, label: str, expression: str) -> dict[str, float]:
        """The same, by one label's values."""
        return {labels[label]: value for labels, value in self.query(expression)}

    def firing(self) -> set[tuple[str, str]]:
        """Alerts that fire now, each with its feature, if it is of one."""
        samples = self.query('ALERTS{alertstate="firing"}')
        return {(labels["alertname"], labels.get("feature", "")) for labels, _ in samples}


@contextmanager
def watching(folder: Path, worker: str) -> Iterator[Watchers]:
    """Both of them, at a worker that answers at `worker` (host:port), until the block ends."""
    with ExitStack() as running:
        heard, hook = Heard(), running.enter_context(listening())
        hook.heard = heard
        alertmanager = running.enter_context(alerting(folder, f"http://127.0.0.1:{hook.server_port}/"))
        address = running.enter_context(scraping(folder, worker, alertmanager))
        yield Watchers(f"http://{address}", heard)


class Webhook(ThreadingHTTPServer):
    """What Alertmanager calls."""

    heard: Heard


class Listener(BaseHTTPRequestHandler):
    """Keeps what it is told."""

    server: Webhook

    def do_POST(self) -> None:
        """One group of alerts."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.told += [(alert["labels"], alert["status"]) for alert in body["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def listening() -> Iterator[Webhook]:
    """A webhook on a free port."""
    hook = Webhook(("127.0.0.1", 0), Listener)
    Thread(target=hook.serve_forever, daemon=True).start()
    yield hook
    hook.shutdown()


@contextmanager
def alerting(folder: Path, webhook: str) -> Iterator[str]:
    """Alertmanager with our routes, each receiver a webhook."""
    config = yaml.safe_load(hastened((FILES / "alertmanager.yml").read_text()))
    for receiver in config["receivers"]:
        receiver["webhook_configs"] = [{"url": webhook}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    options = ["--cluster.listen-address=", f"--storage.path={folder / 'alertmanager'}"]
    with process(folder, "prometheus-alertmanager", "alertmanager.yml", address, *options):
        yield address


@contextmanager
def scraping(folder: Path, worker: str, alertmanager: str) -> Iterator[str]:
    """Prometheus with our rules."""
    for rules in ("recording_rules.yml", "alert_rules.yml"):
        (folder / rules).write_text(hastened((FILES / rules).read_text()))
    config = yaml.safe_load(hastened((FILES / "prometheus.yml").read_text()))
    config["scrape_configs"][0]["static_configs"] = [{"targets": [worker]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [alertmanager]}]
    config["global"]["scrape_timeout"] = config["global"]["scrape_interval"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    options = [f"--storage.tsdb.path={folder / 'prometheus'}", "--rules.alert.resend-delay=500ms"]
    with process(folder, "prometheus", "prometheus.yml", address, *options):
        yield address


@contextmanager
def process(folder: Path, command: str, config: str, address: str, *options: str) -> Iterator[None]:
    """Run it, wait until it is ready, and end it; its log is shown where that fails."""
    log = folder / f"{command}.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [command, f"--config.file={folder / config}", f"--web.listen-address={address}", *options],
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    try:
        wait_until(lambda: answers(f"http://{address}/-/ready"), f"{command}: {log.read_text()[-2000:]}")
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


def answers(url: str) -> bool:
    """Whether there is a page."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def get(url: str) -> Any:
    """A page's JSON."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())
