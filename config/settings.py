"""The settings: defaults < base.yaml < overlay < environment < command line, read once, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import layers
from config.groups import (
    AdminSettings,
    DriftSettings,
    KafkaSettings,
    LogSettings,
    StateSettings,
    StoreSettings,
    WebSettings,
    WorkerSettings,
)

__all__ = [
    "AdminSettings",
    "DriftSettings",
    "KafkaSettings",
    "Loaded",
    "LogSettings",
    "Settings",
    "StateSettings",
    "StoreSettings",
    "WebSettings",
    "WorkerSettings",
    "load",
    "load_with_origins",
]

FILES = Path(__file__).parent
Environment = Literal["local", "staging", "production"]
ENVIRONMENTS: tuple[str, ...] = get_args(Environment)


class Settings(BaseSettings):
    """All of it. `Settings()` is the defaults alone; `load()` adds files, environment and command line."""

    model_config = SettingsConfigDict(
        env_prefix=layers.PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    environment: Environment = "local"
    """Which overlay file is laid over base.yaml; from the environment or the command line only."""
    publish: Literal["flagged", "all"] = "flagged"
    """Which windows go to the anomalies topic: the flagged ones, or every one that was scored."""
    kafka: KafkaSettings = KafkaSettings()
    state: StateSettings = StateSettings()
    worker: WorkerSettings = WorkerSettings()
    drift: DriftSettings = DriftSettings()
    store: StoreSettings = StoreSettings()
    web: WebSettings = WebSettings()
    admin: AdminSettings = AdminSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: the layers are merged below, where the origin of each value is known."""
        return (init_settings,)


@dataclass(frozen=True)
class Loaded:
    """Settings with the origin of each dotted key: `default`, a YAML file, an environment variable, `command line`."""

    settings: Settings
    origins: dict[str, str]


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this process; `overrides` are dotted keys from the command line, such as `kafka.group`."""
    return load_with_origins(overrides).settings


def load_with_origins(overrides: Mapping[str, Any] | None = None, files: Path = FILES) -> Loaded:
    """As `load`, and where each value came from. Raises SettingsError naming file or variable, key and rule."""
    told = layers.environment(Settings) | layers.command_line(Settings, overrides or {})
    values = layers.yaml_file(Settings, files / "base.yaml") | _overlay(told, files) | told
    try:
        settings = Settings(**layers.nest({key: given.value for key, given in values.items()}))
    except ValidationError as error:
        raise layers.explain(error, values, Settings) from None
    origins = {key: values[key].origin if key in values else "default" for key in layers.leaves(Settings)}
    return Loaded(settings, origins)


def _overlay(told: layers.Layer, files: Path) -> layers.Layer:
    chosen = told.get("environment", layers.Given("local", "default"))
    if chosen.value not in ENVIRONMENTS:
        raise layers.SettingsError(
            f"environment {chosen.value!r} (from {chosen.origin}) is none of {', '.join(ENVIRONMENTS)}"
        )
    return layers.yaml_file(Settings, files / f"{chosen.value}.yaml")
