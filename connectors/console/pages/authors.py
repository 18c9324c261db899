"""`/playbooks`: what is in force, each playbook's versions, and a draft tried out while it is written.

Trying draws the picture and the list of mistakes; nothing is saved before somebody hands the draft in.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, actor, render
from connectors.console.desk import Desk, Unknown, View

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
_SEE_OTHER = 303


async def _words(request: Request) -> dict[str, str]:
    """The form's texts as they are: the blank lines before a draft count its lines."""
    form = await request.form(max_files=0, max_fields=40)
    return {name: text for name, text in form.items() if isinstance(text, str)}


Words = Annotated[dict[str, str], Depends(_words)]


@router.get("/playbooks")
def playbooks(request: Request, desk: AtDesk) -> Response:
    return render(request, "playbooks.html", playbooks=desk.playbooks())


@router.get("/playbooks/{playbook_id}")
def playbook(
    request: Request,
    desk: AtDesk,
    playbook_id: str,
    version: Annotated[str, Query(max_length=40)] = "",
    said: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The page; `version`: begin from that version's text instead of the one in force."""
    view = _known(desk, playbook_id)
    chosen = next((one for one in view["versions"] if one["id"] == version), None)
    text = chosen["content"] if chosen is not None else view["source"]
    tried = desk.playbook_try(playbook_id, text, view["given"])
    return render(request, "playbook.html", book=view, text=text, tried=tried, chosen=chosen, told=said)


def _known(desk: Desk, playbook_id: str) -> View:
    view = desk.playbook(playbook_id)
    if view is None:
        raise Unknown(f"没有预案 “{playbook_id[:40]}”。请回到预案页查找。")
    return view


@router.post("/playbooks/{playbook_id}/try")
def attempt(request: Request, desk: AtDesk, playbook_id: str, words: Words) -> Response:
    """What the text comes to as it stands in the box; drawn anew at every pause in the typing."""
    tried = desk.playbook_try(playbook_id, words.get("content", ""), _short(words))
    return render(request, "fragments/tried.html", tried=tried, fragment=True)


@router.post("/playbooks/{playbook_id}/acts/{name}")
def act(request: Request, desk: AtDesk, playbook_id: str, name: str, words: Words) -> Response:
    done = desk.playbook_act(name, playbook_id, words, actor(request))
    home = f"/playbooks/{quote(done['playbook'], safe='')}"
    return RedirectResponse(f"{home}?{urlencode({'said': done['said']})}", _SEE_OTHER)


def _short(words: dict[str, str]) -> dict[str, str]:
    """The conditions of the rehearsal, without the text."""
    return {name: text.strip() for name, text in words.items() if name != "content" and text.strip()}


# ── the same as JSON ──────────────────────────────────────────────────────────────────────────

_Words = Annotated[
    dict[str, str], Body(description="content：预案全文；其余为推演条件或操作的字段，都是文字。")
]
_REFUSED: dict[int | str, dict[str, Any]] = {409: {"description": "规则不允许，原因照原话"}}


@api.get("/playbooks", tags=["看"], summary="生效的预案和待审的草案")
def playbooks_json(desk: AtDesk) -> list[View]:
    return desk.playbooks()


@api.get("/playbooks/{playbook_id}", tags=["看"], summary="一份预案：条文、版本、用到它的事件")
def playbook_json(desk: AtDesk, playbook_id: str) -> View:
    return _known(desk, playbook_id)


@api.post("/playbooks/{playbook_id}/try", tags=["看"], summary="检查、推演、比较一份草案；什么也不保存")
def attempt_json(desk: AtDesk, playbook_id: str, body: _Words) -> View:
    return desk.playbook_try(playbook_id, body.get("content", ""), _short(body))


@api.post(
    "/playbooks/{playbook_id}/acts/{name}", tags=["做"], summary="预案的送审、审定、回退", responses=_REFUSED
)
def act_json(request: Request, desk: AtDesk, playbook_id: str, name: str, body: _Words) -> View:
    """name: submit(content, reason)，approve(version, reason, active_from 可选)，return，withdraw，rollback。"""
    by = actor(request, body.pop("by", ""))
    return desk.playbook_act(name, playbook_id, body, by)
