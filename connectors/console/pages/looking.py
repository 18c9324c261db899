"""Pages to look at: each asks the desk once and draws. The board has a module of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, console_of, cookie_person, render
from connectors.console.desk import Desk, Unknown, View

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/incidents/new")
def new_incident(request: Request) -> Response:
    return render(request, "new.html")


def known(desk: Desk, incident_id: str) -> View:
    view = desk.incident(incident_id)
    if view is None:
        raise Unknown(f"没有编号为 “{incident_id[:40]}” 的事件。它可能已并入别的事件，请回到态势页查找。")
    return view


@router.get("/mine")
def mine(request: Request) -> Response:
    return draw_mine(request, "mine.html")


@router.get("/fragments/mine")
def mine_fragment(request: Request) -> Response:
    return draw_mine(request, "fragments/mine.html", fragment=True)


def draw_mine(request: Request, template: str, **context: Any) -> Response:
    desk, person = console_of(request).desk, cookie_person(request)
    known_person = any(p["id"] == person for p in desk.people())
    view = desk.mine(person) if known_person else {"person": None, "incidents": []}
    return render(request, template, view=view, kit=desk.phone.kit(), **context)


@router.get("/me")
def who_am_i(request: Request, back: str = "/") -> Response:
    return render(request, "me.html", back=back)


@router.get("/sources")
def sources(request: Request, desk: AtDesk) -> Response:
    return render(request, "sources.html", sources=desk.sources())


@router.get("/roster")
def roster(request: Request, desk: AtDesk) -> Response:
    return render(request, "roster.html", roster=desk.roster())
