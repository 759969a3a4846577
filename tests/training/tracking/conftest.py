"""MLflow's file with nothing in it, and a run that has not begun."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schemas.training import TrainingConfig
from tests.training.conftest import TINY, begin, write_plant
from training import tracking
from training.runs import Run


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
