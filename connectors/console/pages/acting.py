"""Forms that change something: every act has a person, comes from our own pages, and answers
either with the fresh part of the page (htmx) or by leading back to it (303)."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connectors.console.context import COOKIE, AtDesk, Fields, Once, actor, console_of, cookie_value, find
from connectors.console.desk import ACTS, Unknown
from connectors.console.errors import NoPerson
from connectors.console.pages.board import draw_acted
from connectors.console.pages.handover import draw_handover
from connectors.console.pages.incident import draw_fragment
from connectors.console.pages.looking import draw_mine

router = APIRouter(include_in_schema=False)
_SEE_OTHER = 303
_YEAR_S = 365 * 86400


@router.post("/me")
def i_am(request: Request, desk: AtDesk, fields: Fields) -> Response:
    """Remember on this device who is on duty. Accounts will take this place."""
    person = fields.get("person", "")
    if find(desk.people(), person) is None:
        raise NoPerson("值班表里没有这个人。请从名单中选择。")
    response = RedirectResponse(inside(fields.get("back", "/")), _SEE_OTHER)
    response.set_cookie(
        COOKIE, cookie_value(person), max_age=_YEAR_S, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


def inside(path: str) -> str:
    """`path` when it stays on this site, else the board: no open redirect."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and not urlsplit(path).netloc else "/"


@router.post("/incidents")
def open_incident(request: Request, desk: AtDesk, fields: Fields, once: Once = "") -> Response:
    done = desk.act("open", "", fields, actor(request), once)
    return RedirectResponse(f"/incidents/{done['id']}", _SEE_OTHER)


@router.post("/incidents/{incident_id}/acts/{name}")
def act(
    request: Request, desk: AtDesk, incident_id: str, name: str, fields: Fields, once: Once = ""
) -> Response:
    if name not in ACTS or name == "open":
        raise Unknown(f"没有 “{name[:40]}” 这个操作。请用页面上的按钮。")
    by = actor(request)
    view = fields.pop("view", "incident")
    desk.act(name, incident_id, fields, by, once)
    console_of(request).pulse.poke()  # the other screens need not wait for this one's answer
    if not request.headers.get("hx-request"):
        return RedirectResponse(_home(view, incident_id), _SEE_OTHER)
    return fresh(request, desk, view, incident_id, f"已{ACTS[name]}")


_HANDS = {"accept": "已接班", "note": "已写入备注"}
"""What people do to a hand-over, and what the page says then."""


@router.post("/handover/{handover_id}/acts/{name}")
def hand(request: Request, desk: AtDesk, handover_id: str, name: str, fields: Fields) -> Response:
    if name not in _HANDS:
        raise Unknown(f"交接没有 “{name[:40]}” 这个操作。请用页面上的按钮。")
    desk.hand(name, handover_id, fields, actor(request))
    if not request.headers.get("hx-request"):
        return RedirectResponse("/handover", _SEE_OTHER)
    return draw_handover(request, "fragments/handover.html", fragment=True, said=_HANDS[name])


def _home(view: str, incident_id: str) -> str:
    rooms = {"board": "/", "mine": "/mine", "work": f"/incidents/{incident_id}/work"}
    return rooms.get(view, f"/incidents/{incident_id}")


def fresh(request: Request, desk: AtDesk, view: str, incident_id: str, said: str) -> Response:
    """The changed part of the page that the act came from, with what was done."""
    if view == "board":
        return draw_acted(request, incident_id, said)
    if view == "mine":
        return draw_mine(request, "fragments/mine.html", fragment=True, said=said)
    return draw_fragment(request, desk, incident_id, said)
