"""What of a run is tracked: its record and its files as flat parameters, tags and figures."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from models.bundle import as_yaml
from models.manifest import digest
from schemas.evaluation import Evaluation
from schemas.run import RunRecord
from schemas.training import TrainingConfig
from training.history import Epoch

CODE = Path(__file__).parents[1]  # the checkout, unless it is installed


def parameters(record: RunRecord) -> dict[str, str]:
    """Every key of the config, dotted."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in flat(record.config, ".")}


def origin(record: RunRecord) -> dict[str, str]:
    """What the run is made from and by, as far as it is known when it begins."""
    tags = {
        "run": record.run,
        "dataset": record.identity.dataset,
        "data": record.data,
        "config_digest": digest(as_yaml(TrainingConfig.model_validate(record.config))),
        "code_version": record.identity.code_version,
    }
    version = git_version(CODE)
    if version:
        tags |= {"git_version": version, "mlflow.source.git.commit": version.removesuffix("-dirty")}
    return tags | {"mlflow.source.name": "tidewatch train"}


def digests(record: RunRecord) -> dict[str, str]:
    """SHA-256 of the files that were read, by name and content, and of the code that read them."""
    inputs = record.stages["ingest"].inputs
    return {f"{name}_digest": inputs[name] for name in ("data", "code")}


def losses(network: str, epoch: Epoch) -> dict[str, float]:
    """The figures of an epoch."""
    return {
        f"{network}/train_loss": epoch.train_loss,
        f"{network}/validation_loss": epoch.validation_loss,
        f"{network}/epoch_seconds": epoch.seconds,
    }


def figures(evaluation: Evaluation) -> dict[str, float]:
    """The numbers of `metrics.json` over all series, by their path; those of each series stay in the file."""
    whole = msgspec.to_builtins(evaluation)
    injected = {f"{one['kind']} {one['size']:g} {one['unit']}": one for one in whole["injected"]}
    tree = {"flag_rate": whole["flag_rate"], "labelled": whole["labelled"], "injected": injected}
    return {name: float(value) for name, value in flat(tree, "/") if isinstance(value, int | float)}


def flat(tree: Mapping[str, Any], joint: str, above: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree, each with the names on the way to it; an empty branch is a leaf."""
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, joint, f"{above}{name}{joint}")
        else:
            yield f"{above}{name}", value


def git_version(root: Path) -> str:
    """The commit that is checked out in `root`, `-dirty` if files differ from it; empty if it is no checkout."""
    if not (root / ".git").exists():
        return ""
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
