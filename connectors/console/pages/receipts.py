"""`/hooks/receipts`: where a channel says that an alert has arrived or was read."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from connectors.console.context import AtDesk
from connectors.console.desk import View

router = APIRouter(prefix="/hooks", include_in_schema=False)


@router.post("/receipts")
async def receipts(request: Request, desk: AtDesk) -> View:
    """Signed like the alerts; the same receipt twice is taken once."""
    body = await request.body()
    return await run_in_threadpool(desk.receipts, dict(request.headers), body)
