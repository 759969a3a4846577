"""A network's training on disk after each epoch: written in one step, and read only by the run it belongs to."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from training.artifacts import replace


def save(path: Path, belongs: str, snapshot: dict[str, Any]) -> None:
    """Keep a snapshot; `belongs` is a digest of all that shapes the training."""
    buffer = io.BytesIO()
    torch.save({"belongs": belongs, "snapshot": snapshot}, buffer)
    replace(path, buffer.getvalue())


def load(path: Path, belongs: str) -> dict[str, Any] | None:
    """The snapshot; None if there is none, it belongs to another training, or it is damaged: begin anew."""
    try:
        content = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        return None
    matches = isinstance(content, dict) and content.get("belongs") == belongs
    return content["snapshot"] if matches else None
