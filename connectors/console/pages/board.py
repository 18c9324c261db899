"""`/`: every open clock, the most pressing first; its fragments; `/trends`, how it goes over weeks and months.

A filter is in the address, so that it can be shared, and works as a plain form. One drawing serves everybody
who wants the same of the board.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from connectors.console import tongue
from connectors.console.context import AtDesk, console_of, render
from connectors.console.desk import View
from connectors.console.drawn import Drawing, Look
from connectors.console.gate import who_of
from connectors.console.pages.rooms import REFUSED
from models.core.boards import NO_KIND, UNGIVEN, Standing, Wanted
from models.core.vocabulary import Grade, OpinionKind

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
E = TypeVar("E", bound=StrEnum)

ROWS: Final = 30
"""Incidents that are drawn at once; the next stretch is asked for when the end comes into view."""
MOST_ROWS: Final = 500
"""Incidents on a board that is to be printed."""
LATEST: Final = 1_000_000
LONGEST_TEXT: Final = 100
STANDINGS: Final = tuple(Standing)
KINDS: Final = (*OpinionKind, NO_KIND)
OptionalText = Annotated[str, Query(max_length=40)]


# ── what is wanted ────────────────────────────────────────────────────────────────────────────


def scope(request: Request) -> frozenset[str] | None:
    """The units whose incidents the account may see, and what nobody was given; None: all. Drawings are
    shared, so that they are asked of the whole desk with this bound."""
    who = who_of(request)
    return who.units | {UNGIVEN} if who is not None and who.limited else None


def wanted_of(params: QueryParams, units: frozenset[str] | None) -> Wanted:
    """The filter of an address; words that it does not know are passed over, so that old links still lead
    to a board."""
    return Wanted(
        units=units,
        unit=params.get("unit", "")[:LONGEST_TEXT],
        grades=_known(Grade, params.getlist("grade")),
        standings=_known(Standing, params.getlist("state")),
        kinds=frozenset(kind for kind in params.getlist("kind") if kind in KINDS),
        text=params.get("q", "").strip()[:LONGEST_TEXT],
        offset=_number(params.get("offset", ""), 0, LATEST),
        limit=max(1, _number(params.get("rows", ""), ROWS, MOST_ROWS)),
    )


def _known(kind: type[E], words: Iterable[str]) -> frozenset[E]:
    return frozenset(kind(word) for word in words if word in set(kind))


def _number(text: str, otherwise: int, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def query_of(wanted: Wanted, **changes: Any) -> str:
    """The filter as it is written in an address, with some of it changed; "" for everything."""
    said: dict[str, Any] = {
        "unit": wanted.unit,
        "grade": sorted(wanted.grades),
        "state": sorted(wanted.standings),
        "kind": sorted(wanted.kinds),
        "q": wanted.text,
        "offset": wanted.offset or "",
        "rows": "" if wanted.limit in (None, ROWS) else wanted.limit,
    } | changes
    return urlencode({name: value for name, value in said.items() if value}, doseq=True)


def look_of(request: Request, params: QueryParams | None = None) -> Look:
    language = tongue.chosen(request.cookies.get(tongue.COOKIE, ""))
    return Look(wanted_of(request.query_params if params is None else params, scope(request)), language)


# ── the board ─────────────────────────────────────────────────────────────────────────────────


@router.get("/")
def board(request: Request, wall: bool = False) -> Response:
    return draw_board(request, "board.html", big=wall)


@router.get("/fragments/board")
def board_fragment(request: Request) -> Response:
    return draw_board(request, "fragments/board.html", fragment=True)


@router.get("/fragments/board/rows")
def rows(request: Request) -> Response:
    """The next stretch of the list; 304 while it says what it said."""
    look = look_of(request)
    drawing = console_of(request).pulse.gallery.drawing(look)
    tag = f'"{drawing.digest}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    answer = draw_board(request, "board/rows.html")
    answer.headers.update(headers)
    return answer


@router.get("/fragments/board/numbers")
def numbers_fragment(request: Request, desk: AtDesk) -> Response:
    return render(request, "board/numbers.html", numbers=desk.boards.numbers(), fragment=True)


def draw_board(request: Request, template: str, **context: Any) -> Response:
    look = look_of(request)
    console = console_of(request)
    drawing = console.pulse.gallery.drawing(look)
    console.framed(drawing.view)
    return render(request, template, **{**_stamp(drawing), **_filter(look.wanted, drawing), **context})


def draw_acted(request: Request, incident_id: str, said: str) -> Response:
    """After an act from the board: that row alone, and what was done; the others hear of it by the stream."""
    units = scope(request)
    look = Look(Wanted(units=units, ids=frozenset({incident_id}), limit=1), look_of(request).language)
    drawing = console_of(request).pulse.gallery.once(look)
    return render(request, "board/acted.html", fragment=True, said=said, drawing=drawing, **_stamp(drawing))


def _stamp(drawing: Drawing) -> View:
    """A board states its own revision: the page must name that, not a later one."""
    view = drawing.view
    return {"revision": drawing.name, "site": view["site"], "speed": view["speed"]}


def _filter(wanted: Wanted, drawing: Drawing) -> View:
    """What the page needs around the rows: the filter's words, and the way to the stretches beside this one."""
    step, found = wanted.limit or ROWS, drawing.view["found"]
    after = wanted.offset + len(drawing.order)
    return {
        "drawing": drawing,
        "wanted": wanted,
        "found": found,
        "units": drawing.view["units"],
        "standings": STANDINGS,
        "ungiven": UNGIVEN,
        "query": query_of(wanted),
        "query_of": lambda **changes: query_of(wanted, **changes),
        "after": after if after < found and drawing.order else None,
        "before": max(0, wanted.offset - step) if wanted.offset else None,
    }


