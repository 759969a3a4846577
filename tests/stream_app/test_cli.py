"""The root of the command line: help at once, errors in a line, exit codes that scripts can trust."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner, Result

from schemas.errors import TidewatchError
from stream_app import cli
from stream_app.cli import COMMANDS, tidewatch

pytestmark = pytest.mark.usefixtures("plain_environment")


def run(*args: str) -> Result:
    """What `tidewatch ARGS` prints, and its exit code."""
    return CliRunner().invoke(tidewatch, list(args))


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Makes a function the command `probe`."""

    def add(function: Callable[[], object]) -> None:
        monkeypatch.setattr(cli, "probe", click.command()(function), raising=False)
        monkeypatch.setitem(COMMANDS, "probe", cli.Entry("stream_app.cli:probe", "Only here."))

    return add


def test_no_command_prints_help_with_every_command():
    """A newcomer who types `tidewatch` sees each command and what it does."""
    result = run()
    assert result.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name} " in result.output
        assert entry.summary in result.output


def every_command() -> list[tuple[str, ...]]:
    """Each command by its words, and each under a group."""
    words: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = tidewatch.get_command(click.Context(tidewatch), name)
        below = command.commands if isinstance(command, click.Group) else {}
        words += [(name,), *((name, sub) for sub in below)]
    return words


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_command_has_help_with_examples(words):
    """`--help` shows lines to copy: each alone on its line, and none of click's own marks."""
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "\\b" not in result.output
    assert "\b" not in result.output
    lines = result.output.splitlines()
    heading = next(at for at, line in enumerate(lines) if line in ("  Example:", "  Examples:"))
    examples = lines[heading + 1 : lines.index("", heading)]
    assert examples
    for line in examples:
        assert line.startswith("    ")
        assert f"tidewatch {' '.join(words)}" in line
        assert line.count("tidewatch ") == 1


def test_help_loads_nothing_heavy():
    """Help is instant: neither torch nor Faust nor pandas is imported for it."""
    code = "import sys; from stream_app.cli import tidewatch\ntry: tidewatch(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'torch', 'faust', 'pandas', 'numpy', 'pydantic', 'rich'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("module", "heavy"), [("stream_app.produce", "torch faust scipy"), ("training.cli", "sklearn scipy matplotlib")]
)
def test_a_command_loads_only_what_it_needs(module, heavy):
    """Each costs a second or two, again and again: who sends a file needs no networks, a training no measures yet."""
    code = f"import sys, {module}; print(set({heavy!r}.split()) & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


def test_version_is_the_package_s():
    """`tidewatch --version` is what pip says is installed."""
    assert run("--version").output == f"tidewatch {version('tidewatch')}\n"


@pytest.mark.parametrize("args", [["confg"], ["--nonsense"], ["config", "--nonsense"], ["config", "--setting", "x"]])
def test_a_usage_error_exits_2(args):
    """What is typed wrong is click's business, and its code is 2."""
    assert run(*args).exit_code == 2


def test_an_unknown_command_is_answered_with_the_nearest():
    """`confg` is likely `config`."""
    assert "did you mean 'config'?" in run("confg").output


def test_a_mistake_is_one_line_on_standard_error(added):
    """No traceback: `error:`, the sentence, exit 1."""

    def fails() -> None:
        raise TidewatchError("pump-7 has no readings; send some")

    added(fails)
    result = run("probe")
    assert (result.exit_code, result.output) == (1, "error: pump-7 has no readings; send some\n")


def test_a_full_disk_is_one_line(added):
    """So is any other refusal of the operating system, with the file it is about."""

    def fails() -> None:
        raise OSError(28, "No space left on device", "var/runs/x.json")

    added(fails)
    result = run("probe")
    assert (result.exit_code, result.output) == (
        1,
        "error: var/runs/x.json: No space left on device; free some, and do it again\n",
    )


def test_a_bug_keeps_its_traceback(added):
    """What is not a user's mistake is not hidden."""

    def breaks() -> None:
        raise ZeroDivisionError

    added(breaks)
    assert isinstance(run("probe").exception, ZeroDivisionError)


def test_ctrl_c_is_quiet_and_exits_130(added):
    """As a shell reports an interrupted command."""

    def stopped() -> None:
        raise KeyboardInterrupt

    added(stopped)
    result = run("probe")
    assert (result.exit_code, result.output.strip()) == (130, "")


def test_a_closed_pipe_is_quiet():
    """`tidewatch config | head -1` leaves no traceback."""
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "stream_app", "config", "--json"], stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert ended.stderr == b""


def test_config_shows_values_and_origins_and_hides_secrets(monkeypatch):
    """Both ways of printing name every setting; no secret is in either."""
    monkeypatch.setenv("TIDEWATCH_KAFKA__SASL_PASSWORD", "hunter2")
    shown = json.loads(run("config", "--json", "--setting", "kafka.group=canary").output)
    assert shown["kafka.group"] == {"value": "canary", "origin": "command line"}
    assert shown["kafka.sasl_password"] == {"value": "**********", "origin": "TIDEWATCH_KAFKA__SASL_PASSWORD"}
    table = run("config").output
    assert all(key in table for key in shown)
    assert "hunter2" not in table


def test_what_looks_like_markup_is_shown_as_it_is():
    """Values are the user's: `[/x]` in one is no tag of ours."""
    result = run("config", "--setting", "kafka.group=a[/b][red]c")
    assert result.exit_code == 0
    assert "a[/b][red]c" in result.output


def test_a_long_value_is_not_printed_whole():
    """A message is a line, whatever was given."""
    result = run("config", "--setting", f"web.port={'9' * 500}x")
    assert result.exit_code == 1
    assert len(result.output) < 300


def test_config_names_a_variable_with_one_underscore_too_few(monkeypatch):
    """It is ignored, which nobody would guess."""
    monkeypatch.setenv("TIDEWATCH_KAFKA_GROUP", "canary")
    assert "TIDEWATCH_KAFKA_GROUP is ignored; did you mean TIDEWATCH_KAFKA__GROUP?" in run("config").output
