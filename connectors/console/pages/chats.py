"""`/hooks/feishu/CHANNEL` and `/hooks/wecom/CHANNEL`: presses of a card's buttons, encrypted and signed.

Both wait three to five seconds; a press is one short transaction. What only a message can say goes after it.
"""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from connectors.console.context import AtDesk

router = APIRouter(prefix="/hooks", include_in_schema=False)

LONGEST = 256 * 1024
"""Bytes. A press is a few hundred."""


@router.post("/feishu/{channel}")
async def feishu(request: Request, desk: AtDesk, channel: str) -> Response:
    body = await _bounded(request)
    return JSONResponse(await run_in_threadpool(desk.chats.feishu, channel, dict(request.headers), body))


@router.get("/wecom/{channel}")
async def wecom_greeting(request: Request, desk: AtDesk, channel: str) -> Response:
    """Asked once, when the address is entered in WeCom."""
    said = await run_in_threadpool(desk.chats.wecom_greeting, channel, dict(request.query_params))
    return PlainTextResponse(said)


@router.post("/wecom/{channel}")
async def wecom(request: Request, desk: AtDesk, channel: str, later: BackgroundTasks) -> Response:
    body = await _bounded(request)
    answer, told = await run_in_threadpool(desk.chats.wecom, channel, dict(request.query_params), body)
    if told:
        later.add_task(desk.chats.say, told)
    return Response(answer, media_type="application/xml" if answer else "text/plain", background=later)


async def _bounded(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise HTTPException(413, "内容超过 256 KB，没有执行。")
    return body
