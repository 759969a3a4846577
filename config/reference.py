"""docs/settings.md, written from the settings themselves: `python -m config.reference` (or `make docs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.layers import leaves, variable
from config.settings import Settings

PAGE = Path("docs/settings.md")

HEADER = """\
# Settings

<!-- Written by `make docs` from config/groups.py; change that file, not this one. -->

Each setting has a default that works on one machine. A value is taken from the last of these that gives one:

1. the default below,
2. `config/base.yaml`,
3. `config/local.yaml`, `config/staging.yaml` or `config/production.yaml`: the one that `TIDEWATCH_ENVIRONMENT` names,
4. the environment: `kafka.group` is `TIDEWATCH_KAFKA__GROUP`; a list is JSON (`["a", "b"]`) or `a,b`; empty is unset,
5. the command line: `tidewatch worker --setting kafka.group=canary`.

`tidewatch config` prints every value and where it came from, with secrets hidden. What shapes a detector (window,
networks, threshold) is no setting: it is in the release, and comes from `config/detectors/*.yaml` at training.
"""


def page() -> str:
    """The whole page, as Markdown."""
    top = {key: field for key, field in leaves(Settings).items() if "." not in key}
    sections = [HEADER, _table("General", "What holds for all parts.", top, "")]
    for name, field in Settings.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            sections.append(_table(f"`{name}`", group.__doc__ or "", leaves(group), f"{name}."))
    return "\n".join(sections)


def _table(title: str, meaning: str, fields: dict[str, FieldInfo], prefix: str) -> str:
    head = [
        f"## {title}",
        "",
        meaning,
        "",
        "| setting | environment variable | default | meaning |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| `{prefix}{key}` | `{variable(prefix + key)}` | {_default(field.default)} | {_meaning(field)} |"
        for key, field in fields.items()
    ]
    return "\n".join([*head, *rows, ""])


def _default(value: Any) -> str:
    if isinstance(value, list):
        value = ",".join(value) or None
    return "" if value is None else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _meaning(field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    listed = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return f"{field.description}{listed}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
