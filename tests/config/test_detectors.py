"""The detector configs that are shipped."""

from __future__ import annotations

import pytest
import yaml

from config.settings import FILES
from schemas.training import TrainingConfig

DETECTORS = FILES / "detectors"


def read(name: str) -> TrainingConfig:
    """One of the shipped configs."""
    return TrainingConfig.model_validate(yaml.safe_load((DETECTORS / f"{name}.yaml").read_text()))


@pytest.mark.parametrize("file", sorted(DETECTORS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_config_is_valid(file):
    """Every key is known and every value within its rule."""
    assert read(file.stem).format == 1


def test_the_default_config_says_the_defaults():
    """default.yaml is there to be read and copied; it may not disagree with the defaults beside the fields."""
    assert read("default") == TrainingConfig()


def test_the_quick_config_is_only_quicker():
    """The same windows, threshold and ensemble as the default, so that what it flags can be compared."""
    quick, default = read("quick"), read("default")
    assert quick.training.epochs < default.training.epochs
    assert (quick.window, quick.threshold, quick.ensemble) == (default.window, default.threshold, default.ensemble)
