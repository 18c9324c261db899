"""What every handler needs of the running console: the desk, the pulse, who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from connectors.console import tongue, views
from connectors.console.desk import Desk, View
from connectors.console.errors import NoPerson
from connectors.console.pulse import Pulse
from models.core.moment import iso

COOKIE: Final = "huiying_person"
_ASK: Final = "还不知道您是谁。请先选择值班人，再操作：每个操作都要记在一个人名下。"


@dataclass
class Console:
    """One per app, at `app.state.console`. `frame` holds what stays the same: site and speed."""

    desk: Desk
    pulse: Pulse
    frame: dict[str, Any] = field(default_factory=dict)

    def framed(self, board: View | None = None) -> dict[str, Any]:
        if not self.frame:
            board = board or self.desk.board()
            self.frame = {"site": board["site"], "speed": board["speed"]}
        return self.frame


def console_of(request: Request) -> Console:
    console: Console = request.app.state.console
    return console


def desk_of(request: Request) -> Desk:
    return console_of(request).desk


AtDesk = Annotated[Desk, Depends(desk_of)]


def render(request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A whole page or a fragment, with the frame: site, speed, now, revision, people, who I am."""
    console = console_of(request)
    tongue.LANGUAGE.set(tongue.chosen(request.cookies.get(tongue.COOKIE, "")))
    moment = console.desk.now()
    people = console.desk.people()
    frame = {
        **console.framed(),
        "wall": views.hm(moment),
        "now": iso(moment),
        "revision": console.desk.revision(),
        "people": people,
        "me": find(people, cookie_person(request)),
        "path": request.url.path,
        "lang": tongue.LANGUAGE.get(),
        "fragment": False,
        "keep_forms": False,
        "said": "",
    }
    return views.page(name, status, **{**frame, **context})


def cookie_person(request: Request) -> str:
    return unquote(request.cookies.get(COOKIE, ""))


def cookie_value(person_id: str) -> str:
    return quote(person_id, safe="")


def find(people: list[View], person_id: str) -> View | None:
    return next((p for p in people if p["id"] == person_id), None)


def actor(request: Request, named: str = "") -> str:
    """The id of who acts: `named` (API only) or the cookie's. Raises NoPerson."""
    wanted = named or cookie_person(request)
    if not wanted:
        raise NoPerson(_ASK)
    if find(desk_of(request).people(), wanted) is None:
        raise NoPerson(f"值班表里没有 “{wanted[:40]}”。请重新选择值班人。")
    return wanted


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of a posted form, stripped; empty ones are left out."""
    form = await request.form(max_files=0, max_fields=40)
    return {k: v.strip() for k, v in form.items() if isinstance(v, str) and v.strip()}


Fields = Annotated[dict[str, str], Depends(form_fields)]
