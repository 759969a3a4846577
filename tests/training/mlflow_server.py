"""A real `mlflow server` as a process: started, waited for, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from training.ui import free_port, server

PATIENCE_SECONDS, POLL_SECONDS = 90.0, 0.05
QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
}


class MlflowServer:
    """A server over the SQLite file `mlflow.db` in a folder; as a context manager it is killed in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port(0)
        self.uri = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "mlflow", *server(f"sqlite:///{self.folder / 'mlflow.db'}", self.port)]
        with (self.folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, env=os.environ | QUIET, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(f"{self.uri}/health")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """At once, with all its processes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def wait_for(page: str) -> bytes:
    """What a page says, once it is there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(page, timeout=PATIENCE_SECONDS) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)
