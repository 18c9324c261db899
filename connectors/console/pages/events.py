"""`/events`: server-sent events that say the board has changed; the page then asks for it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from connectors.console.context import console_of

router = APIRouter(include_in_schema=False)


@router.get("/events")
async def events(request: Request, since: str = "") -> Response:
    """Resumes after Last-Event-ID (a dropped line), else after `since` (what the page shows)."""
    seen = _number(request.headers.get("last-event-id") or since)
    stream = console_of(request).pulse.stream(seen)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _number(text: str) -> int | None:
    try:
        return int(text[:20])
    except ValueError:
        return None
