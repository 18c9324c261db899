"""Pages to look at: each asks the desk once and draws."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console.context import AtDesk, console_of, cookie_person, render
from connectors.console.desk import LARGEST, Desk, Unknown, View

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def board(request: Request) -> Response:
    return draw_board(request, "board.html")


@router.get("/fragments/board")
def board_fragment(request: Request) -> Response:
    return draw_board(request, "fragments/board.html", fragment=True)


def draw_board(request: Request, template: str, **context: Any) -> Response:
    view = console_of(request).desk.board()
    console_of(request).framed(view)
    return render(request, template, view=view, **{**_stamp(view), **context})


def _stamp(view: View) -> View:
    """A board states its own moment and revision: the page must show those, not later ones."""
    return {"now": view["now"], "revision": view["revision"], "site": view["site"], "speed": view["speed"]}


@router.get("/incidents/new")
def new_incident(request: Request) -> Response:
    return render(request, "new.html")


@router.get("/incidents/{incident_id}")
def incident(request: Request, desk: AtDesk, incident_id: str) -> Response:
    return render(request, "incident.html", incident=known(desk, incident_id))


@router.get("/fragments/incidents/{incident_id}")
def incident_fragment(request: Request, desk: AtDesk, incident_id: str) -> Response:
    """The parts that change. A page with an open form says so, and keeps that form."""
    keep = "x-keep-forms" in request.headers
    view = known(desk, incident_id)
    return render(request, "fragments/incident.html", incident=view, fragment=True, keep_forms=keep)


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
    return render(request, template, view=view, **context)


@router.get("/me")
def who_am_i(request: Request, back: str = "/") -> Response:
    return render(request, "me.html", back=back)


@router.get("/sources")
def sources(request: Request, desk: AtDesk) -> Response:
    return render(request, "sources.html", sources=desk.sources())


@router.get("/roster")
def roster(request: Request, desk: AtDesk) -> Response:
    return render(request, "roster.html", roster=desk.roster())


@router.get("/handover")
def handover(request: Request) -> Response:
    return draw_handover(request, "handover.html")


@router.get("/fragments/handover")
def handover_fragment(request: Request) -> Response:
    return draw_handover(request, "fragments/handover.html", fragment=True)


def draw_handover(request: Request, template: str, **context: Any) -> Response:
    return render(request, template, view=console_of(request).desk.handover(), **context)


@router.get("/audit")
def audit(
    request: Request,
    desk: AtDesk,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Response:
    return render(request, "audit.html", audit=desk.audit(limit, before), limit=limit, before=before)
