"""The console as an app on a phone: its manifest, its service worker, the page shown without a line, the language."""

from __future__ import annotations

import json
from functools import cache
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console import tongue, views
from connectors.console.context import AtDesk, Fields
from connectors.console.pages.acting import inside

router = APIRouter(include_in_schema=False)
_SEE_OTHER = 303
_YEAR_S = 365 * 86400
SHELL: Final = (
    "huiying.css", "phone.css", "huiying.js", "app.js", "keys.js", "mine.js", "waiting.js", "icons.svg",
    "favicon.svg", "vendor/htmx.min.js", "vendor/sse.min.js",
)  # fmt: skip
"""What every kept page needs to be drawn without a line."""
_ICONS: Final = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
                 ("icon-mask.png", "512x512", "maskable"))  # fmt: skip


@router.get("/manifest.webmanifest")
def manifest(desk: AtDesk) -> Response:
    """What the phone installs: its name, icons and where it opens."""
    icons = [{"src": views.asset(n), "sizes": s, "type": "image/png", "purpose": p} for n, s, p in _ICONS]
    told = {
        "id": "/mine",
        "name": f"回应 · {desk.phone.kit()['site']}",
        "short_name": "回应",
        "description": "政务舆情的回应时钟：签收、接手、升级、加凭据",
        "lang": "zh-CN",
        "start_url": "/mine",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f8",
        "theme_color": "#0b6e75",
        "icons": [*icons, {"src": views.asset("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
        "shortcuts": [
            {"name": name, "url": url}
            for name, url in (("我的", "/mine"), ("态势", "/"), ("人工立案", "/incidents/new"))
        ],
    }
    return Response(
        json.dumps(told, ensure_ascii=False), media_type="application/manifest+json", headers=_FRESH
    )


_FRESH: Final = {"Cache-Control": "no-cache"}


@router.get("/sw.js")
def worker() -> Response:
    """The service worker, at the root so that it may look after every page."""
    headers = {**_FRESH, "Service-Worker-Allowed": "/"}
    return Response(_worker(), media_type="text/javascript; charset=utf-8", headers=headers)


@cache
def _worker() -> str:
    """Its text, which changes whenever a file of the shell does: the browser then takes the new one."""
    shell = json.dumps([views.asset(name) for name in SHELL])
    own = (views.HERE / "static" / "sw.js").read_text(encoding="utf-8")
    return f'importScripts("{views.asset("waiting.js")}");\nconst SHELL = {shell};\n{own}'


@router.get("/offline", response_class=HTMLResponse)
def offline(request: Request) -> Response:
    """What an unseen page shows without a line: it names nobody and holds nothing."""
    tongue.LANGUAGE.set(tongue.chosen(request.cookies.get(tongue.COOKIE, "")))
    return views.page("offline.html")


@router.post("/language")
def language(request: Request, fields: Fields) -> Response:
    """The language of the pages on this device; what people wrote stays as they wrote it."""
    response = RedirectResponse(inside(fields.get("back", "/")), _SEE_OTHER)
    response.set_cookie(
        tongue.COOKIE, tongue.chosen(fields.get("lang", "")), max_age=_YEAR_S, httponly=True,
        samesite="lax", secure=request.url.scheme == "https",
    )  # fmt: skip
    return response
