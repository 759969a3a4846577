"""Where settings come from, one layer each: dotted key -> value and origin, unknown keys refused by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource
from pydantic_settings import SettingsError as UnreadableVariable

from schemas.errors import TidewatchError


class SettingsError(TidewatchError):
    """A setting is unknown, or its value breaks a rule: says where it was set and what would do."""


@dataclass(frozen=True)
class Given:
    """A value somebody gave, and where."""

    value: Any
    origin: str


Layer = dict[str, Given]


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Every dotted key of the settings with its pydantic field, in the order they are declared."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= leaves(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


def variable(key: str) -> str:
    """The environment variable of a dotted key: `kafka.group` is `TIDEWATCH_KAFKA__GROUP`."""
    return "TIDEWATCH_" + key.upper().replace(".", "__")


def yaml_file(model: type[BaseModel], path: Path) -> Layer:
    """One YAML file of settings. Raises SettingsError naming the file and the key."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise SettingsError(f"settings file {path} is missing; install Tidewatch again") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"settings file {path} is no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise SettingsError(f"settings file {path} holds a {type(content).__name__}; write `group: {{key: value}}`")
    known = leaves(model)
    layer = {key: Given(value, path.name) for key, value in _flatten(content, known)}
    for key in layer.keys() - known.keys():
        raise SettingsError(f"{path}: unknown setting {key!r}; {_nearest(key, known)}")
    return layer


def environment(model: type[BaseSettings]) -> Layer:
    """What TIDEWATCH_* variables say. A name with `__` that is no setting is an error; see `ignored_variables`."""
    known = leaves(model)
    try:
        content = EnvSettingsSource(model)()
    except UnreadableVariable:
        whole = [name for name in map(variable, model.model_fields) if name in os.environ]
        raise SettingsError(f'environment: {", ".join(whole)}: a group is given as JSON, {{"key": value}}') from None
    layer = {key: Given(value, _variable_that_set(key)) for key, value in _flatten(content, known)}
    for key in layer.keys() - known.keys():
        raise SettingsError(f"environment: unknown setting {variable(key)}; {_nearest(key, known, variable)}")
    return layer


def command_line(model: type[BaseModel], overrides: Mapping[str, Any]) -> Layer:
    """Dotted keys given on the command line; values may be text or already of the right type."""
    known = leaves(model)
    for key in overrides.keys() - known.keys():
        raise SettingsError(f"command line: unknown setting {key!r}; {_nearest(key, known)}")
    return {key: Given(value, "command line") for key, value in overrides.items()}


def ignored_variables(model: type[BaseModel]) -> dict[str, str]:
    """Variables that look like a setting but are none (one underscore for two), and the setting they resemble.

    They are no error: Kubernetes sets such names (TIDEWATCH_WEB_PORT) for a service of ours.
    """
    known = {variable(key): key for key in leaves(model)}
    strays = [name for name in os.environ if name.upper().startswith("TIDEWATCH_") and name.upper() not in known]
    near = {name: get_close_matches(name.upper(), known, n=1, cutoff=0.9) for name in sorted(strays)}
    return {name: match[0] for name, match in near.items() if match}


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """`{"kafka.group": "a"}` as `{"kafka": {"group": "a"}}`."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *groups, name = key.split(".")
        node = tree
        for group in groups:
            node = node.setdefault(group, {})
        node[name] = value
    return tree


def explain(error: ValidationError, given: Layer, model: type[BaseModel]) -> SettingsError:
    """Pydantic's first complaint as one sentence with key, value (no secret), rule and where the value was set."""
    first = error.errors(include_url=False, include_input=False)[0]
    rule = first["msg"].removeprefix("Value error, ")
    key = next((key for key in given if _is_at(first["loc"], key)), None)
    if key is None:  # a rule over several keys, which names them itself
        return SettingsError(rule)
    shown = "" if "Secret" in str(leaves(model)[key].annotation) else f"{given[key].value!r} "
    return SettingsError(f"{key} {shown}(from {given[key].origin}): {rule[:1].lower()}{rule[1:]}")


def _variable_that_set(key: str) -> str:
    """The variable of the key itself, or of its group, which may be given whole as JSON."""
    set_here = {name.upper() for name in os.environ}
    return variable(key) if variable(key) in set_here else variable(key.rpartition(".")[0])


def _is_at(location: tuple[int | str, ...], key: str) -> bool:
    path = key.split(".")
    return [str(part) for part in location[: len(path)]] == path


def _flatten(tree: Mapping[str, Any], known: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and key not in known:
            yield from _flatten(value, known, key + ".")
        elif value is not None or key in known:
            yield key, value


def _nearest(key: str, known: Mapping[str, Any], spell: Any = str) -> str:
    matches = get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {spell(matches[0])!r}?" if matches else "`tidewatch config` lists them all"
