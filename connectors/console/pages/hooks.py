"""`/hooks/tickets/SOURCE`: where other systems push their tickets, signed (Standard Webhooks)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.console.context import AtDesk

router = APIRouter(prefix="/hooks", include_in_schema=False)


@router.post("/tickets/{source}")
async def tickets(request: Request, desk: AtDesk, source: str) -> Response:
    """202 with counts once they are in the database; a row that cannot be read is named in `reasons`."""
    body = await request.body()
    done = await run_in_threadpool(desk.push, source, dict(request.headers), body)
    return JSONResponse(done, 202)
