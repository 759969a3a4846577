"""`tidewatch train` tracks by itself, and leaves MLflow alone where it is told to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_app.cli import tidewatch
from tests.training.tracking.kept import runs_in
from training import tracking_uri

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
