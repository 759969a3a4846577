"""Servers of MLflow: one that is there, and those that are away."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from schemas.training import TrainingConfig
from tests.training.conftest import RELEASE, TINY, begin, play
from tests.training.mlflow_server import MlflowServer
from tests.training.tracking.kept import champion, check_equal, tracked_by
from training.events import EpochDone, Event, all_of
from training.runs import Run
from training.tracker import Tracker


class Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def broken() -> Iterator[str]:
    """A server that answers everything with 500."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def silent() -> Iterator[str]:
    """One that accepts, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://someone:secret@127.0.0.1:{port}"


@pytest.fixture
def damaged(tmp_path: Path) -> str:
    """A file that is none of SQLite's."""
    (tmp_path / "junk.db").write_text("junk")
    return f"sqlite:///{tmp_path / 'junk.db'}"


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Not even a file."""
    return f"sqlite:///{tmp_path}"


@pytest.mark.parametrize(
    ("away", "expected"),
    [
        ("broken", "too many 500 error responses"),
        ("silent", "timed out"),
        ("closed", "Connection refused"),
        ("damaged", "file is not a database"),
        ("folder", "unable to open database file"),
    ],
)
def test_training_goes_on_without_a_server(
    run: Run, away: str, expected: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    """It is said once, in a line, without the password; the release is made all the same."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    warnings, where = tracked_by(request.getfixturevalue(away), run)
    (warning,) = warnings
    assert expected in warning
    assert warning.endswith("; the training goes on without it")
    assert "secret" not in warning
    assert "\n" not in warning
    assert where == ""
    assert run.is_complete


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[MlflowServer]:
    """`mlflow server`, over a file that is made already."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(migrated, folder)
    with MlflowServer(folder) as running:
        yield running


@pytest.mark.slow
def test_a_server_then_a_server_that_dies(run: Run, server: MlflowServer, plant: Path, tmp_path: Path):
    """It keeps what a file keeps; killed in the middle of a run it is missed in one line, and training goes on."""
    (tmp_path / "down").mkdir()
    warnings, where = tracked_by(server.uri, run)
    assert warnings == []
    check_equal(server.uri, run, tmp_path / "down")
    assert where.startswith(f"{server.uri}/#/experiments/")
    assert champion(server.uri) == RELEASE

    (tmp_path / "other").mkdir()
    other = begin(plant, tmp_path / "other", TrainingConfig.model_validate(TINY))

    def kill(event: Event) -> None:
        if isinstance(event, EpochDone):
            server.kill()

    with Tracker(server.uri, warnings.append) as tracker:
        play(other, observer=all_of(tracker, kill))
    assert len(warnings) == 1
    assert "the training goes on without it" in warnings[0]
    assert other.is_complete
