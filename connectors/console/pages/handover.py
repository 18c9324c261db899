"""`/handover`: what one shift leaves to the next, and `/handover/log`, the log of duty; the same under `/api/v1`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, console_of, render
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, SAID, SEE_OTHER, filled

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Day = Annotated[str, Query(max_length=20)]


@router.get("/handover")
def handover(request: Request) -> Response:
    return draw_handover(request, "handover.html")


@router.get("/fragments/handover")
def handover_fragment(request: Request) -> Response:
    return draw_handover(request, "fragments/handover.html", fragment=True)


def draw_handover(request: Request, template: str, **context: Any) -> Response:
    return render(request, template, view=console_of(request).desk.handover(), **context)


@router.get("/handover/log")
def log(request: Request, desk: AtDesk, day: Day = "", said: str = "") -> Response:
    return render(request, "dutylog.html", view=desk.dutylog.log(day), told=said[:SAID])


@router.post("/handover/log/acts/{name}")
def log_act(request: Request, desk: AtDesk, name: str, fields: Fields) -> Response:
    done = desk.dutylog.act(name, fields, actor(request))
    home = f"/handover/log?{urlencode({'day': done['day'], 'said': done['said'][:SAID]})}"
    return RedirectResponse(home, SEE_OTHER)


@api.get("/handover/log", tags=["看"], summary="值班日志，一天逐班", responses=REFUSED)
def log_json(desk: AtDesk, day: Day = "") -> View:
    """day 写 2026-11-21，不写为今天；夜班记在开始的那一天。文件用 reports/dutylog。"""
    return desk.dutylog.log(day)


LogBody = Annotated[
    dict[str, str],
    Body(
        description="by：值班表中的人（不写则取 cookie）；shift：那一班的 id。",
        openapi_examples={
            "note": {"summary": "记事", "value": {"by": "chen", "text": "22:10 消防支队来电，火势已控制"}},
            "sign": {"summary": "签字", "value": {"by": "li", "shift": "20261121T200000", "reason": "已阅"}},
        },
    ),
]


@api.post("/handover/log/acts/{name}", tags=["做"], summary="值班日志：记事、签字", responses=REFUSED)
def log_act_json(request: Request, desk: AtDesk, name: str, body: LogBody) -> View:
    """name: note 记事(text，shift 不写为当前一班)，sign 带班签字(shift，reason 可选)。"""
    by = actor(request, body.pop("by", ""))
    return desk.dutylog.act(name, filled(body), by)
