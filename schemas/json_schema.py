"""JSON Schemas of what goes over Kafka, for programs in any language: `python -m schemas.json_schema`."""

from __future__ import annotations

from pathlib import Path

import msgspec

from schemas.flag import Flag
from schemas.reading import Reading

FOLDER = Path(__file__).parent / "json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, str]:
    """File name -> JSON text, one for each message."""
    return {f"{kind.__name__.lower()}.schema.json": _document(kind) for kind in (Reading, Flag)}


def _document(kind: type[msgspec.Struct]) -> str:
    schema = {"$schema": DIALECT, **msgspec.json.schema(kind)}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
