"""What every handler needs of the running console: the desk, the pulse, who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote, urlsplit

from fastapi import Depends, Header
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse

from connectors.console import tongue, views
from connectors.console.desk import Desk, View
from connectors.console.errors import NoPerson
from connectors.console.gate import SAFE, has_accounts, who_of
from connectors.console.narrowed import narrowed
from connectors.console.pulse import Pulse
from models.core.boards import Wanted
from models.core.moment import iso

COOKIE: Final = "huiying_person"
DRAWN_FOR: Final = "Huiying-Me"
"""The header that names whom a page was drawn for, so that no copy of it is shown to another."""
_ASK: Final = "还不知道您是谁。请先选择值班人，再操作：每个操作都要记在一个人名下。"


@dataclass
class Console:
    """One per app, at `app.state.console`. `frame` holds what stays the same: site and speed."""

    desk: Desk
    pulse: Pulse
    frame: dict[str, Any] = field(default_factory=dict)

    def framed(self, board: View | None = None) -> dict[str, Any]:
        if not self.frame:
            board = board or self.desk.board(Wanted(limit=1))
            self.frame.update(site=board["site"], speed=board["speed"])
        return self.frame


def console_of(request: Request) -> Console:
    """The console as this request may see it: for an account of single units, its desk is narrowed."""
    console: Console = request.app.state.console
    who = who_of(request)
    if who is None or not (who.limited if request.method in SAFE else who.units):
        return console
    return Console(narrowed(console.desk, who.units), console.pulse, console.frame)


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
        "who": who_of(request),
        "path": request.url.path,
        "lang": tongue.LANGUAGE.get(),
        "fragment": False,
        "keep_forms": False,
        "said": "",
    }
    page = views.page(name, status, **{**frame, **context})
    page.headers[DRAWN_FOR] = quote(str((frame["me"] or {}).get("id", "")), safe="")
    return page


def cookie_person(request: Request) -> str:
    """Whose device this is: the signed-in account's person; without accounts, whoever was chosen on it."""
    if has_accounts(request):
        who = who_of(request)
        return who.person if who else ""
    return unquote(request.cookies.get(COOKIE, ""))


def cookie_value(person_id: str) -> str:
    return quote(person_id, safe="")


def find(people: list[View], person_id: str) -> View | None:
    return next((p for p in people if p["id"] == person_id), None)


def actor(request: Request, named: str = "") -> str:
    """The id of who acts: the account's person; without accounts `named` (API only) or the cookie's.
    Raises NoPerson."""
    if has_accounts(request):
        return _signed_in(request, named)
    wanted = named or cookie_person(request)
    if not wanted:
        raise NoPerson(_ASK)
    if find(desk_of(request).people(), wanted) is None:
        raise NoPerson(f"值班表里没有 “{wanted[:40]}”。请重新选择值班人。")
    return wanted


def _signed_in(request: Request, named: str) -> str:
    """Nobody acts in another's name. Raises NoPerson."""
    who = who_of(request)
    if who is None or not who.person:
        raise NoPerson("您的账号没有对应值班表里的人，不能操作；请管理员在账号上写明人员。")
    if named not in ("", who.person):
        raise NoPerson(f"您以 {who.name} 的账号操作，不能写 by: {named[:40]}；请去掉 by，或用本人的账号。")
    if find(desk_of(request).people(), who.person) is None:
        raise NoPerson(f"值班表里已没有 “{who.person}”；请管理员核对账号对应的人员。")
    return who.person


def came_from(request: Request) -> QueryParams:
    """What the page that an htmx act came from asks for in its address; nothing where that is no address, since the
    act is done by then."""
    try:
        return QueryParams(urlsplit(request.headers.get("hx-current-url", "")).query)
    except ValueError:
        return QueryParams()


Once = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="一个操作一个，如 UUID，8 到 100 个可见 ASCII 字符：重复发送只执行一次，答复带 repeated",
    ),
]
"""The key under which an act is done once, however often it is sent; "" without one."""


async def form_fields(request: Request) -> dict[str, str]:
    """The text fields of a posted form, stripped; empty ones are left out."""
    form = await request.form(max_files=0, max_fields=40)
    return {k: v.strip() for k, v in form.items() if isinstance(v, str) and v.strip()}


Fields = Annotated[dict[str, str], Depends(form_fields)]
