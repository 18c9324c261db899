"""`/audit`: the journal with filters, the chain's standing, and both taken out as a file."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse

from connectors.console.context import AtDesk, Fields, actor, render
from connectors.console.desk import LARGEST, View
from connectors.console.desks.auditing import FILTERS, Export
from connectors.console.pages.rooms import REFUSED, filled

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Limit = Annotated[int, Query(ge=1, le=500, description="最多几条")]
Before = Annotated[int | None, Query(ge=1, le=LARGEST, description="只看序号小于它的：上一页的 next")]
Word = Annotated[str, Query(max_length=200)]


def _asked(
    kind: Annotated[str, Query(max_length=200, description="类别代码，如 acknowledged")] = "",
    actor: Annotated[str, Query(max_length=200, description="人员标识，如 chen")] = "",
    incident: Annotated[str, Query(max_length=200, description="事件编号，如 2026-0012")] = "",
    since: Annotated[str, Query(alias="from", max_length=40, description="自，日期或时间")] = "",
    until: Annotated[str, Query(alias="to", max_length=40, description="至，日期或时间")] = "",
    text: Annotated[str, Query(max_length=200, description="内容或理由里的词")] = "",
) -> dict[str, str]:
    return filled(dict(zip(FILTERS, (kind, actor, incident, since, until, text), strict=True)))


Asked = Annotated[dict[str, str], Depends(_asked)]


@router.get("/audit")
def audit(
    request: Request, desk: AtDesk, asked: Asked, limit: Limit = 100, before: Before = None
) -> Response:
    view = desk.auditing.overview(asked, limit, before)
    here = urlencode({**asked, "limit": limit})
    boxes = {name: asked.get(name, "") for name in FILTERS}
    return render(request, "audit.html", audit=view, asked=asked, boxes=boxes, here=here, before=before)


def _whose(
    account: Annotated[str, Query(max_length=200, description="账号")] = "",
    since: Annotated[str, Query(alias="from", max_length=40, description="自，日期或时间")] = "",
    until: Annotated[str, Query(alias="to", max_length=40, description="至，日期或时间")] = "",
) -> dict[str, str]:
    return filled({"account": account, "from": since, "to": until})


Whose = Annotated[dict[str, str], Depends(_whose)]


@router.get("/audit/signins")
def signins(
    request: Request, desk: AtDesk, asked: Whose, limit: Limit = 100, before: Before = None
) -> Response:
    view = desk.auditing.signins(asked, limit, before)
    boxes = {name: asked.get(name, "") for name in ("account", "from", "to")}
    here = urlencode({**asked, "limit": limit})
    return render(request, "signins.html", view=view, asked=asked, boxes=boxes, here=here, before=before)


@router.post("/audit/export")
def export(request: Request, desk: AtDesk, fields: Fields) -> Response:
    """A form and no link: what is taken out is written down under the name of who took it."""
    by = actor(request)
    return _sent(desk.auditing.export(fields, fields.get("form", "csv"), by, fields.get("reason", "")))


def _sent(made: Export) -> Response:
    form = made.name.rpartition(".")[2]
    named = f"attachment; filename=\"audit.{form}\"; filename*=UTF-8''{quote(made.name, safe='')}"
    return StreamingResponse(made.lines, media_type=made.media_type, headers={"Content-Disposition": named})


# ── the same as JSON ──────────────────────────────────────────────────────────────────────────

_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "文件，边写边发", "content": {"text/csv": {}, "application/x-ndjson": {}}}
}
_Wish = Annotated[
    dict[str, str],
    Body(
        description="by：值班表中的人；form：csv 或 jsonl；kind、actor、incident、from、to、text、reason 可选。"
    ),
]


@api.get("/audit", tags=["看"], summary="日志链，新的在前", responses=REFUSED)
def audit_json(desk: AtDesk, asked: Asked, limit: Limit = 100, before_seq: Before = None) -> View:
    """按类别、人、事件、时间、词筛选；`next` 不为空时，用 before_seq=next 取下一页。按词检索一次最多看
    20,000 条，`looked_to` 是看到的最早一条。"""
    return desk.auditing.overview(asked, limit, before_seq)


@api.get("/audit/signins", tags=["看"], summary="登录记录，新的在前", responses=REFUSED)
def signins_json(desk: AtDesk, asked: Whose, limit: Limit = 100, before: Before = None) -> View:
    """谁、何时、从哪里登录，成没成。没有登录的站点为空。`next` 不为空时，用 before=next 取下一页。"""
    return desk.auditing.signins(asked, limit, before)


@api.post(
    "/audit/export", tags=["做"], summary="导出日志", response_class=Response, responses={**_FILE, **REFUSED}
)
def export_json(request: Request, desk: AtDesk, body: _Wish) -> Response:
    """导出本身记入日志：谁、按什么筛选、多少条。个人信息已遮盖。"""
    by, said = actor(request, body.pop("by", "")), filled(body)
    return _sent(desk.auditing.export(said, said.get("form", "csv"), by, said.get("reason", "")))
