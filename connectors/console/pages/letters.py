"""`/deadletters`: the rows that nobody could read, and the forms that put them right."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, Fields, actor, render
from connectors.console.desk import LARGEST, Unknown, View
from connectors.console.pages.rooms import REFUSED


async def _cells(request: Request) -> dict[str, str]:
    """The form's texts; a table may have more columns than an act has fields."""
    form = await request.form(max_files=0, max_fields=400)
    return {name: text.strip() for name, text in form.items() if isinstance(text, str) and text.strip()}


Cells = Annotated[dict[str, str], Depends(_cells)]
Number = Annotated[int, Path(ge=1, le=LARGEST)]
After = Annotated[int, Query(ge=0, le=LARGEST)]

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
_SEE_OTHER = 303
_CELL = "cell:"
"""Before a column's name in the mending form, so that a column may have any name."""


@router.get("/deadletters")
def letters(
    request: Request,
    desk: AtDesk,
    source: Annotated[str, Query(max_length=200)] = "",
    after: After = 0,
    settled: bool = False,
    said: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    view = desk.letters(source, after, settled)
    return render(request, "deadletters.html", view=view, source=source, settled=settled, told=said)


@router.get("/deadletters/{number}")
def letter(
    request: Request, desk: AtDesk, number: Number, said: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    return render(request, "deadletter.html", letter=_known(desk.letter(number), number), told=said)


def _known(view: View | None, number: int) -> View:
    if view is None:
        raise Unknown(f"没有编号为 {number} 的死信。请回到死信页查找。")
    return view


@router.post("/deadletters/replay")
def replay(request: Request, desk: AtDesk, fields: Fields) -> Response:
    done = desk.letter_act("replay", None, {"source": fields.get("source", "")}, actor(request))
    return _back("/deadletters", source=fields.get("source", ""), said=done["said"])


@router.post("/deadletters/{number}/acts/{name}")
def act(request: Request, desk: AtDesk, number: Number, name: str, fields: Cells) -> Response:
    """mend {cells}, which replays too; replay; drop {reason}. A cell left empty stays as it came."""
    cells = {key.removeprefix(_CELL): text for key, text in fields.items() if key.startswith(_CELL)}
    done = desk.letter_act(name, number, {"reason": fields.get("reason", ""), "cells": cells}, actor(request))
    return _back(f"/deadletters/{number}", said=done["said"])


def _back(path: str, **query: str) -> Response:
    given = {name: text for name, text in query.items() if text}
    return RedirectResponse(f"{path}?{urlencode(given)}" if given else path, _SEE_OTHER)


@api.get("/deadletters", tags=["看"], summary="待修补的死信，个人信息已遮盖")
def letters_json(desk: AtDesk, source: str = "", after: After = 0, settled: bool = False) -> View:
    return desk.letters(source, after, settled)


@api.get("/deadletters/{number}", tags=["看"], summary="一条死信")
def letter_json(desk: AtDesk, number: Number) -> View:
    return _known(desk.letter(number), number)


class Mending(BaseModel):
    """What is done to a dead letter: by whom, why, and the cells put right."""

    by: str = ""
    reason: str = ""
    source: str = ""
    cells: dict[str, str] = {}


@api.post("/deadletters/replay", tags=["做"], summary="重放待修补的死信", responses=REFUSED)
def replay_json(request: Request, desk: AtDesk, body: Mending) -> View:
    """source：只重放这个信源的；不写即全部。"""
    return desk.letter_act("replay", None, {"source": body.source}, actor(request, body.by))


@api.post("/deadletters/{number}/acts/{name}", tags=["做"], summary="死信的操作", responses=REFUSED)
def act_json(request: Request, desk: AtDesk, number: Number, name: str, body: Mending) -> View:
    """name: mend 修补并重放(cells：列名 → 改后的值)，replay 重放，drop 作废(reason)。"""
    params = {"reason": body.reason.strip(), "cells": body.cells}
    return desk.letter_act(name, number, params, actor(request, body.by))
