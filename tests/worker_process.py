"""A real worker as a process: started, waited for, looked into, stopped, killed."""

from __future__ import annotations

import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from stream_app.local_kafka.ports import free_port
from tests.logged_process import LoggedProcess

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60.0


class WorkerProcess(LoggedProcess):
    """`tidewatch worker` in a folder of its own, where its log and its store are; as a context manager it is ended.

        with WorkerProcess(tmp_path, kafka.environment, {"kafka.readings_topics": topic, "publish": "all"}) as worker:
            worker.wait_ready()
            worker.wait_until(lambda: worker.metric("windows_scored_total", dataset="pumps") == 33)
            assert worker.stop() == 0

    Several processes may share a folder: they share its store.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], settings: Mapping[str, Any], name: str = "worker"
    ) -> None:
        """`settings` are dotted keys; without them the port is a free one, and the store in the folder."""
        self.port = free_port()
        told = {"web.port": self.port, "store.url": "dir:store", **settings}
        command = [sys.executable, "-m", "stream_app", "worker"]
        command += [part for key, value in told.items() for part in ("--setting", f"{key}={value}")]
        super().__init__(command, folder / f"{name}.log", environment, folder)

    # -- its life

    def wait_ready(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it has partitions with their state; AssertionError if it ends, or takes longer."""
        self.wait_until(lambda: self.answer("/readyz")[0] == 200, seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Poll while the process runs."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.exit_code is None, f"the worker ended with {self.exit_code}:\n{self.log[-4000:]}"
            assert time.monotonic() < deadline, f"not within {seconds:g} s:\n{self.log[-4000:]}"
            time.sleep(POLL_SECONDS)

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_end(seconds)

    def wait_end(self, seconds: float = 15.0) -> int:
        """Its exit code, once it ends by itself."""
        assert self._process is not None
        return self._process.wait(seconds)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP makes a zombie of it, SIGCONT wakes it."""
        assert self._process is not None
        self._process.send_signal(number)

    # -- what it shows

    def answer(self, path: str) -> tuple[int, str]:
        """Status and text of a page; 0 if nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of tidewatch_`name` that have these labels; 0 if there is none."""
        families = text_string_to_metric_families(self.answer("/metrics")[1])
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == f"tidewatch_{name}" and labels.items() <= sample.labels.items()
        )
