"""A run played while it is tracked, and what MLflow has of it then."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from schemas.evaluation import Evaluation
from tests.training.conftest import play
from training import tracked
from training.runs import Run
from training.tracker import Tracker
from training.tracking import key_of


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
