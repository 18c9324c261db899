"""`/levels`: the lower installations side by side, what came from others and what was sent to them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, render
from connectors.console.desk import View
from connectors.console.pages.rooms import REFUSED, SAID, SEE_OTHER, filled

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
door = APIRouter(include_in_schema=False)
Said = Annotated[str, Query(max_length=1000)]
Words = Annotated[dict[str, str], Body(description="by：值班表中的人；其余为该操作的字段，都是文字。")]


@router.get("/levels")
def levels(request: Request, desk: AtDesk, said: Said = "") -> Response:
    return render(request, "levels.html", view=desk.levels.overview(), told=said[:SAID])


@router.get("/fragments/levels")
def levels_fragment(request: Request, desk: AtDesk) -> Response:
    """Asked for again and again: who falls silent while the page is open is seen to."""
    return render(request, "fragments/levels.html", view=desk.levels.overview(), fragment=True)


@router.get("/levels/referrals/{referral_id}")
def referral(request: Request, desk: AtDesk, referral_id: str, said: Said = "") -> Response:
    return render(request, "referral.html", view=desk.levels.one(referral_id), told=said[:SAID])


@router.post("/levels/referrals/{referral_id}/acts/{name}")
def act(request: Request, desk: AtDesk, referral_id: str, name: str, fields: Fields) -> Response:
    done = desk.levels.act(name, referral_id, fields, actor(request))
    home = f"/levels/referrals/{quote(done['id'], safe='')}"
    return RedirectResponse(f"{home}?{urlencode({'said': done['said'][:SAID]})}", SEE_OTHER)


@api.get("/levels", tags=["看"], summary="上下级：下级的态势、收发的移送")
def levels_json(desk: AtDesk) -> View:
    return desk.levels.overview()


@api.get("/levels/referrals/{referral_id}", tags=["看"], summary="一件移送的全部", responses=REFUSED)
def referral_json(desk: AtDesk, referral_id: str) -> View:
    return desk.levels.one(referral_id)


@api.post(
    "/levels/referrals/{referral_id}/acts/{name}", tags=["做"], summary="接收、退回、已阅", responses=REFUSED
)
def act_json(request: Request, desk: AtDesk, referral_id: str, name: str, body: Words) -> View:
    """name: accept 接收(reason, clocks)，return 退回(reason)，note 已阅(reason)。"""
    by = actor(request, body.pop("by", ""))
    return desk.levels.act(name, referral_id, filled(body), by)


@door.post("/hooks/levels")
async def letter(request: Request, desk: AtDesk) -> Response:
    """A neighbour's signed letter; 200 with our signed answer once it is in the database."""
    raw = await request.body()
    answer = await run_in_threadpool(desk.levels.take, raw)
    return Response(answer, media_type="application/json")
