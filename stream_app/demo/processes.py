"""The demo's commands as processes of their own: said before they run, and never left behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from schemas.errors import TidewatchError

PATIENCE_SECONDS = 15.0  # for a process that was asked to stop, before it is killed
LOG_TAIL = 8  # lines


class DemoError(TidewatchError):
    """A command of the demo failed."""


class Commands:
    """Runs `tidewatch ...` as a user would, each in a session of its own, so that Ctrl-C reaches only the demo."""

    def __init__(self, console: Console, environment: Mapping[str, str], afterwards: ExitStack) -> None:
        """`environment` is laid over the demo's own; `afterwards` ends whatever still runs."""
        self._console = console
        self._environment = {**os.environ, **environment}
        self._afterwards = afterwards

    def run(self, *arguments: str) -> None:
        """Run one to its end, in plain sight. Raises DemoError if it fails; Ctrl-C stops it first."""
        self._to_its_end(spelled(arguments), command(arguments))

    def run_other(self, *words: str) -> None:
        """Run a program that is not ours, likewise."""
        self._to_its_end(shlex.join(words), list(words))

    def answer(self, *words: str) -> str:
        """What a program that is not ours prints, likewise."""
        return self._to_its_end(shlex.join(words), list(words), stdout=subprocess.PIPE).decode()

    def _to_its_end(self, name: str, words: list[str], **streams: Any) -> bytes:
        self._say(name)
        process = self._open(words, **streams)
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:
            end(process, signal.SIGINT)
            raise
        if process.returncode:
            raise DemoError(f"`{name}` failed with exit code {process.returncode}; it says above why")
        return printed or b""

    def start(self, log: Path, *arguments: str) -> Background:
        """Start one behind the scenes; what it says goes to `log`."""
        return self._behind(log, spelled(arguments), command(arguments))

    def start_other(self, log: Path, *words: str) -> Background:
        """Start a program that is not ours, likewise."""
        return self._behind(log, shlex.join(words), list(words))

    def _behind(self, log: Path, name: str, words: list[str]) -> Background:
        self._say(name, f" >{log} 2>&1 &")
        with log.open("wb") as file:
            process = self._open(words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        return Background(name, process, log)

    def _open(self, words: list[str], **streams: Any) -> subprocess.Popen[bytes]:
        with uninterrupted():  # Ctrl-C between the two would leave a process that nobody knows
            process = subprocess.Popen(words, env=self._environment, start_new_session=True, **streams)
            self._afterwards.callback(end, process, signal.SIGTERM)
        return process

    def _say(self, name: str, behind: str = "") -> None:
        line = Text.assemble(("$ ", "dim"), (name, "bold cyan"), (behind, "dim"))
        self._console.print(line, soft_wrap=True)


class Background:
    """A command that runs beside the demo."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        """`name` is how it was called."""
        self.name = name
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is over, for good or bad."""
        return self._process.poll() is not None

    def check(self, may_end: bool = False) -> None:
        """Raise DemoError, with the end of its log, if it failed, or if it ended and must not."""
        code = self._process.poll()
        if code is None or (code == 0 and may_end):
            return
        raise DemoError(f"`{self.name}` ended with exit code {code}; the end of {self._log}:{self.tail}")

    @property
    def tail(self) -> str:
        """The newest lines of its log."""
        return "\n  ".join(["", *self._log.read_text(errors="replace").splitlines()[-LOG_TAIL:]])


def command(arguments: tuple[str, ...]) -> list[str]:
    """The command line for this very Python, wherever `tidewatch` is installed."""
    return [sys.executable, "-m", "stream_app", *arguments]


def spelled(arguments: tuple[str, ...]) -> str:
    """The command as a user types it."""
    return shlex.join(["tidewatch", *arguments])


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C in this stretch comes at its end."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def end(process: subprocess.Popen[bytes], by: signal.Signals) -> None:
    """Signal a process and wait; one that does not listen is killed, with all of its session."""
    if process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
