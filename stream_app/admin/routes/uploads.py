"""A file comes: as a form, or as a plain body."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from schemas.admin import Accepted, JsonOptions, Options
from stream_app.admin.access import Caller
from stream_app.admin.callers import Operator
from stream_app.admin.failures import Unusable
from stream_app.admin.form import FILE, Form, FormReader
from stream_app.admin.incoming import arriving, body
from stream_app.admin.names import DATASET_NAME, DatasetName
from stream_app.admin.parts import Parts, With
from stream_app.admin.problems import documented

router = APIRouter(tags=["uploads"])
LISTS = ("ignore", "set")
REFUSALS = documented(400, 408, 409, 413, 415, 507)
KEPT = {
    "description": "The upload is on the disk; its training waits or runs.",
    "headers": {"Location": {"description": "The job.", "schema": {"type": "string"}}},
}
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Of your making: sent again with the same request, it gives the same job and trains nothing anew.",
    ),
]


def _form_schema() -> dict[str, Any]:
    options = Options.model_json_schema()["properties"]
    properties = {
        FILE: {"type": "string", "format": "binary", "description": "CSV, CSV in gzip, or Parquet."},
        "dataset": {
            "type": "string",
            **DATASET_NAME,
            "description": "The name that readings will ask for this detector by.",
        },
        **options,
    }
    schema = {"type": "object", "required": [FILE, "dataset"], "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


RAW: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/upload", status_code=202, responses={**REFUSALS, 202: KEPT}, openapi_extra=_form_schema())
async def upload(request: Request, response: Response, parts: With, caller: Operator, key: Key = None) -> Accepted:
    """Upload a file of readings and train a detector on it, which is put into service when it is done.

    The answer comes as soon as the file is on the disk, with what it was understood as; the job tells the rest.
    """
    reader = FormReader(request.headers.get("content-type", ""))
    async with arriving(parts.folders, request, parts.uploads.megabytes) as file:
        checked = False
        async for piece in reader.read(body(request)):
            if not checked and "dataset" in reader.form.fields:
                await run_in_threadpool(parts.datasets.check_writable, caller.owner, _one(reader.form, "dataset"))
                checked = True
            await file.add(piece)
        arrived = await file.finish()
        name, options = _one(reader.form, "dataset"), _options(reader.form)
        accepted, is_new = await run_in_threadpool(
            parts.uploads.accept, caller.owner, name, arrived, reader.form.file_name, options, key
        )
    return await _told(parts, caller, response, accepted, is_new)


@router.put("/datasets/{name}/data", status_code=202, responses={**REFUSALS, 202: KEPT}, openapi_extra=RAW)
async def replace(
    name: DatasetName,
    request: Request,
    response: Response,
    parts: With,
    caller: Operator,
    options: Annotated[Options, Query()],
    key: Key = None,
) -> Accepted:
    """Upload a file of readings as a plain body, options in the query: `curl -T readings.csv`."""
    await run_in_threadpool(parts.uploads.check, caller.owner, name, options, key)
    async with arriving(parts.folders, request, parts.uploads.megabytes) as file:
        async for piece in body(request):
            await file.add(piece)
        arrived = await file.finish()
        accepted, is_new = await run_in_threadpool(
            parts.uploads.accept, caller.owner, name, arrived, None, options, key
        )
    return await _told(parts, caller, response, accepted, is_new)


@router.post("/datasets/{name}/jobs", status_code=202, responses={**documented(400, 404, 409, 413, 507), 202: KEPT})
async def again(
    name: DatasetName, options: JsonOptions, response: Response, parts: With, caller: Operator, key: Key = None
) -> Accepted:
    """Train on the newest upload once more, with other options: where the preview shows that it was misunderstood."""
    accepted, is_new = await run_in_threadpool(parts.uploads.again, caller.owner, name, options, key)
    return await _told(parts, caller, response, accepted, is_new)


async def _told(parts: Parts, caller: Caller, response: Response, accepted: Accepted, is_new: bool) -> Accepted:
    job = accepted.job
    response.headers["Location"] = f"/jobs/{job.id}"
    if is_new:
        await run_in_threadpool(parts.audit.note, caller, "train", job.dataset, f"job {job.id}")
    return accepted


def _one(form: Form, name: str) -> str:
    values = form.fields.get(name, [])
    if len(values) != 1:
        raise Unusable(f"the form has {len(values)} parts named '{name}' instead of one; with curl: -F {name}=pumps")
    return values[0]


def _options(form: Form) -> Options:
    """The fields of a form that are options; an empty one is none. An unknown one is named."""
    given = {name: values for name, values in form.fields.items() if name != "dataset" and any(values)}
    told = {name: values if name in LISTS or len(values) > 1 else values[0] for name, values in given.items()}
    try:
        return Options.model_validate(told)
    except ValidationError as error:
        wrong = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(wrong) from None
