"""Commands as processes: said before they run, failures named, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from stream_app.demo.processes import Background, Commands, DemoError, end, spelled, uninterrupted

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def said() -> StringIO:
    """What the demo says."""
    return StringIO()


@pytest.fixture
def afterwards() -> Iterator[ExitStack]:
    """What is done in the end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def commands(said: StringIO, afterwards: ExitStack) -> Commands:
    """Commands in an environment with a setting of its own."""
    return Commands(Console(file=said, width=200), {"TIDEWATCH_KAFKA__GROUP": "of-the-demo"}, afterwards)


def python(code: str) -> subprocess.Popen[bytes]:
    """A process that runs this."""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)


def test_a_command_is_said_as_a_user_types_it(commands: Commands, said: StringIO) -> None:
    """With the prompt, quoted where a shell needs it."""
    commands.run("config", "--help")
    assert said.getvalue() == "$ tidewatch config --help\n"
    assert spelled(("train", "--data", "my file.csv")) == "tidewatch train --data 'my file.csv'"


def test_a_command_that_fails_is_named(commands: Commands) -> None:
    """With its exit code; what went wrong it has said itself."""
    with pytest.raises(DemoError, match="`tidewatch nonsense` failed with exit code 2"):
        commands.run("nonsense")


def test_the_environment_reaches_the_command(commands: Commands, tmp_path: Path) -> None:
    """A command behind the scenes sees the demo's settings, and leaves what it says in its log."""
    process = commands.start(tmp_path / "log", "config")
    deadline = time.monotonic() + 30
    while not process.ended and time.monotonic() < deadline:
        time.sleep(0.02)
    process.check(may_end=True)
    assert "of-the-demo" in (tmp_path / "log").read_text()


def test_what_still_runs_is_ended_afterwards(commands: Commands, afterwards: ExitStack, tmp_path: Path) -> None:
    """Whoever started it need not know it any more."""
    process = commands.start(tmp_path / "log", "config")
    afterwards.close()
    assert process.ended


def test_an_interruption_waits_for_the_end_of_the_stretch() -> None:
    """A process that was started is known when Ctrl-C is heard."""
    known = []

    def stretch() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            known.append("a process")

    with pytest.raises(KeyboardInterrupt):
        stretch()
    assert known
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_background_command_that_ends_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The worker must not end by itself, not even well; a producer may, if it ends well."""
    log = tmp_path / "log"
    log.write_text("first\nno Kafka answers\n")
    with python("") as good, python("raise SystemExit(3)") as bad:
        pass
    Background("tidewatch produce", good, log).check(may_end=True)
    with pytest.raises(DemoError, match="`tidewatch worker` ended with exit code 0"):
        Background("tidewatch worker", good, log).check()
    with pytest.raises(DemoError, match=r"(?s)exit code 3; the end of .*log:\n  first\n  no Kafka answers"):
        Background("tidewatch produce", bad, log).check(may_end=True)


def test_a_process_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some patience, and it is gone when `end` returns."""
    monkeypatch.setattr("stream_app.demo.processes.PATIENCE_SECONDS", 0.2)
    with python(STUBBORN) as process:
        assert process.stdout is not None
        process.stdout.readline()
        end(process, signal.SIGTERM)
        assert process.returncode == -signal.SIGKILL


def test_a_process_that_has_ended_is_left_alone() -> None:
    """Its number may be another's by now."""
    with python("") as process:
        pass
    end(process, signal.SIGTERM)
    assert process.returncode == 0
