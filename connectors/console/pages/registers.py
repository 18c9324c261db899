"""`/registers`: the year's registers and counters, 督办 and 问责, and the forms that keep them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, render
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, SEE_OTHER, filled

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
Kind = Annotated[str, Query(max_length=40)]
Said = Annotated[str, Query(max_length=200)]
Words = Annotated[dict[str, str], Body(description="by：值班表中的人；其余为该操作的字段，都是文字。")]
SAID = {
    "add": "已登记",
    "done": "已办结",
    "cancel": "已作废",
    "issue": "已下达督办",
    "answer": "已记下答复",
    "decide": "已决定",
    "file": "已补备案号",
    "consult": "已记下征求意见，其间不计期限",
    "consulted": "意见已到，期限继续计算",
    "extend": "已延长 20 个工作日",
    "mend": "已记下补正告知",
    "supplemented": "已收到补正，期限重新起算",
}


@router.get("/registers")
def registers(
    request: Request, desk: AtDesk, kind: Kind = "", every: bool = False, said: Said = ""
) -> Response:
    view = desk.registers.overview(kind, everything=every or bool(kind))
    return render(request, "registers.html", view=view, every=every, told=said)


@router.get("/registers/{entry_id}")
def entry(request: Request, desk: AtDesk, entry_id: str, said: Said = "") -> Response:
    found = desk.registers.entry(entry_id)
    return render(request, "register.html", entry=found, told=said)


@router.post("/registers")
def add(request: Request, desk: AtDesk, fields: Fields) -> Response:
    made = desk.registers.act("add", "", fields, actor(request))
    return _back(made, "add")


@router.post("/registers/{entry_id}/acts/{name}")
def act(request: Request, desk: AtDesk, entry_id: str, name: str, fields: Fields) -> Response:
    return _back(desk.registers.act(name, entry_id, fields, actor(request)), name)


def _back(made: View, name: str) -> Response:
    home = f"/registers/{quote(made['id'], safe='')}"
    return RedirectResponse(f"{home}?{urlencode({'said': SAID.get(name, '已完成')})}", SEE_OTHER)


@api.get("/registers", tags=["看"], summary="台账、年度计数、督办", responses=REFUSED)
def registers_json(desk: AtDesk, kind: Kind = "", every: bool = True) -> View:
    return desk.registers.overview(kind, everything=every)


@api.get("/registers/{entry_id}", tags=["看"], summary="一项台账及其经过", responses=REFUSED)
def entry_json(desk: AtDesk, entry_id: str) -> View:
    return desk.registers.entry(entry_id)


@api.post("/registers", tags=["做"], summary="登记一项台账", status_code=201, responses=REFUSED)
def add_json(request: Request, desk: AtDesk, body: Words) -> View:
    by = actor(request, body.pop("by", ""))
    return desk.registers.act("add", "", filled(body), by)


@api.post("/registers/{entry_id}/acts/{name}", tags=["做"], summary="台账的操作", responses=REFUSED)
def act_json(request: Request, desk: AtDesk, entry_id: str, name: str, body: Words) -> View:
    """name: done 办结(result)，cancel 作废(reason)，issue 下达督办，answer 督办答复(text)，file 补备案号(filing_no)，
    decide 决定问责(finding, reason)；
    依申请公开: consult 征求意见，consulted 意见已到，extend 延长(reason)，mend 补正告知，
    supplemented 收到补正。
    """
    by = actor(request, body.pop("by", ""))
    return desk.registers.act(name, entry_id, filled(body), by)
