"""A process of ours with a log of its own: started, looked into, ended; what it said is shown when a test fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self


class LoggedProcess:
    """As a context manager it is started, and killed at the end."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """`command` runs in `folder`, by default this process's own, with `environment` beside this process's."""
        self._command, self._log, self._folder = command, log, folder
        self._environment = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if error is not None:  # pytest shows what is printed while a test fails
            sys.stdout.write(f"\n--- {self._log.name}\n{self.log[-8000:]}\n")

    def start(self) -> None:
        """Start it, again too; the log goes on."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        """SIGKILL, if it still runs: it can not tidy anything up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")