# ── trends ────────────────────────────────────────────────────────────────────────────────────


@router.get("/trends")
def trends(
    request: Request,
    desk: AtDesk,
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    step: OptionalText = "",
    unit: Annotated[str, Query(max_length=100)] = "",
    grade: OptionalText = "",
) -> Response:
    asked = {"from": since, "to": until, "step": step, "unit": unit, "grade": grade}
    view = desk.boards.trends(_said(asked))
    return render(
        request, "trends.html", view=view, asked=asked, query=urlencode(_said(asked)),
        numbers=desk.boards.numbers(),
    )  # fmt: skip


def _said(asked: dict[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in asked.items() if text.strip()}


# ── as JSON ───────────────────────────────────────────────────────────────────────────────────


@api.get("/board", tags=["看"], summary="未结事件、时钟、信源与提醒")
def board_json(
    request: Request,
    desk: AtDesk,
    unit: Annotated[str, Query(max_length=100, description="牵头或被请办的单位；- 为尚未交办")] = "",
    grade: Annotated[list[Grade] | None, Query()] = None,
    state: Annotated[list[Standing] | None, Query(description="有一个时钟如此；unacked 未签收")] = None,
    kind: Annotated[list[str] | None, Query(max_length=20)] = None,
    q: Annotated[str, Query(max_length=LONGEST_TEXT, description="标题、编号、地点里的词，空格分开")] = "",
    offset: Annotated[int, Query(ge=0, le=LATEST)] = 0,
    limit: Annotated[int | None, Query(ge=1, le=MOST_ROWS, description="不写即全部")] = None,
) -> View:
    """最紧的在前。found 是符合条件的件数；counts 是未经筛选的数。"""
    wanted = Wanted(
        unit=unit,
        grades=frozenset(grade or ()),
        standings=frozenset(state or ()),
        kinds=frozenset(kind or ()),
        text=q.strip(),
        offset=offset,
        limit=MOST_ROWS if offset and limit is None else limit,
    )
    return desk.board(wanted)


@api.get("/numbers", tags=["看"], summary="今日、本月、今年：收到、立案、按时、逾期、签收用时")
def numbers_json(desk: AtDesk) -> View:
    return desk.boards.numbers()


@api.get("/trends", tags=["看"], summary="按周或按月的按时率和用时", responses=REFUSED)
def trends_json(
    request: Request,
    desk: AtDesk,
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    step: OptionalText = "",
    unit: Annotated[str, Query(max_length=100)] = "",
    grade: OptionalText = "",
) -> View:
    """from、to 写日期或时间，不写即最近半年；step 写 week 或 month；unit、grade 只看其一。"""
    asked = {"from": since, "to": until, "step": step, "unit": unit, "grade": grade}
    return desk.boards.trends(_said(asked))
