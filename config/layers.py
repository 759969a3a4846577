"""Where settings come from, one layer each: dotted key -> value and origin, unknown keys refused by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
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
PREFIX = "TIDEWATCH_"


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
    return PREFIX + key.upper().replace(".", "__")


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
    _refuse_unknown(layer, known, str(path))
    return layer


def environment(model: type[BaseSettings]) -> Layer:
    """What TIDEWATCH_* variables say. A name with `__` that is no setting is an error; see `ignored_variables`."""
    known = leaves(model)
    try:
        content = EnvSettingsSource(model)()
    except UnreadableVariable:
        whole = sorted(_variables() & set(map(variable, model.model_fields)))
        raise SettingsError(f'environment: {", ".join(whole)}: a group is given as JSON, {{"key": value}}') from None
    layer = {key: Given(value, _variable_that_set(key)) for key, value in _flatten(content, known)}
    nested = {name[len(PREFIX) :].lower().replace("__", ".") for name in _variables() if "__" in name}
    _refuse_unknown(layer.keys() | nested, known, "environment", variable)
    return layer


def command_line(model: type[BaseModel], overrides: Mapping[str, Any]) -> Layer:
    """Dotted keys given on the command line; values may be text or already of the right type."""
    known = leaves(model)
    _refuse_unknown(overrides, known, "command line")
    return {key: Given(value, "command line") for key, value in overrides.items()}


def ignored_variables(model: type[BaseModel]) -> dict[str, str]:
    """Variables that look like a setting but are none (one underscore for two), and the setting they resemble.

    They are no error: Kubernetes sets such names (TIDEWATCH_WEB_PORT) for a service of ours.
    """
    known = {variable(key): key for key in leaves(model)}
    near = {name: get_close_matches(name, known, n=1, cutoff=0.9) for name in sorted(_variables() - known.keys())}
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
    shown = "" if "Secret" in str(leaves(model)[key].annotation) else f"{given[key].value!r:.80} "
    return SettingsError(f"{key} {shown}(from {given[key].origin}): {rule[:1].lower()}{rule[1:]}")


def _variable_that_set(key: str) -> str:
    """The variable of the key itself, or of its group, which may be given whole as JSON."""
    return variable(key) if variable(key) in _variables() else variable(key.rpartition(".")[0])


def _variables() -> set[str]:
    """The names of ours in the environment; case does not matter in them."""
    return {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}


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


def _refuse_unknown(
    keys: Iterable[str], known: Mapping[str, Any], where: str, spell: Callable[[str], str] = str
) -> None:
    for key in sorted(set(keys) - known.keys()):
        near = get_close_matches(key, known, n=1, cutoff=0.5)
        way_out = f"did you mean {spell(near[0])!r}?" if near else "`tidewatch config` lists them all"
        raise SettingsError(f"{where}: unknown setting {spell(key)!r}; {way_out}")
