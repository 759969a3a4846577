"""`tidewatch runs ui`: what it says when there is nothing to show, and the real pages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import TidewatchError
from stream_app.cli import tidewatch
from tests.training.mlflow_server import wait_for
from training import tracking, tracking_uri
from training.ui import check_installed, free_port


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and nothing that names a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking_uri.VARIABLE, raising=False)
    return tmp_path


def test_without_the_extra_it_says_how_to_install_it():
    """In one sentence; the client that comes with Tidewatch has no pages."""
    with pytest.raises(
        TidewatchError, match=r"mlflow-of-nobody, which is not installed; pip install 'tidewatch\[ui\]'$"
    ):
        check_installed("mlflow-of-nobody")


def test_before_the_first_run_there_is_nothing_to_show(workplace: Path):
    """It says so, and leaves no empty file."""
    told = CliRunner().invoke(tidewatch, ["runs", "ui"])
    assert told.exit_code == 1
    assert "var/mlflow.db is not there, for no run was tracked yet" in told.output
    assert list(workplace.iterdir()) == []


def test_a_server_shows_its_runs_itself(workplace: Path, monkeypatch: pytest.MonkeyPatch):
    """The address is all that is needed, without the password in it."""
    monkeypatch.setenv(tracking_uri.VARIABLE, "https://someone:secret@mlflow.example/team")
    told = CliRunner().invoke(tidewatch, ["runs", "ui"])
    assert told.exit_code == 0
    assert told.output.endswith("shows its runs itself: https://mlflow.example/team\n")


def test_a_taken_port_is_left_alone():
    """The usual one if it is free, else another that is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = free_port(port)
        assert other != port
    assert free_port(port) == port
    assert free_port(other) == other


@pytest.mark.slow
def test_the_real_pages(workplace: Path):
    """MLflow answers at the address that was printed, on loopback, over the file's runs; Ctrl-C ends all of it."""
    client = tracking.connect(f"sqlite:///{workplace}/var/mlflow.db")  # MLflow keeps files open by their URI
    run = tracking.take_up(client, "pumps", "a-run", "abc")
    port = free_port(0)
    command = [sys.executable, "-m", "stream_app", "runs", "ui", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    pages = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        assert pages.stdout is not None
        assert address in pages.stdout.readline()
        assert b"<!doctype html>" in wait_for(address)
        found = urllib.request.urlopen(f"{address}/api/2.0/mlflow/runs/get?run_id={run.id}")
        assert json.load(found)["run"]["info"]["run_name"] == "a-run"
        os.killpg(pages.pid, signal.SIGINT)
        pages.wait(30)
        with pytest.raises(ProcessLookupError):
            os.killpg(pages.pid, signal.SIGKILL)
        assert [path.name for path in workplace.iterdir()] == ["var"]
    finally:
        if pages.poll() is None:
            os.killpg(pages.pid, signal.SIGKILL)
