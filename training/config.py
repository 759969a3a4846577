"""A detector's config: by name or file, with single keys set on the command line; what is wrong is named by its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from models.networks import NETWORKS
from schemas.errors import TidewatchError
from schemas.training import TrainingConfig
from training.wording import option

MOST_SHOWN = 80  # characters of a value in a message
REMOVABLE = (("networks",), ("ensemble", "weights"))  # where null takes a key away


class ConfigError(TidewatchError):
    """A config can not be used: names the file or option, the key, the value and the rule."""


def load(named: str, folder: Path, settings: Sequence[str] = ()) -> TrainingConfig:
    """The config `named` in `folder`, or in a file of that path, with `settings` such as `window.size=16` laid over."""
    path = _find(named, folder)
    config = _validated(_parsed(path), str(path))
    return change(config, settings) if settings else _known_networks(config, str(path))


def change(config: TrainingConfig, settings: Sequence[str]) -> TrainingConfig:
    """A config with `settings` such as `window.size=16` laid over."""
    values = config.model_dump()
    if any(setting.partition("=")[0].strip() == "window.size" for setting in settings):
        del values["window"]["shrinks"]  # whoever names a size means it
    for setting in settings:
        _set(values, setting)
    return _known_networks(_validated(values, option("set")), option("set"))


def dump(config: TrainingConfig) -> str:
    """The whole config as YAML."""
    return yaml.safe_dump(config.model_dump(), sort_keys=False)


def _known_networks(config: TrainingConfig, source: str) -> TrainingConfig:
    strangers = config.networks.keys() - NETWORKS.keys()
    if strangers:
        raise ConfigError(
            f"{source}: networks.{min(strangers)} is not a network that exists; there are {', '.join(NETWORKS)}"
        )
    return config


def _find(named: str, folder: Path) -> Path:
    path = folder / f"{named}.yaml"
    if path.is_file():
        return path
    if not Path(named).is_file():
        names = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise ConfigError(f"config '{named}' is neither a file nor one of ours; give a YAML file, or one of: {names}")
    return Path(named)


def _parsed(path: Path) -> Any:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path} holds {_shown(content)}, which is no config; give a YAML file such as `window: {{size: 32}}`"
        )
    return content


def _set(values: dict[str, Any], setting: str) -> None:
    """Lay one `key=value` over: the value is YAML, and null takes a network or a weight away, and nothing else."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"{option('set', _shown(setting))} has no key=value; write for instance {option('set', 'window.size=16')}"
        )
    *groups, last = key.strip().split(".")
    place = values
    for group in groups:
        place = place.setdefault(group, {})
        if not isinstance(place, dict):
            raise ConfigError(
                f"{option('set', key)}: '{group}' is a value and has no keys; its value is {_shown(place)}"
            )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"{option('set', key)}: {_shown(text)} is no YAML value; quote it") from None
    if value is None and tuple(groups) not in REMOVABLE:
        raise ConfigError(
            f"{option('set', key)}: the value is empty; write one, or leave the option out for the default"
        )
    if value is None:
        place.pop(last, None)
    else:
        place[last] = value


def _validated(values: Any, source: str) -> TrainingConfig:
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            raise ConfigError(f"{source}: there is no key '{key}'; {_known(problem['loc'])}") from None
        rule = problem["msg"].removeprefix("Value error, ")
        if not key:  # a rule between sections, which names its own
            raise ConfigError(f"{source}: {rule}") from None
        value = "" if isinstance(problem["input"], dict) else f" is {_shown(problem['input'])}"
        raise ConfigError(f"{source}: {key}{value}; {rule[0].lower()}{rule[1:]}") from None


def _shown(value: Any) -> str:
    """A value as it was given, and not too long for a message."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def _known(loc: tuple[int | str, ...]) -> str:
    """The keys that would do in the place of an unknown one."""
    level: Any = TrainingConfig().model_dump()
    for part in loc[:-1]:
        level = level.get(part) or next(iter(level.values()))  # a network of one's own has the keys of any network
    return f"the keys there are {', '.join(level)}"
