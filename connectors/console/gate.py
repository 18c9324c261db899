"""Who comes in: with accounts, every request is somebody's, and what they may is looked up before the page is asked.

Without accounts (`access: {mode: open}`) the gate lets everything through, as on a machine of one's own.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.console import errors, permits
from connectors.console.desk import Desk, Unavailable
from connectors.console.desks.access import AccessDesk
from connectors.console.permits import Found, Reach
from models.core.access import Stage, Who, may, within

COOKIE: Final = "huiying_session"
WHO: Final = "huiying.who"
ACCOUNTS: Final = "huiying.accounts"
"""Where a request's scope holds who asks, and that there are accounts."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SEE_OTHER: Final = 303
_WAYS_IN: Final = {
    "POST": frozenset({"/login", "/login/code", "/login/confirm"}),
    "GET": frozenset({"/login/oidc/back"}),
}
"""What proves who somebody is. Opening the form proves nothing: a whole office behind one address may."""
_STEPS: Final = {Stage.CODE: "/login/code", Stage.PASSWORD: "/account", Stage.ENROL: "/account"}
_BEARER: Final = "bearer "
_PERSONAL: Final = frozenset({"own", "accounts"})
"""What only somebody at a browser may do, never a program with their token."""
TRIES_MINUTES: Final = 10
LOOK_S: Final = 5.0
T = TypeVar("T")


def cookie_name(secure: bool) -> str:
    """With https the browser itself keeps other hosts from setting it (`__Host-`)."""
    return f"__Host-{COOKIE}" if secure else COOKIE


def session_of(request: Request) -> str:
    return request.cookies.get(cookie_name(request.url.scheme == "https"), "")[:200]


def who_of(request: Request) -> Who | None:
    """Who is signed in; None without accounts, or for nobody."""
    who: Who | None = request.scope.get(WHO)
    return who


def has_accounts(request: Request) -> bool:
    return bool(request.scope.get(ACCOUNTS))


