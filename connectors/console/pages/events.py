"""`/events`: server-sent events that say what has changed; pages other than the board then ask for it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.console.context import console_of
from connectors.console.gate import while_in
from connectors.console.pages.board import look_of

router = APIRouter(include_in_schema=False)


@router.get("/events")
async def events(request: Request, since: str = "", board: bool = False) -> Response:
    """Resumes after Last-Event-ID (a dropped line), else after `since` (what the page shows).
    `board`: with what changes on the board that the rest of the query asks for."""
    seen = request.headers.get("last-event-id") or since
    stream = console_of(request).pulse.stream(seen, look_of(request) if board else None)
    heard = while_in(request, stream)
    return StreamingResponse(heard, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
