"""`/incidents/ID/meetings`: press conferences from booking to transcript, and promised updates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, Fields, actor
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, back, draw

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Said = Annotated[str, Query(max_length=1000)]
Words = Annotated[dict[str, str], Body(description="by：值班表中的人；其余为该操作的字段，都是文字。")]


@router.get("/incidents/{incident_id}/meetings")
def meetings(request: Request, desk: AtDesk, incident_id: str, said: Said = "") -> Response:
    return draw(request, desk, "meetings.html", incident_id, desk.meetings.overview(incident_id), said)


@router.post("/incidents/{incident_id}/meetings/acts/{name}")
def act(request: Request, desk: AtDesk, incident_id: str, name: str, fields: Fields) -> Response:
    view = desk.meetings.act(name, incident_id, fields, actor(request))
    return back(view["incident_id"], "meetings", view)


@api.get("/incidents/{incident_id}/meetings", tags=["看"], summary="发布会与续报承诺", responses=REFUSED)
def meetings_json(desk: AtDesk, incident_id: str) -> View:
    return desk.meetings.overview(incident_id)


@api.post(
    "/incidents/{incident_id}/meetings/acts/{name}", tags=["做"], summary="发布会与承诺", responses=REFUSED
)
def act_json(request: Request, desk: AtDesk, incident_id: str, name: str, body: Words) -> View:
    """name: book 预约(kind, starts_at, place)，move 改期，speaker 发言人，notice 通知媒体，ask 加问题，answer 答复，
    held 已举行，transcript 文字实录，cancel 取消，promise 承诺续报(due_at, text)，drop 撤回承诺。"""
    by = actor(request, body.pop("by", ""))
    return desk.meetings.act(name, incident_id, {k: v.strip() for k, v in body.items() if v.strip()}, by)
