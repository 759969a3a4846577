"""A window that fits by itself: half as long, and again, where the readings are too few for the config's own."""

from __future__ import annotations

from schemas.training import TrainingConfig

SMALLEST = 4  # rows


def shrunk(config: TrainingConfig) -> TrainingConfig | None:
    """The config with half the window; None if it may not shrink, or can not any more."""
    window = config.window
    if not window.shrinks or window.size <= SMALLEST:
        return None
    half = window.model_copy(update={"size": max(window.size // 2, SMALLEST)})
    return config.model_copy(update={"window": half})
