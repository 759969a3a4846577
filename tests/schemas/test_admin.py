"""The words of the admin."""

from __future__ import annotations

import inspect

import pytest

from schemas import admin, admin_predict

MODELS = [
    model
    for module in (admin, admin_predict)
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, admin.Words) and model.__module__ == module.__name__
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_example_is_one(model):
    """What OpenAPI shows as an example is read as what it is an example of."""
    for example in (model.model_config.get("json_schema_extra") or {}).get("examples", []):
        assert model.model_validate(example)
