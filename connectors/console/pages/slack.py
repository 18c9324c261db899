"""`/hooks/slack/…`: Slack's events, presses and forms, commands; signed by Slack, each done once.

Slack waits three seconds: it is taken down and answered, then done.
"""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.console.context import AtDesk

router = APIRouter(prefix="/hooks/slack", include_in_schema=False)

LONGEST = 512 * 1024
"""Bytes. Slack's own requests are far smaller."""


@router.post("/{door}")
async def slack(
    request: Request, desk: AtDesk, door: Literal["events", "actions", "commands"], later: BackgroundTasks
) -> Response:
    body = await _bounded(request)
    answer, key = await run_in_threadpool(desk.slack.received, door, dict(request.headers), body)
    if key:
        later.add_task(desk.slack.work, key)
    # an empty body closes a form and says nothing to a command; "{}" would be shown by neither
    return JSONResponse(answer, background=later) if answer else Response(status_code=200, background=later)


async def _bounded(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise HTTPException(413, "内容超过 512 KB，没有执行。")
    return body
