"""For machines that watch us: alive, ready, in numbers."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, PlainTextResponse, Response

from connectors.console.context import AtDesk

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def alive() -> Response:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(desk: AtDesk) -> Response:
    ok, problems = desk.ready()
    return JSONResponse({"ready": ok, "problems": problems}, 200 if ok else 503)


@router.get("/metrics")
def metrics(desk: AtDesk) -> Response:
    return PlainTextResponse(desk.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
