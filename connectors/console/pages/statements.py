"""`/incidents/ID/statements` and `/statements/SID`: drafts, 三审, release, the shared wording; and the same as JSON."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Depends, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, actor, render
from connectors.console.desk import Unknown, View
from connectors.console.desks.statements import ACTS

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")
_SEE_OTHER = 303
_OUTLET = "outlet."
"""Before an outlet's name in the form: one box for each."""
_KEPT_EMPTY = frozenset({"audience", "disclosure_reason"})
"""What somebody clears on purpose."""


async def _words(request: Request) -> dict[str, str]:
    """The form's texts; ticked outlets become one list."""
    form = await request.form(max_files=0, max_fields=60)
    said = {name: text for name, text in form.items() if isinstance(text, str)}
    ticked = [name.removeprefix(_OUTLET) for name in said if name.startswith(_OUTLET)]
    plain = {name: text for name, text in said.items() if not name.startswith(_OUTLET)}
    given = {name: text for name, text in plain.items() if text.strip() or name in _KEPT_EMPTY}
    return given | ({"outlets": ",".join(ticked)} if ticked else {})


Words = Annotated[dict[str, str], Depends(_words)]
Said = Annotated[str, Query(max_length=400)]


@router.get("/incidents/{incident_id}/statements")
def statements(request: Request, desk: AtDesk, incident_id: str, said: Said = "") -> Response:
    view = desk.statements.overview(incident_id)
    return render(request, "statements.html", view=view, incident=view["incident"], told=said)


@router.post("/incidents/{incident_id}/statements")
def draft(request: Request, desk: AtDesk, incident_id: str, words: Words) -> Response:
    done = desk.statements.draft(incident_id, words, actor(request))
    return _to(f"/statements/{done['id']}", done["said"])


@router.post("/incidents/{incident_id}/wording")
def wording(request: Request, desk: AtDesk, incident_id: str, words: Words) -> Response:
    done = desk.statements.wording(incident_id, words, actor(request))
    return _to(f"/incidents/{done['incident']['id']}/statements", done["said"])


@router.get("/statements/{statement_id}")
def statement(request: Request, desk: AtDesk, statement_id: str, said: Said = "") -> Response:
    view = desk.statements.one(statement_id)
    return render(request, "statement.html", s=view, incident=view["incident"], told=said)


@router.post("/statements/{statement_id}/acts/{name}")
def act(request: Request, desk: AtDesk, statement_id: str, name: str, words: Words) -> Response:
    _known(name)
    done = desk.statements.act(name, statement_id, words, actor(request))
    return _to(f"/statements/{done['id']}", done["said"])


def _known(name: str) -> None:
    if name not in ACTS:
        raise Unknown(f"稿件没有 “{name[:40]}” 这个操作；可用的有 {'、'.join(ACTS)}。")


def _to(path: str, said: str) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'said': said[:300]})}", _SEE_OTHER)


@router.get("/statements/{statement_id}/package")
def package(desk: AtDesk, statement_id: str) -> Response:
    return _zip(desk.statements.package(statement_id))


def _zip(made: tuple[str, bytes]) -> Response:
    name, content = made
    told = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type="application/zip", headers={"Content-Disposition": told})


# ── the same as JSON ──────────────────────────────────────────────────────────────────────────

_Body = Annotated[
    dict[str, str],
    Body(
        description="by：值班表中的人（不写则取 cookie）；其余为该操作的字段，都是文字；outlets 用逗号分隔。"
    ),
]
_REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "没有这份稿件或这个事件"},
    409: {"description": "规则不允许，原因照原话"},
}


@api.get(
    "/incidents/{incident_id}/statements", tags=["看"], summary="一个事件的稿件和口径", responses=_REFUSED
)
def statements_json(desk: AtDesk, incident_id: str) -> View:
    return desk.statements.overview(incident_id)


@api.post(
    "/incidents/{incident_id}/statements", tags=["做"], summary="拟稿", status_code=201, responses=_REFUSED
)
def draft_json(request: Request, desk: AtDesk, incident_id: str, body: _Body) -> View:
    """title, text；kind, unit, disclosure, disclosure_reason, audience, outlets, replaces 可选。"""
    by = actor(request, body.pop("by", ""))
    return desk.statements.draft(incident_id, body, by)


@api.post("/incidents/{incident_id}/wording", tags=["做"], summary="共享口径，每次一版", responses=_REFUSED)
def wording_json(request: Request, desk: AtDesk, incident_id: str, body: _Body) -> View:
    by = actor(request, body.pop("by", ""))
    return desk.statements.wording(incident_id, body, by)


@api.get(
    "/statements/{statement_id}", tags=["看"], summary="一份稿件：文本、审核、版本、发布", responses=_REFUSED
)
def statement_json(desk: AtDesk, statement_id: str) -> View:
    return desk.statements.one(statement_id)


@api.get("/statements/{statement_id}/package", tags=["看"], summary="发布包(zip)", responses=_REFUSED)
def package_json(desk: AtDesk, statement_id: str) -> Response:
    return _zip(desk.statements.package(statement_id))


@api.post(
    "/statements/{statement_id}/acts/{name}",
    tags=["做"],
    summary="改稿、送审、审核、发布、比对、撤回",
    responses=_REFUSED,
)
def act_json(request: Request, desk: AtDesk, statement_id: str, name: str, body: _Body) -> View:
    """name: edit，submit(reviewers, secrecy, emergency, facts_reason)，sign(sha256)，refuse(sha256, reason)，
    reassign(step, person, reason)，release(outlet, url, document, published_at)，compare(release, text)，
    withdraw(reason)，discard(reason)。"""
    _known(name)
    by = actor(request, body.pop("by", ""))
    return desk.statements.act(name, statement_id, body, by)
