"""A network's training on disk after each epoch: written in one step, and read only by the run it belongs to."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from training.artifacts import replace

DIGEST = 32  # bytes before the content: SHA-256 over what it belongs to and itself; torch would load flipped bits


def save(path: Path, belongs: str, snapshot: dict[str, Any]) -> None:
    """Keep a snapshot; `belongs` is a digest of all that shapes the training."""
    buffer = io.BytesIO()
    torch.save(snapshot, buffer)
    content = buffer.getvalue()
    replace(path, _digest(belongs, content) + content)


def load(path: Path, belongs: str) -> dict[str, Any] | None:
    """The snapshot; None, which is to begin anew, if there is none, it is damaged, or it belongs to something else."""
    if not path.exists():
        return None
    digest, content = (whole := path.read_bytes())[:DIGEST], whole[DIGEST:]
    if digest != _digest(belongs, content):
        return None
    snapshot: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    return snapshot


def _digest(belongs: str, content: bytes) -> bytes:
    return sha256(belongs.encode() + content).digest()
