"""Rows come, scores go: no request waits for another's hundred thousand rows."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from schemas.admin import Columns
from schemas.admin_predict import Ask, FileAsk, Predict
from schemas.admin_predict import Prediction as Answer
from stream_app.admin.callers import Reader
from stream_app.admin.failures import TooMuch, Unusable, WrongKind
from stream_app.admin.folders import MEGABYTE
from stream_app.admin.incoming import body
from stream_app.admin.parts import With
from stream_app.admin.predict import Predictor
from stream_app.admin.prediction import Prediction
from stream_app.admin.problems import documented
from stream_app.admin.room import Place

router = APIRouter(tags=["predict"])
JSON = "application/json"
FILES = ("text/csv", "application/gzip", "application/vnd.apache.parquet", "application/octet-stream")
BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": Predict.model_json_schema()},
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILES},
        },
    }
}


@router.post(
    "/predict",
    response_model=Answer,
    responses=documented(400, 404, 408, 409, 413, 415, 429, 507),
    openapi_extra=BODIES,
)
async def predict(request: Request, parts: With, caller: Reader, asked: Annotated[FileAsk, Query()]) -> Response:
    """Score rows: as JSON, or as a file with a header (CSV, gzip of it, Parquet), then with options in the query.

    Each window of rows gets a score, the same that a worker gives it. Other features than the release's are ignored in
    a file, and their columns may stand in any order.
    """
    kind = _kind(request)
    told = _told_size(request, parts.predictor.megabytes)
    with parts.predictor.room.place(told) as place:
        content = await _content(request, parts.predictor.megabytes, place)
        if kind == "json":
            _refuse_query(request)
        begin = partial(_begin, parts.predictor, caller.owner, kind, content, asked)
        came = monotonic()
        try:
            answer = await parts.scoring.answer(begin, len(content))
        except ValidationError as error:
            raise RequestValidationError(
                [_complaint(one) for one in error.errors(include_url=False, include_context=False, include_input=False)]
            ) from None
        parts.predictor.answered(monotonic() - came)
        return Response(answer, media_type=JSON)


def _begin(predictor: Predictor, owner: str, kind: str, content: bytearray, asked: FileAsk) -> Prediction:
    """What a body asks for. The body itself is forgotten: its rows wait as numbers."""
    try:
        if kind == "json":
            return predictor.of_json(owner, content)
        ask = Ask.model_validate(asked.model_dump(include=set(Ask.model_fields)))
        columns = Columns.model_validate(asked.model_dump(include=set(Columns.model_fields)))
        return predictor.of_file(owner, content, ask, columns)
    finally:
        content.clear()


def _told_size(request: Request, megabytes: int) -> int:
    """How large the body is going to be, 0 if that is not told; too large a one is refused before it comes."""
    told = int(request.headers.get("content-length") or 0)
    if told > megabytes * MEGABYTE:
        raise _too_much(megabytes)
    return told


async def _content(request: Request, megabytes: int, place: Place) -> bytearray:
    content = bytearray()
    async for piece in body(request):
        content += piece
        if len(content) > megabytes * MEGABYTE:
            raise _too_much(megabytes)
        place.hold(len(content))
    if not content:
        raise Unusable("the body is empty; send rows, as JSON or CSV")
    return content


def _too_much(megabytes: int) -> TooMuch:
    return TooMuch(
        f"the body is larger than {megabytes} MB, the limit of admin.predict_megabytes; send it in parts that "
        "overlap by a window less one row"
    )


def _kind(request: Request) -> Literal["json", "file"]:
    told = request.headers.get("content-type", JSON).split(";")[0].strip().lower()
    if told == JSON or told.endswith("+json"):
        return "json"
    if told in FILES:
        return "file"
    raise WrongKind(
        f"content-type {told[:80]!r} is not read; send {JSON} or {', '.join(FILES)}, with curl: "
        "-H 'content-type: text/csv' --data-binary @rows.csv"
    )


def _refuse_query(request: Request) -> None:
    if request.query_params:
        raise Unusable("with JSON all is said in the body; the query is for files")


def _complaint(error: Any) -> dict[str, Any]:
    """The complaint, with the way out where a value is none."""
    where = ("body", *error["loc"])
    message = error["msg"]
    if (error["type"] == "json_invalid" and "NaN" in message) or error["type"] == "finite_number":
        message = f"{message}; NaN and Infinity are no measured values, send null for a missing one"
    return {**error, "loc": where, "msg": message}
