"""What there is to say of a run, as plain data: in a line, or in full."""

from __future__ import annotations

from typing import Any

from training import history
from training.artifacts import read_json
from training.history import History
from training.prune import size
from training.runs import Run


def brief(run: Run) -> dict[str, Any]:
    """A run in a line; `release` is None until it is published."""
    stages = {name: run.state(name) for name in run.record.stages}
    return {
        "run": run.spelled,
        "dataset": run.record.identity.dataset,
        "created": run.record.created,
        "state": _state(run, stages),
        "stages": stages,
        "losses": {name: of.best.validation_loss for name, of in history.load(run.artifacts).items()},
        "release": _publication(run).get("release"),
    }


def full(run: Run) -> dict[str, Any]:
    """All of it, but for what is in the files of its stages."""
    record, publication = run.record, _publication(run)
    about = brief(run)
    return about | {
        "folder": str(run.root),
        "artifacts": {path.name: size(path) for path in sorted(run.artifacts.tree.glob("*"))},
        "bytes": size(run.root),
        "data": record.data,
        "columns": {name: column for name, column in record.wanted.items() if column},
        "code_version": record.identity.code_version,
        "stages": {name: _stage(run, name) for name in record.stages},
        "networks": {name: _network(of) for name, of in history.load(run.artifacts).items()},
        "store": record.store,
        "promoted": publication.get("version") is not None,
        "config": record.config,
    }


def summary(about: dict[str, Any]) -> str:
    """How far a run came, from what `brief` says of it: `done`, or the stage that it came to."""
    if about["state"] in {"done", "new"}:
        return str(about["state"])
    state = "done" if about["state"] == "partial" else about["state"]
    stage = [name for name, each in about["stages"].items() if each == state][-1]
    return f"{stage} {state}"


def _state(run: Run, stages: dict[str, str]) -> str:
    """That of the first stage that is not done; `partial` if all are but there are more, `new` if there is none."""
    undone = [state for state in stages.values() if state != "done"]
    if undone:
        return undone[0]
    return "done" if run.is_complete else "partial" if stages else "new"


def _publication(run: Run) -> dict[str, Any]:
    path = run.artifacts.publication
    return dict(read_json(path)) if path.exists() else {}


def _stage(run: Run, name: str) -> dict[str, Any]:
    record = run.record.stages[name]
    return {"state": run.state(name), "began": record.began, "seconds": record.seconds, "error": record.error}


def _network(of: History) -> dict[str, Any]:
    return {
        "epochs": of.done,
        "best_epoch": of.best.number,
        "train_loss": of.best.train_loss,
        "validation_loss": of.best.validation_loss,
        "seconds": of.seconds,
    }
