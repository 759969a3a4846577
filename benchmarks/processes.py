"""The processes of a benchmark: workers pinned to a core, their /metrics, and a topic filled beforehand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
SAMPLE = re.compile(r"^(?P<name>[a-z_:]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")
Metrics = dict[str, float]


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = 120, every: float = 0.02) -> T:
    """Poll until the probe gives something other than None or False. Raises TimeoutError naming what never came."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = probe()
        if found is not None and found is not False:
            return found
        time.sleep(every)
    raise TimeoutError(f"{what}: nothing within {seconds:g} seconds")


@dataclass
class Worker:
    """A real `tidewatch worker` and the port it answers on."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    started: float  # time.monotonic()

    def get(self, path: str) -> str | None:
        """The body of a page, or None if it is not served (yet) or not well."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None

    def ready(self) -> bool:
        """Whether partitions are assigned and recovered; RuntimeError with the log's end if the worker is gone."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the worker stopped ({self.process.returncode}): {self.log.read_text()[-2000:]}")
        return self.get("/readyz") is not None

    def metrics(self) -> Metrics:
        """Each metric summed over its labels, and `name{stage}` for those that have a stage."""
        return parse(self.get("/metrics") or "")

    def kill(self) -> None:
        """SIGKILL: what takes a worker away without a goodbye."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and wait; SIGKILL if it does not end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


def parse(text: str) -> Metrics:
    """Prometheus' text format as sums over labels; a `stage` label is kept as `name{stage}`."""
    totals: Metrics = defaultdict(float)
    for line in text.splitlines():
        if found := SAMPLE.match(line):
            totals[found["name"]] += float(found["value"])
            if stage := re.search(r'stage="([^"]*)"', found["labels"] or ""):
                totals[f"{found['name']}{{{stage[1]}}}"] += float(found["value"])
    return totals


@contextmanager
def worker(folder: Path, port: int, settings: dict[str, str], core: int | None = 0) -> Iterator[Worker]:
    """A worker process with these TIDEWATCH_* settings, pinned to a core if one is given; stopped at the end."""
    names = {f"TIDEWATCH_{key.upper().replace('.', '__')}": value for key, value in settings.items()}
    environment = {**os.environ, **names, "TIDEWATCH_WEB__PORT": str(port), "OMP_NUM_THREADS": "1"}
    pin = ["taskset", "-c", str(core)] if core is not None else []
    log = folder / f"worker-{port}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*pin, sys.executable, "-m", "stream_app", "worker"], env=environment, stdout=output, stderr=output
        )
    running = Worker(process, port, log, time.monotonic())
    try:
        yield running
    finally:
        if process.poll() is None:
            running.stop()


def python(module: str, *arguments: str, core: int = 0) -> str:
    """Run a module of ours pinned to a core; the last line it prints."""
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-m", module, *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]
