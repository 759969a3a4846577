"""What the admin is asked, and what it answers: JSON over HTTP."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Words(BaseModel):
    """A part of a request or an answer; an unknown key in a request is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Complaint(Words):
    """One thing that is wrong with a request."""

    where: str
    """The place in the request, such as `body.data.3`."""
    rule: str
    """What it breaks."""


class Problem(Words):
    """An error (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:tidewatch:problem:not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "there is no dataset 'pumps'; upload one, or see GET /datasets",
                    "instance": "/datasets/pumps",
                }
            ]
        }
    )

    type: str
    """A URN that programs can go by."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """The thing, the value, the rule, and the way out."""
    instance: str
    """The path that was asked for."""
    errors: list[Complaint] | None = None
    """Each place in the request that is wrong, where there is more to say than one sentence."""


class Healthy(Words):
    """The service answers."""

    status: str = "ok"
