"""Runs in MLflow: what is read back from it equals the run's files, whatever happened on the way."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from schemas.errors import TidewatchError
from schemas.evaluation import Evaluation
from schemas.training import TrainingConfig
from stream_app.cli import tidewatch
from tests.training.conftest import RELEASE, RENAMED, TINY, begin, play, write_plant
from tests.training.mlflow_server import MlflowServer
from training import tracked, tracking, tracking_uri
from training.events import EpochDone, Event, all_of
from training.mirror import mirror
from training.runs import Run
from training.tracker import Tracker
from training.tracking import key_of


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's SQLite file with nothing in it, which takes it seconds to make."""
    file = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    tracking.connect(f"sqlite:///{file}")
    assert [path.name for path in file.parent.iterdir()] == ["mlflow.db"]
    return file


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's machine may be busy: only the tests of servers that are away have little patience."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")


@pytest.fixture
def uri(tmp_path: Path, migrated: Path) -> str:
    """A SQLite file of the test's own."""
    shutil.copy(migrated, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something to train on."""
    return write_plant(tmp_path_factory.mktemp("plant") / "plant.csv")


@pytest.fixture
def run(tmp_path: Path, plant: Path) -> Run:
    """A run that has not begun."""
    return begin(plant, tmp_path, TrainingConfig.model_validate(TINY))


def tracked_by(uri: str, run: Run, **options: object) -> tuple[list[str], str]:
    """Play a run while it is tracked; what was warned of, and where to look."""
    warnings: list[str] = []
    with Tracker(uri, warnings.append) as tracker:
        play(run, observer=tracker, **options)  # type: ignore[arg-type]
    return warnings, tracker.where


def runs_in(uri: str) -> list[MlflowRun]:
    """All runs of the plant, the newest first."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("plant")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def check_equal(uri: str, run: Run, folder: Path) -> None:
    """MLflow has the one run, and in it all that the run's files hold."""
    client, artifacts = MlflowClient(uri), run.artifacts
    (found,) = runs_in(uri)
    manifest = json.loads(artifacts.release("manifest.json").read_text())
    assert (found.info.status, found.info.run_name) == ("FINISHED", run.record.identity.release)
    assert found.data.params == tracked.parameters(run.record)
    tags = {"release": manifest["release"], "dataset": "plant", "config_digest": manifest["config_digest"]}
    tags |= {"data_digest": run.record.stages["ingest"].inputs["data"], "code_version": "test", "data": run.record.data}
    tags |= {"threads": "1", "windows_at_once": "1024"}
    assert found.data.tags.items() >= tags.items()
    evaluation = msgspec.json.decode(artifacts.metrics.read_bytes(), type=Evaluation)
    figures = {key_of(name): value for name, value in tracked.figures(evaluation).items()}
    assert {name: found.data.metrics[name] for name in figures} == figures
    for network, log in json.loads(artifacts.logs.read_text()).items():
        for part in ("train", "validation"):
            history = client.get_metric_history(found.info.run_id, f"{network}/{part}_loss")
            told = [(epoch["number"], epoch[f"{part}_loss"]) for epoch in log["epochs"]]
            assert sorted((metric.step, metric.value) for metric in history) == told
    kept = Path(client.download_artifacts(found.info.run_id, "", str(folder)))
    assert contents(kept) == {
        **{path.name: path.read_bytes() for path in (artifacts.logs, artifacts.metrics, artifacts.report)},
        **{f"plots/{name}": content for name, content in contents(artifacts.plots).items()},
        **{f"release/{name}": content for name, content in contents(artifacts.release("manifest.json").parent).items()},
    }


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def champion(uri: str) -> str | None:
    """The release of the version that bears the alias."""
    client = MlflowClient(uri)
    alias = client.get_registered_model("plant").aliases.get("champion")
    return client.get_model_version("plant", str(alias)).tags["release"] if alias else None


def test_what_is_tracked_equals_the_files(run: Run, uri: str, tmp_path: Path):
    """Parameters, tags, losses by epoch, figures and files; files lie beside the SQLite file."""
    (tmp_path / "down").mkdir()
    assert tracked_by(uri, run) == ([], f"{uri} (to see it: tidewatch runs ui)")
    check_equal(uri, run, tmp_path / "down")
    assert (tmp_path / "mlflow-artifacts").is_dir()
    assert champion(uri) == RELEASE


WORDS = [
    "train",
    "--data",
    "plant.csv",
    "--dataset",
    "plant",
    "--config",
    "quick",
    "--set",
    "training.epochs=1",
    "--set",
    "window.size=8",
]


@pytest.fixture
def workplace(tmp_path: Path, plant: Path, monkeypatch: pytest.MonkeyPatch, plain_environment: None) -> Path:
    """A folder to work in, with a plant, and nothing that names a server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(tracking_uri.VARIABLE, raising=False)
    shutil.copy(plant, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("named", "file"), [("", "var/mlflow.db"), ("sqlite:///elsewhere/runs.db", "elsewhere/runs.db")]
)
def test_the_command_tracks(workplace: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch, named: str, file: str):
    """In a file under var/, or wherever the variable says; and it tells where to look."""
    (workplace / file).parent.mkdir()
    shutil.copy(migrated, workplace / file)
    monkeypatch.setenv(tracking_uri.VARIABLE, named)
    told = CliRunner().invoke(tidewatch, WORDS)
    assert told.exit_code == 0, told.output
    assert f"tracked: sqlite:///{file} (to see it: tidewatch runs ui)" in told.output
    assert "MLflow at" not in told.output
    (found,) = runs_in(f"sqlite:///{file}")
    assert found.info.run_name in told.output
    assert (workplace / file).with_name("mlflow-artifacts").is_dir()


UNTRACKED = f"""
import sys
from importlib import import_module
from stream_app.cli import COMMANDS, tidewatch
for entry in COMMANDS.values():
    import_module(entry.target.partition(":")[0])
try:
    tidewatch.main([*{WORDS}, "--no-tracking"])
finally:
    found = {{name.partition(".")[0] for name in sys.modules}} & {{"mlflow", "sqlalchemy", "alembic"}}
    print("imported:", sorted(found))
"""


@pytest.mark.slow
def test_without_tracking_nothing_is_imported_or_left(workplace: Path):
    """Nor does any other command pay for what only tracking needs."""
    told = subprocess.run([sys.executable, "-c", UNTRACKED], capture_output=True, text=True, check=True)
    assert "now serves dataset plant" in told.stdout
    assert "tracked:" not in told.stdout
    assert "imported: []" in told.stdout
    assert sorted(path.name for path in (workplace / "var").iterdir()) == ["runs", "store"]


MADE = "import sys; from training.tracking import connect; print(connect(sys.argv[1]).search_experiments()[0].name)"


@pytest.mark.slow
def test_two_runs_may_make_the_file_together(tmp_path: Path):
    """MLflow alone would leave it broken for good; here it is whole or not there, and nothing lies beside it."""
    command = [sys.executable, "-c", MADE, f"sqlite:///{tmp_path / 'var' / 'mlflow.db'}"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[0].strip() for one in both] == ["Default", "Default"]
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["mlflow.db"]


class Stop:
    """Interrupts a run at an epoch."""

    def __init__(self, network: str, number: int) -> None:
        self.at = (network, number)

    def __call__(self, event: Event) -> None:
        if isinstance(event, EpochDone) and (event.name, event.epoch.number) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("told", [True, False], ids=["told", "killed before it was told"])
def test_a_resumed_run_is_the_same_run(run: Run, uri: str, tmp_path: Path, told: bool):
    """It is taken up where it was, and each epoch is there once."""
    (tmp_path / "down").mkdir()
    stop, warnings = Stop("cnn_ae", 1), list[str]()
    with pytest.raises(KeyboardInterrupt), Tracker(uri, warnings.append) as tracker:
        play(run, observer=all_of(tracker, stop) if told else all_of(stop, tracker))
    (found,) = runs_in(uri)
    assert (found.info.status, warnings) == ("KILLED", [])
    assert tracked_by(uri, run)[0] == []
    check_equal(uri, run, tmp_path / "down")


def test_what_was_missed_is_caught_up(run: Run, uri: str, tmp_path: Path):
    """A run that was not tracked, or whose server was away, is whole in MLflow once it is played again."""
    (tmp_path / "down").mkdir()
    play(run)
    assert tracked_by(uri, run)[0] == []
    check_equal(uri, run, tmp_path / "down")


def test_another_config_is_another_run(run: Run, uri: str):
    """A parameter never changes in MLflow; the release that is made again has a name and a version of its own."""
    tracked_by(uri, run)
    config = run.request.config.model_copy(update={"training": run.request.config.training.model_copy()})
    config = TrainingConfig.model_validate(config.model_dump() | {"threshold": {"method": "quantile"}})
    tracked_by(uri, run, request=replace(run.request, config=config))
    assert [(one.info.run_name, one.data.params["threshold.method"]) for one in runs_in(uri)] == [
        (RENAMED, "quantile"),
        (RELEASE, "budget"),
    ]
    assert champion(uri) == RENAMED


def test_a_run_that_is_played_again_promotes_nothing(run: Run, uri: str):
    """The alias follows promotions alone: another release may serve by now."""
    tracked_by(uri, run)
    MlflowClient(uri).delete_registered_model_alias("plant", "champion")
    tracked_by(uri, run)
    assert champion(uri) is None
    assert len(MlflowClient(uri).search_model_versions("name = 'plant'")) == 1


def test_a_failure_is_a_failed_run(run: Run, uri: str):
    """MLflow has what there was until then."""
    config = TrainingConfig.model_validate(TINY | {"window": {"size": 200}})
    with pytest.raises(TidewatchError, match="no window of 200 rows fits"):
        tracked_by(uri, run, request=replace(run.request, config=config))
    (found,) = runs_in(uri)
    assert found.info.status == "FAILED"
    assert found.data.params["window.size"] == "200"
    assert "data_digest" in found.data.tags


def test_data_that_can_not_be_read_leaves_no_run(run: Run, uri: str, tmp_path: Path):
    """A wrong file is no training."""
    (tmp_path / "wrong.csv").write_text("a,b\n")
    with pytest.raises(TidewatchError, match=r"wrong\.csv"):
        tracked_by(uri, run, request=replace(run.request, data=tmp_path / "wrong.csv"))
    assert runs_in(uri) == []


def test_the_champion_is_mirrored(run: Run, uri: str):
    """Promotions and roll-backs move the alias; a release that MLflow does not know takes it away."""
    tracked_by(uri, run)
    warnings: list[str] = []
    for release, expected in [("20260101T000000Z-000000", None), (RELEASE, RELEASE)]:
        mirror(uri, "plant", release, warnings.append)
        assert champion(uri) == expected
    mirror(uri, "unheard-of", RELEASE, warnings.append)
    assert warnings == []


def test_where_nothing_is_tracked_nothing_is_mirrored(tmp_path: Path):
    """No file is made for it."""
    warnings: list[str] = []
    mirror(f"sqlite:///{tmp_path / 'mlflow.db'}", "plant", RELEASE, warnings.append)
    assert (warnings, list(tmp_path.iterdir())) == ([], [])


def test_names_that_mlflow_does_not_take():
    """A feature may be called anything."""
    assert key_of("temp (°C)/a:b 3.5-x_y") == "temp __C_/a:b 3.5-x_y"


# -- servers that are away


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


# -- a real server


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
