"""`/incidents/ID/aftermath`: the chain of times with its sources, what was late and why, lessons."""

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


@router.get("/incidents/{incident_id}/aftermath")
def aftermath(request: Request, desk: AtDesk, incident_id: str, said: Said = "") -> Response:
    return draw(request, desk, "aftermath.html", incident_id, desk.aftermath.overview(incident_id), said)


@router.post("/incidents/{incident_id}/aftermath/acts/{name}")
def act(request: Request, desk: AtDesk, incident_id: str, name: str, fields: Fields) -> Response:
    view = desk.aftermath.act(name, incident_id, fields, actor(request))
    return back(view["incident"], "aftermath", view)


@api.get(
    "/incidents/{incident_id}/aftermath", tags=["看"], summary="时间链、逾期原因、教训", responses=REFUSED
)
def aftermath_json(desk: AtDesk, incident_id: str) -> View:
    return desk.aftermath.overview(incident_id)


@api.post("/incidents/{incident_id}/aftermath/acts/{name}", tags=["做"], summary="复盘", responses=REFUSED)
def act_json(request: Request, desk: AtDesk, incident_id: str, name: str, body: Words) -> View:
    """name: cause 逾期原因(clock, cause, words)，lesson 复盘(text)，improve 整改任务(name, unit, due_at)，
    lookback 回头看(text)。"""
    by = actor(request, body.pop("by", ""))
    return desk.aftermath.act(name, incident_id, {k: v.strip() for k, v in body.items() if v.strip()}, by)
