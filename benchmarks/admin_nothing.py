"""The plain endpoint that the admin is held against: FastAPI, the same uvicorn, and nothing to do."""

from __future__ import annotations

from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.post("/predict")
async def nothing() -> dict[str, str]:
    """Answer."""
    return {"status": "ok"}


@app.get("/healthz")
async def healthy() -> dict[str, str]:
    """Say that it has started."""
    return {"status": "ok"}
