"""`/a/TOKEN`: what a link in a message allows, done by one press, without signing in.

GET shows and never changes anything, whoever fetches it; POST does it once. Bounded for each address,
so that nobody can try tokens in earnest.
"""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from connectors.console import tongue, views
from connectors.console.context import AtDesk, cookie_person
from connectors.console.desk import View
from connectors.console.gate import address_of

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MOST: Final = RateLimitItemPerMinute(60)
"""Requests of one address a minute; a whole office behind one address presses less."""
STATUS: Final = {"often": 429, "forged": 404, "expired": 410, "closed": 410, "gone": 410, "other": 403}
_SEE_OTHER: Final = 303


@router.api_route("/a/{token}", methods=["GET", "HEAD"])
def look(request: Request, desk: AtDesk, token: str) -> Response:
    if _too_often(request):
        return _later(request)
    link = desk.onelinks.look(token, cookie_person(request))
    return _page(request, link, token)


@router.post("/a/{token}")
def use(request: Request, desk: AtDesk, token: str) -> Response:
    if _too_often(request):
        return _later(request)
    link = desk.onelinks.use(token, cookie_person(request))
    if link["state"] == "done":  # the page says since when; reloading it asks nothing again
        return RedirectResponse(f"/a/{token}", _SEE_OTHER)
    return _page(request, link, token)


def _page(request: Request, link: View, token: str) -> Response:
    """A page of its own: whoever opens it may not be signed in, so nothing else of the console is on it."""
    tongue.LANGUAGE.set(tongue.chosen(request.cookies.get(tongue.COOKIE, "")))
    status = STATUS.get(link["state"], 200)
    return views.page("onelink.html", status, link=link, token=token, lang=tongue.LANGUAGE.get())


def _too_often(request: Request) -> bool:
    state = request.app.state
    if not hasattr(state, "link_limiter"):
        state.link_limiter = MovingWindowRateLimiter(MemoryStorage())
    return not state.link_limiter.hit(MOST, address_of(request))


def _later(request: Request) -> Response:
    link = {
        "state": "often",
        "words": "从这个地址打开得太频繁，请一分钟后再试；急用请登录值班台，在“我的”页签收。",
    }
    answer = _page(request, link, "")
    answer.headers["Retry-After"] = "60"
    return answer
