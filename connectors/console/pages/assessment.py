"""`/assessment`: scores, ranks and what may be held against a unit, worked out of the journal alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, render
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Since = Annotated[str, Query(alias="from", max_length=40)]
Until = Annotated[str, Query(alias="to", max_length=40)]


def _span(since: str, until: str) -> dict[str, str]:
    return {name: text.strip() for name, text in (("from", since), ("to", until)) if text.strip()}


@router.get("/assessment")
def assessment(request: Request, desk: AtDesk, since: Since = "", until: Until = "") -> Response:
    view = desk.assessment.assess(_span(since, until))
    return render(request, "assessment.html", view=view, since=since, until=until)


@api.get("/assessment", tags=["看"], summary="考核，只由日志算出", responses=REFUSED)
def assessment_json(desk: AtDesk, since: Since = "", until: Until = "") -> View:
    """from、to 写日期或时间；不写即今年至今。"""
    return desk.assessment.assess(_span(since, until))
