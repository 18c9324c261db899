"""`/incidents/ID/mood`: what was said before and after each publication."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, draw

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")


@router.get("/incidents/{incident_id}/mood")
def mood(request: Request, desk: AtDesk, incident_id: str) -> Response:
    return draw(request, desk, "mood.html", incident_id, desk.mood.overview(incident_id), "")


@api.get("/incidents/{incident_id}/mood", tags=["看"], summary="舆情走势", responses=REFUSED)
def mood_json(desk: AtDesk, incident_id: str) -> View:
    """发布前后等长时间内的声量、负面占比、话题和渠道；less|more 才是看得出的变化。"""
    return desk.mood.overview(incident_id)
