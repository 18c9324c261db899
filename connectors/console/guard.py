"""What stands before every page: security headers, same-origin acts, bounded bodies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.console import errors
from connectors.console.headers import secure
from connectors.console.hosts import STRANGE, is_ours
from connectors.uploads import MOST

MAX_BODY: Final = 64 * 1024
"""Bytes. An act is a few words and a URL; files have a door of their own."""

MAX_PUSH: Final = 4 * 1024 * 1024
"""Bytes of what other systems push to /hooks/, signed: several hundred tickets at once."""

MAX_FILE: Final = MOST + 64 * 1024
"""Bytes of an evidence with a file, and the form around it."""

MAX_DRAFT: Final = 512 * 1024
"""Bytes of a playbook or of a transcript in a form, where a Chinese character takes nine."""

MAX_STATEMENT: Final = 768 * 1024
"""Bytes of a statement in a form: 200 kB of text, where three bytes take nine."""

_NO_SIGN: Final = "地址里有不能用的字符(NUL)，没有打开。请从页面上的链接进入。"
"""No name and no word of ours holds it, and not every database takes it."""
_TWO_ENDS: Final = "这个请求写了两种长度(Content-Length 和 Transfer-Encoding)，没有执行。请只写一种。"
"""Where it ends, a proxy and we could read differently (RFC 9112, 6.3)."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Shield:
    """ASGI middleware: acting is same-origin. Who may read and act at all says the `Gate` behind it."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self.app, self.names = app, frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(scope, send)
        refusal = _refusal(scope, self.names)
        if refusal is None:
            await self.app(scope, _bounded(receive, _most(scope["path"])), guarded)
        else:
            answer = errors.answer(Request(scope), *refusal)
            answer.headers["Connection"] = "close"  # what is still on its way belongs to no request
            await answer(scope, receive, guarded)


def _refusal(scope: Scope, names: Collection[str]) -> tuple[int, str] | None:
    headers = Headers(scope=scope)
    if not is_ours(headers.get("host", ""), names):
        return 400, STRANGE
    if "\0" in scope["path"] or b"%00" in scope.get("query_string", b""):
        return 400, _NO_SIGN
    if "transfer-encoding" in headers and "content-length" in headers:
        return 400, _TWO_ENDS
    if scope["method"] in _SAFE:
        return None
    if cross_site(headers):
        return 403, "这个操作来自别的网站，没有执行。请在本系统的页面上操作。"
    size = headers.get("content-length", "")
    most = _most(scope["path"])
    if size.isdecimal() and int(size[:20]) > most:
        return 413, _too_large(most)
    return None


def _too_large(most: int) -> str:
    return f"内容超过 {most // 1024} KB，没有执行。请缩短或分几次提交。"


def cross_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page sent this request.

    Sec-Fetch-Site decides where the browser sends it, else Origin against Host. A program that
    sends neither carries no browser's cookie and passes.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host", "")


def _most(path: str) -> int:
    if path.startswith(("/playbooks/", "/api/v1/playbooks/")) or "/meetings/acts/" in path:
        return MAX_DRAFT
    if path.startswith(("/statements/", "/api/v1/statements/")) or path.endswith(("/statements", "/wording")):
        return MAX_STATEMENT
    if path.endswith("/evidence"):
        return MAX_FILE
    return MAX_PUSH if path.startswith("/hooks/") else MAX_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    """A body that says no length, or a wrong one, is counted as it comes. Raises HTTPException 413 in
    whoever reads it."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, _too_large(most))
        return message

    return bounded


def _with_headers(scope: Scope, send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            secure(MutableHeaders(scope=message), scope["path"], scope.get("scheme") == "https")
        await send(message)

    return guarded
