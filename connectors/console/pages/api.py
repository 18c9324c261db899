"""`/api/v1`: what the pages show and do, as JSON."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console import views
from connectors.console.context import AtDesk, Once, actor
from connectors.console.desk import ACTS, Unknown, View
from connectors.console.pages.dossiers import ZIP
from connectors.console.pages.incident import whole
from connectors.uploads import ending, served
from models.core.boards import Wanted

_READ = ("application/warc", "text/plain; charset=utf-8")
"""What our own looks kept; all else a person handed in."""
_HASH = re.compile(r"[0-9a-f]{64}")
router = APIRouter(prefix="/api/v1")
docs = APIRouter(include_in_schema=False)

_ERROR: dict[str, Any] = {
    "content": {"application/json": {"example": {"error": "一句话：哪里不对，怎么办"}}},
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    403: {"description": "没有说明是谁，或来自别的网站", **_ERROR},
    404: {"description": "没有这个事件或操作", **_ERROR},
    409: {"description": "规则不允许，原因照原话", **_ERROR},
}

ActBody = Annotated[
    dict[str, str],
    Body(
        description="by：值班表中的人（不写则取 cookie）；其余为该操作的字段，都是文字。",
        openapi_examples={
            "ack": {"summary": "签收", "value": {"by": "chen"}},
            "grade": {"summary": "定级", "value": {"by": "li", "grade": "II", "reason": "死亡人数经核实"}},
            "stop": {
                "summary": "加凭据",
                "value": {
                    "by": "chen",
                    "kind": "published_statement",
                    "url": "https://example.gov.cn/tongbao/1",
                    "publisher": "市政府新闻办",
                    "published_at": "2026-11-21T06:20+08:00",
                },
            },
            "waive": {
                "summary": "免除",
                "value": {"by": "li", "clock": "press_conference", "reason": "省级统一发布"},
            },
        },
    ),
]


@router.get("/incidents", tags=["看"], summary="事件，一页一页，新立的在前")
def incidents(
    desk: AtDesk,
    state: Annotated[Literal["open", "closed", "all"], Query(description="未结、已结、全部")] = "open",
    before: Annotated[str, Query(max_length=40, description="上一页的 next；不写即最新的")] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="最多几起")] = 50,
) -> View:
    """`next` 不为空时，用 before=next 取下一页；翻页途中新立的事件不打乱次序。"""
    return desk.listing.incidents(state, before, limit)


@router.get("/proposals", tags=["看"], summary="待采信的本单位发布")
def proposals(
    desk: AtDesk, every: Annotated[bool, Query(description="连已处理的一起看，最多 500 条")] = False
) -> View:
    return desk.listing.proposals(every)


@router.get("/incidents/{incident_id}", tags=["看"], summary="一个事件的全部", responses={404: _ERRORS[404]})
def incident(desk: AtDesk, incident_id: str) -> View:
    return whole(desk, incident_id)


@router.get("/mine/{person_id}", tags=["看"], summary="一个人手上的事件")
def mine(desk: AtDesk, person_id: str) -> View:
    return desk.mine(person_id)


@router.get("/people", tags=["看"], summary="值班的人")
def people(desk: AtDesk) -> list[View]:
    return desk.people()


@router.get("/sources", tags=["看"], summary="信源及其状态")
def sources(desk: AtDesk) -> list[View]:
    return desk.sources()


@router.get("/coverage", tags=["看"], summary="系统自身是否看得见、叫得到人")
def coverage(desk: AtDesk) -> View:
    view: View = desk.board(Wanted(limit=1))["coverage"]
    return view


@router.get("/roster", tags=["看"], summary="今晚的值班阶梯")
def roster(desk: AtDesk) -> View:
    return desk.roster()


@router.get("/handover", tags=["看"], summary="最近的交接班，新的在前")
def handover(desk: AtDesk) -> View:
    return desk.handover()


@router.post("/handover/{handover_id}/acts/{name}", tags=["做"], summary="交接班", responses=_ERRORS)
def hand(request: Request, desk: AtDesk, handover_id: str, name: str, body: ActBody) -> View:
    """name: accept 接班(note 可选), note 写备注(text)。"""
    by = actor(request, body.pop("by", ""))
    return desk.hand(name, handover_id, _filled(body), by)


@router.get(
    "/snapshots/{sha256}",
    tags=["看"],
    summary="凭据的存档：网页(WARC)、文本或文件",
    responses={404: _ERRORS[404]},
)
def snapshot(desk: AtDesk, sha256: str) -> Response:
    """The very bytes that the hash was taken of; always a download, never shown as a page of ours."""
    found = desk.snapshot(sha256) if _HASH.fullmatch(sha256) else None
    if found is None:
        raise Unknown(f"没有哈希为 {sha256[:64]} 的存档；请从事件页的凭据进入。")
    content, media_type = found
    if media_type == ZIP:
        raise Unknown("这是证据包；请从事件的“辟谣移交”页下载。")
    if media_type not in _READ:
        return Response(content, headers=served(f"{sha256[:16]}{ending(media_type)}", media_type))
    name = f"{sha256[:16]}{'.warc.gz' if media_type == 'application/warc' else '.txt'}"
    shown = "application/gzip" if media_type == "application/warc" else "text/plain; charset=utf-8"
    return Response(
        content, media_type=shown, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@router.post("/incidents", tags=["做"], summary="立案", status_code=201, responses=_ERRORS)
def open_incident(request: Request, desk: AtDesk, body: ActBody, once: Once = "") -> View:
    by = actor(request, body.pop("by", ""))
    return desk.act("open", "", _filled(body), by, once)


_NAMED = "，".join(f"{name} {zh}" for name, zh in ACTS.items() if name != "open")


@router.post(
    "/incidents/{incident_id}/acts/{name}",
    tags=["做"],
    summary="人的操作",
    description=f"name：{_NAMED}。各自的字段与命令行同名的选项相同。",
    responses=_ERRORS,
)
def act(request: Request, desk: AtDesk, incident_id: str, name: str, body: ActBody, once: Once = "") -> View:
    if name not in ACTS or name == "open":
        raise Unknown(f"没有 “{name[:40]}” 这个操作；可用的有 {'、'.join(a for a in ACTS if a != 'open')}。")
    by = actor(request, body.pop("by", ""))
    return desk.act(name, incident_id, _filled(body), by, once)


def _filled(body: dict[str, str]) -> dict[str, str]:
    return {key: value.strip() for key, value in body.items() if value.strip()}


@docs.get("/api/docs", response_class=HTMLResponse)
def documentation() -> Response:
    return views.page("docs.html")