class Gate:
    """ASGI middleware behind the Shield."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            access = cast("Desk", scope["app"].state.console.desk).access
            settings = access.settings()
            if settings["mode"] == "accounts":
                scope[ACCOUNTS] = True
                request = Request(scope)
                refused = self._too_often(request, settings) or await _judged(request, access)
                refused = refused or self._acts_too_often(request, settings)
                if refused is not None:
                    await refused(scope, receive, send)
                    return
        await self.app(scope, receive, send)

    def _too_often(self, request: Request, settings: Mapping[str, Any]) -> Response | None:
        """Ways in, by address: guessing at many names from one place."""
        if request.url.path not in _WAYS_IN.get(request.method, frozenset()):
            return None
        item = RateLimitItemPerMinute(settings["tries_per_address"], TRIES_MINUTES)
        return self._counted(request, item, f"in {address_of(request)}")

    def _acts_too_often(self, request: Request, settings: Mapping[str, Any]) -> Response | None:
        who = who_of(request)
        if who is None or request.method in SAFE:
            return None
        return self._counted(
            request, RateLimitItemPerMinute(settings["acts_per_minute"]), f"act {who.session}"
        )

    def _counted(self, request: Request, item: RateLimitItemPerMinute, key: str) -> Response | None:
        if self._limiter.hit(item, key):
            return None
        wait_s = item.get_expiry()  # the whole window: by then there is room again
        response = errors.answer(request, 429, f"操作太频繁，没有执行；请 {wait_s} 秒后再试。")
        response.headers["Retry-After"] = str(wait_s)
        return response


async def while_in(
    request: Request, stream: AsyncGenerator[T, None], every_s: float = LOOK_S
) -> AsyncGenerator[T, None]:
    """A stream for as long as whoever asked is let in; they are looked up again every `every_s` seconds, so that
    one who was put out hears no more. Without accounts the stream itself."""
    looked, first = time.monotonic(), who_of(request)
    async with aclosing(stream):
        async for piece in stream:
            if first is not None and time.monotonic() - looked >= every_s:
                looked, now = time.monotonic(), await run_in_threadpool(_who, request)
                if now is None or (now.units, now.stage) != (first.units, first.stage):
                    return
            yield piece


def _who(request: Request) -> Who | None:
    access: AccessDesk = request.app.state.console.desk.access
    return access.who(session_of(request), _token_of(request))


async def _judged(request: Request, access: AccessDesk) -> Response | None:
    """Why this request is not let through, as the answer to it; None: it is."""
    try:
        return await run_in_threadpool(_judge, request, access)
    except Unavailable as error:
        return errors.answer(request, 503, f"{error}。时钟都在数据库里，恢复后会补上应发的提醒。")


def _judge(request: Request, access: AccessDesk) -> Response | None:
    token, session = _token_of(request), session_of(request)
    who = access.who(session, token) if token or session else None
    request.scope[WHO] = who
    path = request.url.path
    if session and not token and _unsafe_without_origin(request):
        return errors.answer(
            request, 403, "浏览器没有说明这个操作从哪一页来，没有执行；请在本系统的页面上操作。"
        )
    if permits.public(path) or (path == "/metrics" and _loopback(request)):
        return None
    if who is None:
        return _asked_in(request, bool(token))
    if who.stage is not Stage.FULL:
        return _stepwise(request, who)
    return _refusal(request, who, access)


def _unsafe_without_origin(request: Request) -> bool:
    """A browser says where a post comes from; what carries a session and does not say it is no browser of ours."""
    headers = request.headers
    said = "sec-fetch-site" in headers or "origin" in headers
    return request.method not in SAFE and not said


def _token_of(request: Request) -> str:
    header = request.headers.get("authorization", "")
    return header[len(_BEARER) :].strip()[:200] if header.lower().startswith(_BEARER) else ""


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _loopback(request: Request) -> bool:
    try:
        return ipaddress.ip_address(address_of(request)).is_loopback
    except ValueError:
        return False


def _asked_in(request: Request, with_token: bool) -> Response:
    """The way to the sign-in, in the form that the asker reads."""
    path = request.url.path
    if path.startswith("/api/v1/") or path == "/api/openapi.json" or path == "/metrics" or with_token:
        words = (
            "令牌不对、已过期或已作废；请换一个"
            if with_token
            else "须登录或带令牌：Authorization: Bearer huiying_…"
        )
        return JSONResponse({"error": words}, 401, {"WWW-Authenticate": 'Bearer realm="huiying"'})
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": f"/login?back={quote(_page_of(request))}"})
    if path == "/events":
        return Response(status_code=401)
    back = path + (f"?{request.url.query}" if request.url.query else "") if request.method in SAFE else "/"
    return RedirectResponse(f"/login?back={quote(back, safe='')}", _SEE_OTHER)


def _page_of(request: Request) -> str:
    """The page that a fragment was asked from, as far as it is ours."""
    current = request.headers.get("hx-current-url", "")
    host = f"//{request.headers.get('host', '')}/"
    return f"/{current.partition(host)[2]}" if host in current else "/"


def _stepwise(request: Request, who: Who) -> Response | None:
    """One who has begun to sign in goes on where they are."""
    path, step = request.url.path, _STEPS[who.stage]
    if path == step or (step == "/account" and permits.half(path) and path != "/login/code"):
        return None
    if path.startswith("/api/"):
        return JSONResponse({"error": "登录还没有完成；请在浏览器里完成其余步骤"}, 401)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": step})
    return RedirectResponse(step, _SEE_OTHER)


def _refusal(request: Request, who: Who, access: AccessDesk) -> Response | None:
    """What the table of permits says; what nobody named is forbidden."""
    path = request.url.path
    found = permits.rule_of(request.method, path) if path.isprintable() else None
    if found is None:
        return errors.answer(request, 403, "这个地址没有开放；请从页面上的按钮进入。")
    if who.token and found.rule.permit in _PERSONAL:
        return errors.answer(request, 403, "令牌不能管理账号；请本人登录后操作。")
    why = may(who.roles, found.rule.permit) or _beyond(found, who, access)
    return errors.answer(request, 403, why) if why else None


def _beyond(found: Found, who: Who, access: AccessDesk) -> str | None:
    """Why an account of single units may not go there, or None."""
    reach, permit = found.rule.reach, found.rule.permit
    if not who.bound(permit) or reach in (Reach.NOTHING, Reach.THEIRS):
        return None
    if reach is Reach.WHOLE:
        return "这一页是全站的，您的账号只管本单位的事件；请找值班员，或请管理员放开"
    number = found.parts[f"{reach.value}_id"]
    units = access.units_of(reach.value, number)
    if units is None or within(who, units, permit):
        return None  # what is not there says so itself
    return "这起事件不归您的单位；请联系责任单位或值班员"
