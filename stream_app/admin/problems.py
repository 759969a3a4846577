"""Every error as `application/problem+json` (RFC 9457), and how OpenAPI says so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from schemas.admin import Problem

MEDIA_TYPE = "application/problem+json"
SHOWN = 20  # complaints about a request
LONGEST_PATH = 200  # characters of one that is repeated


class ProblemResponse(JSONResponse):
    """A problem on the wire."""

    media_type = MEDIA_TYPE

    @property
    def detail(self) -> str:
        """What it says to people."""
        return str(json.loads(bytes(self.body))["detail"])

    def render(self, content: Any) -> bytes:
        """JSON in ASCII: it may repeat a part of the request that is no text."""
        return json.dumps(content).encode()


def answer(
    request: Request,
    status: int,
    detail: str,
    kind: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """The problem as a response; `kind` names it for programs, by default what the status code is called."""
    title = HTTPStatus(status).phrase
    content: dict[str, Any] = {
        "type": f"urn:tidewatch:problem:{kind or title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.scope["path"][:LONGEST_PATH],
    }
    if errors:
        content["errors"] = list(errors)
    return ProblemResponse(content, status, headers)


async def of_framework(request: Request, error: Exception) -> ProblemResponse:
    """What the framework itself refuses: no such path, a method that it does not have, a body that is no form."""
    assert isinstance(error, HTTPException)
    path = request.scope["path"][:LONGEST_PATH]
    ways_out = {
        404: f"there is nothing at {path}; GET /openapi.json lists what there is",
        405: f"{request.method} is not possible at {path}; the header Allow says what is",
    }
    detail = ways_out.get(error.status_code, str(error.detail))
    headers = _allowed(request, error.headers) if error.status_code == 405 else error.headers
    return answer(request, error.status_code, detail, headers=headers)


async def of_validation(request: Request, error: Exception) -> ProblemResponse:
    """A request that does not fit its description: every place that is wrong, and why."""
    assert isinstance(error, RequestValidationError)
    errors = [{"where": _where(one["loc"]), "rule": one["msg"]} for one in error.errors()[:SHOWN]]
    first = errors[0]
    more = f" (and {len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
    detail = f"{first['where']}: {first['rule']}{more}; GET /openapi.json shows a request that is right"
    return answer(request, 422, detail, "invalid-request", errors)


async def of_bug(request: Request, error: Exception) -> ProblemResponse:
    """A bug of ours: the log has the details, the answer has none."""
    return answer(request, 500, "something went wrong here, not in the request; the log of the service says what")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: which problems it answers with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def add_schema(openapi: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI with the schema that `documented` refers to, and without the framework's own errors."""
    schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, schema in schemas["Problem"].pop("$defs", {}).items():
        schemas[name] = schema
    return openapi


def _allowed(request: Request, told: Mapping[str, str] | None) -> Mapping[str, str]:
    """All that is possible at a path: the framework names the methods of one route alone, and no HEAD."""
    paths = request.app.openapi()["paths"]
    found = [path for path in paths if compile_path(path)[0].match(request.scope["path"])]
    if found:
        methods = {method.upper() for method in paths[min(found, key=lambda path: path.count("{"))]}
    else:
        methods = set((told or {}).get("Allow", "").split(", "))
    return {"Allow": ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))}


def _where(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)
