"""`/incidents/ID/dossiers`: evidence packages of a rumour, their hand-over form and receipt."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, Fields, actor
from connectors.console.desk import Unknown, View
from connectors.console.pages.rooms import REFUSED, back, draw
from connectors.uploads import served

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
ZIP = "application/zip"
Said = Annotated[str, Query(max_length=1000)]
Words = Annotated[dict[str, str], Body(description="by：值班表中的人；其余为该操作的字段，都是文字。")]


@router.get("/incidents/{incident_id}/dossiers")
def dossiers(request: Request, desk: AtDesk, incident_id: str, said: Said = "") -> Response:
    return draw(request, desk, "dossiers.html", incident_id, desk.dossiers.overview(incident_id), said)


@router.get("/incidents/{incident_id}/dossiers/{dossier_id}/form")
def form(request: Request, desk: AtDesk, incident_id: str, dossier_id: str) -> Response:
    """The hand-over form alone, to be printed."""
    view = desk.dossiers.overview(incident_id)
    found = next((one for one in view["dossiers"] if one["id"] == dossier_id and one["form"]), None)
    if found is None:
        raise Unknown("没有这份移交单。请先在“辟谣移交”页登记移交。")
    return draw(request, desk, "dossier_form.html", incident_id, found, "")


@router.post("/incidents/{incident_id}/dossiers/acts/{name}")
def act(request: Request, desk: AtDesk, incident_id: str, name: str, fields: Fields) -> Response:
    view = desk.dossiers.act(name, incident_id, fields, actor(request))
    return back(view["incident_id"], "dossiers", view)


@api.get("/incidents/{incident_id}/dossiers", tags=["看"], summary="证据包与移交", responses=REFUSED)
def dossiers_json(desk: AtDesk, incident_id: str) -> View:
    return desk.dossiers.overview(incident_id)


@api.post(
    "/incidents/{incident_id}/dossiers/acts/{name}", tags=["做"], summary="证据包与移交", responses=REFUSED
)
def act_json(request: Request, desk: AtDesk, incident_id: str, name: str, body: Words) -> View:
    """name: make 制作(signals 可选)，hand 移交(dossier, to, reason)，receipt 回执(dossier, number)，follow 后续。"""
    by = actor(request, body.pop("by", ""))
    return desk.dossiers.act(name, incident_id, {k: v.strip() for k, v in body.items() if v.strip()}, by)


@api.get("/dossiers/{dossier_id}", tags=["看"], summary="证据包本身(zip)", responses=REFUSED)
def content(desk: AtDesk, dossier_id: str) -> Response:
    found, name = desk.dossiers.content(dossier_id)
    return Response(found, headers=served(name, ZIP))
