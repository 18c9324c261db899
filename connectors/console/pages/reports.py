"""`/reports`: every report as a file at one click; the same under `/api/v1/reports`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, render
from connectors.console.desk import View
from connectors.console.desks.reports import File
from connectors.console.pages.rooms import REFUSED

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1", tags=["报告"])
Word = Annotated[str, Query(max_length=40)]
Since = Annotated[str, Query(alias="from", max_length=40)]
Until = Annotated[str, Query(alias="to", max_length=40)]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "文件", "content": {"application/octet-stream": {}}}
}


def _wish(incident: str, period: str, since: str, until: str) -> dict[str, str]:
    """What was asked for; dates go before a period that the form had filled in."""
    said = {"incident": incident, "period": "" if since else period, "from": since, "to": until}
    return {name: text.strip() for name, text in said.items() if text.strip()}


@router.get("/reports")
def reports(request: Request, desk: AtDesk, incident: Word = "") -> Response:
    return render(request, "reports.html", view=desk.reports.overview(), chosen=incident)


@router.get("/reports/file")
def report(
    desk: AtDesk,
    kind: Word,
    form: Word = "docx",
    incident: Word = "",
    period: Word = "",
    since: Since = "",
    until: Until = "",
) -> Response:
    return _sent(desk.reports.file(kind, form, _wish(incident, period, since, until)))


@api.get("/reports", summary="有哪些报告")
def kinds(desk: AtDesk) -> View:
    return desk.reports.overview()


@api.get("/reports/{kind}", summary="一份报告的数据", responses=REFUSED)
def data(
    desk: AtDesk, kind: str, incident: Word = "", period: Word = "", since: Since = "", until: Until = ""
) -> View:
    """期间写 2026、2026-H1、2026-Q3、2026-11、2026-W47、2026-11-21，或 from、to。"""
    return desk.reports.data(kind, _wish(incident, period, since, until))


@api.get(
    "/reports/{kind}/file", summary="一份报告的文件", response_class=Response, responses={**_FILE, **REFUSED}
)
def file(
    desk: AtDesk,
    kind: str,
    form: Word = "docx",
    incident: Word = "",
    period: Word = "",
    since: Since = "",
    until: Until = "",
) -> Response:
    return _sent(desk.reports.file(kind, form, _wish(incident, period, since, until)))


def _sent(made: File) -> Response:
    """As a download under its Chinese name (RFC 6266), and never kept on the way."""
    form = made.name.rpartition(".")[2]
    named = f"attachment; filename=\"report.{form}\"; filename*=UTF-8''{quote(made.name, safe='')}"
    headers = {"Content-Disposition": named, "Cache-Control": "no-store"}
    return Response(made.content, media_type=made.media_type, headers=headers)
