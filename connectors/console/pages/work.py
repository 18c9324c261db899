"""`/incidents/ID/work`: stages, who is responsible, tasks, notifications; `/tasks`: every open task."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, render
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, SAID, SEE_OTHER, back, draw, filled
from models.core.casework import ProductKind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Said = Annotated[str, Query(max_length=1000)]
Unit = Annotated[str, Query(max_length=200)]
Words = Annotated[dict[str, str], Body(description="by：值班表中的人；其余为该操作的字段，都是文字。")]


@router.get("/incidents/{incident_id}/work")
def work(request: Request, desk: AtDesk, incident_id: str, said: Said = "") -> Response:
    view = desk.work.overview(incident_id)
    return draw(request, desk, "work.html", view["id"], view, said, product_kinds=tuple(ProductKind))


@router.post("/incidents/{incident_id}/work/acts/{name}")
def act(request: Request, desk: AtDesk, incident_id: str, name: str, fields: Fields) -> Response:
    view = desk.work.act(name, incident_id, fields, actor(request))
    return back(view["id"], "work", view)


@router.get("/tasks")
def tasks(request: Request, desk: AtDesk, unit: Unit = "", said: Said = "") -> Response:
    return render(request, "tasks.html", view=desk.work.list(unit), told=said[:SAID])


@router.post("/tasks/acts/{name}")
def task(request: Request, desk: AtDesk, name: str, fields: Fields) -> Response:
    """On a task of an incident where the form names one, else on the list's own."""
    incident = fields.pop("incident", "")
    by = actor(request)
    view = desk.work.act(name, incident, fields, by) if incident else desk.work.task(name, fields, by)
    return RedirectResponse(f"/tasks?{urlencode({'said': view['said'][:SAID]})}", SEE_OTHER)


@api.get("/incidents/{incident_id}/work", tags=["看"], summary="阶段、责任、任务、通报", responses=REFUSED)
def work_json(desk: AtDesk, incident_id: str) -> View:
    return desk.work.overview(incident_id)


@api.post("/incidents/{incident_id}/work/acts/{name}", tags=["做"], summary="办理", responses=REFUSED)
def act_json(request: Request, desk: AtDesk, incident_id: str, name: str, body: Words) -> View:
    """name: stage 换阶段(to, text, reason)，product 写成果(kind, text)，claim 认领，reject 退回(reason, instead)，
    transfer 移交(to, reason)，receipt 登记回执(to, receipt, at)，add 加任务(name, unit, due, must)，
    done 完成(task, result)，drop 核销(task, reason)。"""
    by = actor(request, body.pop("by", ""))
    return desk.work.act(name, incident_id, filled(body), by)


@api.get("/tasks", tags=["看"], summary="全部未完成的任务，按单位，逾期的在前")
def tasks_json(desk: AtDesk, unit: Unit = "") -> View:
    return desk.work.list(unit)


@api.post("/tasks/acts/{name}", tags=["做"], summary="不属于任何事件的任务", responses=REFUSED)
def task_json(request: Request, desk: AtDesk, name: str, body: Words) -> View:
    """name: add 加任务(name, unit, due)，done 完成(task, result)，drop 核销(task, reason)。"""
    by = actor(request, body.pop("by", ""))
    return desk.work.task(name, filled(body), by)
