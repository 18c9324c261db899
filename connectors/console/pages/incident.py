"""`/incidents/ID`: the incident whole, its signals page by page, labels corrected, signals split off, what is kept
as proof; the same under `/api/v1`."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Body, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console.context import AtDesk, actor, came_from, render
from connectors.console.desk import LARGEST, Desk, Refusal, Unknown, View
from connectors.console.pages.dossiers import ZIP
from connectors.console.pages.looking import known
from connectors.console.pages.rooms import REFUSED, SAID, SEE_OTHER, filled

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
api = APIRouter(prefix="/api/v1")

MOST_CHOSEN = 200
"""Signals that one form may name: more than a page holds."""
_ASKED = ("medium", "sentiment", "text", "rumour", "below", "show", "before")
_HASH = re.compile(r"[0-9a-f]{64}")
_TEXT_SHOWN = 200_000
_PICTURES = ("image/png", "image/jpeg")
Word = Annotated[str, Query(max_length=100)]


# ── looking ───────────────────────────────────────────────────────────────────────────────────


@router.get("/incidents/{incident_id}")
def incident(request: Request, desk: AtDesk, incident_id: str, said: str = "") -> Response:
    view = desk.about.face(incident_id)
    more = desk.about.picture(view["id"]) | desk.about.similar(view["id"])
    return _draw(request, desk, "incident.html", view, more=more, told=said[:SAID])


@router.get("/fragments/incidents/{incident_id}")
def incident_fragment(request: Request, desk: AtDesk, incident_id: str) -> Response:
    """The parts that change. A page with an open form says so, and keeps that form."""
    return draw_fragment(request, desk, incident_id)


@router.get("/fragments/incidents/{incident_id}/picture")
def picture_fragment(request: Request, desk: AtDesk, incident_id: str) -> Response:
    """Curve and spread, which are drawn from every signal: asked for once a minute, not at every change."""
    view = desk.about.face(incident_id)
    return render(
        request, "incident/picture.html", i=view, more=desk.about.picture(view["id"]), fragment=True
    )


def draw_fragment(request: Request, desk: Desk, incident_id: str, said: str = "") -> Response:
    """What an act or an event changed on the page, with what was done."""
    headers = request.headers
    keeps = {"keep_forms": "x-keep-forms" in headers, "keep_signals": "x-keep-signals" in headers}
    view = desk.about.face(incident_id)
    return _draw(request, desk, "fragments/incident.html", view, fragment=True, said=said, **keeps)


def _draw(request: Request, desk: Desk, template: str, view: View, **context: Any) -> Response:
    asked = _asked(request)
    wanted = {name: text for name, text in asked.items() if name in _ASKED[:5]}
    lines = {name: text for name, text in asked.items() if name in _ASKED[5:]}
    parts: dict[str, Any] = {
        "seen": desk.about.overview(view["id"]),
        "page": desk.about.signals(view["id"], wanted),
        "story": desk.about.story(view["id"], lines),
        "query": asked,
        "asked": urlencode(asked),
    }
    return render(request, template, incident=view, **parts, **{"keep_signals": False, **context})


def _asked(request: Request) -> dict[str, str]:
    """Which signals and lines the page shows: by its own address, or by that of the page an act came from."""
    pairs = list(request.query_params.items())
    if request.method == "POST":
        pairs = came_from(request).multi_items()
    return {name: text.strip()[:100] for name, text in pairs if name in _ASKED and text.strip()}


@router.get("/incidents/{incident_id}/signals/{number}")
def signal(request: Request, desk: AtDesk, incident_id: str, number: str, said: str = "") -> Response:
    view = desk.about.face(incident_id)
    shown = desk.about.signal(view["id"], _number(number))
    return render(request, "incident/signal.html", incident=view, s=shown, told=said[:SAID])


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 18):
        raise Unknown(f"“{text[:20]}” 不是线索编号；请从事件页的线索进入。")
    return int(text)


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


@router.post("/incidents/{incident_id}/labels")
async def label(request: Request, desk: AtDesk, incident_id: str) -> Response:
    """One press: `to` is LABEL:VALUE; `signal` as often as there are signals, none = the whole incident."""
    form = await request.form(max_files=0, max_fields=MOST_CHOSEN + 20)
    wanted, _, value = str(form.get("to", "")).partition(":")
    params = {
        "label": wanted,
        "value": value,
        "signal": _chosen(form.getlist("signal")),
        "reason": str(form.get("reason", "")).strip(),
    }
    whole = form.get("of") == "incident"
    return await run_in_threadpool(
        _label, request, desk, incident_id, params, whole, str(form.get("back", ""))
    )


def _label(
    request: Request, desk: Desk, incident_id: str, params: dict[str, str], whole: bool, back: str
) -> Response:
    if not params["signal"] and not whole:
        raise Refusal("还没有选线索。请先在线索前面打勾，再按要改成的标签。")
    done = desk.about.label(incident_id, params, actor(request))
    if request.headers.get("hx-request") and back != "signal":
        return draw_fragment(request, desk, incident_id, done["said"])
    home = f"/incidents/{quote(incident_id, safe='')}"
    home += f"/signals/{params['signal']}" if back == "signal" else ""
    return _led(request, f"{home}?{urlencode({'said': done['said'][:SAID]})}")


@router.post("/incidents/{incident_id}/split")
async def split(request: Request, desk: AtDesk, incident_id: str) -> Response:
    """The signals that were ticked, taken out into an incident of their own."""
    form = await request.form(max_files=0, max_fields=MOST_CHOSEN + 20)
    params = {
        "signals": _chosen(form.getlist("signal")),
        "title": str(form.get("title", "")).strip(),
        "reason": str(form.get("reason", "")).strip(),
    }
    return await run_in_threadpool(_split, request, desk, incident_id, filled(params))


def _split(request: Request, desk: Desk, incident_id: str, params: dict[str, str]) -> Response:
    if not params.get("signals"):
        raise Refusal("还没有选线索。请先在要拆出的线索前面打勾。")
    done = desk.act("split", incident_id, params, actor(request))
    said = "已拆出，这是新的事件；原事件的时钟照走"
    return _led(request, f"/incidents/{quote(str(done['id']), safe='')}?{urlencode({'said': said})}")


def _chosen(values: list[Any]) -> str:
    return ",".join(str(value).strip() for value in values if isinstance(value, str) and value.strip())


def _led(request: Request, home: str) -> Response:
    """To another page, as the browser or as htmx follows."""
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": home})
    return RedirectResponse(home, SEE_OTHER)


# ── what is kept as proof ─────────────────────────────────────────────────────────────────────


@router.get("/snapshots/{sha256}")
def snapshot(request: Request, desk: AtDesk, sha256: str) -> Response:
    """What is kept under a hash, seen safely: plain text or a picture; all else is only to be downloaded."""
    content, media_type = kept(desk, sha256)
    plain = media_type.partition(";")[0]
    shown = {
        "sha256": sha256,
        "media_type": plain,
        "bytes": len(content),
        "same": hashlib.sha256(content).hexdigest() == sha256,
        "text": content.decode(errors="replace")[:_TEXT_SHOWN] if plain == "text/plain" else None,
        "picture": plain in _PICTURES,
        "cut": plain == "text/plain" and len(content) > _TEXT_SHOWN,
    }
    return render(request, "incident/snapshot.html", snap=shown)


@router.get("/snapshots/{sha256}/picture")
def picture(desk: AtDesk, sha256: str) -> Response:
    """The picture itself, in a page that may run nothing and ask for nothing."""
    content, media_type = kept(desk, sha256)
    if media_type not in _PICTURES:
        raise Unknown("这份存档不是图片；请在存档页下载。")
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


def kept(desk: Desk, sha256: str) -> tuple[bytes, str]:
    """The bytes under a hash and what they are. Raises Unknown."""
    found = desk.snapshot(sha256) if _HASH.fullmatch(sha256) else None
    if found is None or found[1] == ZIP:
        raise Unknown(f"没有哈希为 {sha256[:64]} 的存档可看；请从事件页的凭据进入。")
    return found


# ── as JSON ───────────────────────────────────────────────────────────────────────────────────


def whole(desk: Desk, incident_id: str) -> View:
    """The incident with everything that its page shows."""
    view = known(desk, incident_id)
    about = desk.about
    parts = about.overview(view["id"]) | about.picture(view["id"]) | about.similar(view["id"])
    return view | parts


@api.get(
    "/incidents/{incident_id}/signals", tags=["看"], summary="事件的线索，可筛选、翻页", responses=REFUSED
)
def signals_json(
    desk: AtDesk,
    incident_id: str,
    medium: Word = "",
    sentiment: Word = "",
    text: Word = "",
    rumour: Word = "",
    below: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> View:
    """新的在前，每页 25 条；below 填上一页答复里的 below。marks 是标出的词：所显示文字里的起止位置和缘由。"""
    asked = {
        "medium": medium,
        "sentiment": sentiment,
        "text": text,
        "rumour": rumour,
        "below": str(below or ""),
    }
    return desk.about.signals(incident_id, filled(asked))


@api.get("/incidents/{incident_id}/signals/{number}", tags=["看"], summary="一条线索", responses=REFUSED)
def signal_json(desk: AtDesk, incident_id: str, number: int) -> View:
    if not 0 < number <= LARGEST:
        raise Unknown("线索编号是大于 0 的整数；见事件的 signals。")
    return desk.about.signal(incident_id, number)


@api.get("/incidents/{incident_id}/story", tags=["看"], summary="线索与处置在一条时间线上", responses=REFUSED)
def story_json(desk: AtDesk, incident_id: str, show: Word = "", before: Word = "") -> View:
    """show：signal,act,clock,alert,statement,proof 中的几个，用逗号隔开；before 填上一页答复里的 before。"""
    return desk.about.story(incident_id, filled({"show": show, "before": before}))


@api.get("/incidents/{incident_id}/similar", tags=["看"], summary="相似的过往事件", responses=REFUSED)
def similar_json(desk: AtDesk, incident_id: str) -> View:
    """score 为 0 至 1；reasons 说明像在哪里；其余是当时怎么回应、用了多久。"""
    return desk.about.similar(incident_id)


LabelBody = Annotated[
    dict[str, str],
    Body(
        description="by：值班表中的人（不写则取 cookie）；label、value；signal 不写即全部线索(kind 则改事件自身)。",
        openapi_examples={
            "one": {
                "summary": "一条线索的情感",
                "value": {"by": "chen", "label": "sentiment", "value": "neg", "signal": "12"},
            },
            "kind": {"summary": "事件的类别", "value": {"by": "chen", "label": "kind", "value": "hardship"}},
        },
    ),
]


@api.post("/incidents/{incident_id}/labels", tags=["做"], summary="更正标签，留作训练", responses=REFUSED)
def label_json(request: Request, desk: AtDesk, incident_id: str, body: LabelBody) -> View:
    by = actor(request, body.pop("by", ""))
    return desk.about.label(incident_id, filled(body), by)
