"""The words of the admin."""

from __future__ import annotations

import inspect

import pytest

from schemas import admin

MODELS = [model for _, model in inspect.getmembers(admin, inspect.isclass) if issubclass(model, admin.Words)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_example_is_one(model):
    """What OpenAPI shows as an example is read as what it is an example of."""
    for example in (model.model_config.get("json_schema_extra") or {}).get("examples", []):
        assert model.model_validate(example)
