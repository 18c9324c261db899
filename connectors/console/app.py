"""The console: `build` puts the pages before a desk, `server` serves them."""

from __future__ import annotations

import socket
from collections.abc import Collection

import uvicorn
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from connectors.console import errors, openapi, views
from connectors.console.context import Console
from connectors.console.desk import Desk
from connectors.console.gate import Gate
from connectors.console.guard import Shield
from connectors.console.pages import (
    access,
    acting,
    aftermath,
    api,
    assessment,
    audit,
    authors,
    board,
    chats,
    dossiers,
    events,
    files,
    handover,
    health,
    hooks,
    incident,
    letters,
    levels,
    looking,
    meetings,
    mood,
    onelinks,
    phone,
    preferences,
    receipts,
    registers,
    reports,
    slack,
    statements,
    work,
)
from connectors.console.pulse import Poke, Pulse

_ABOUT = '与页面相同的内容和操作。时间一律为 ISO 8601、+08:00；时长以秒计；错误为 {"error": "…"}。'


def build(desk: Desk, *, poll_s: float = 0.2, names: Collection[str] = ()) -> FastAPI:
    """The whole console as an ASGI app over `desk`, whose revision is looked at every `poll_s`.
    `names`: the host names, with a dot, that people call it by."""
    app = FastAPI(
        title="回应 Huiying",
        version="0.1.0",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        exception_handlers=errors.HANDLERS,
    )
    pulse = Pulse(desk, poll_s)
    app.state.console = Console(desk, pulse)
    pages = (
        health.router,
        board.router,
        board.api,
        looking.router,
        authors.router,
        acting.router,
        events.router,
    )
    for router in (
        handover.router,  # before the acts on one hand-over, whose number could else be “log”
        handover.api,
        *pages,
        incident.router,
        incident.api,
        access.router,
        receipts.router,
        slack.router,
        chats.router,
        onelinks.router,
        preferences.router,
        preferences.api,
        phone.router,
        hooks.router,
        letters.router,
        letters.api,
        statements.router,
        statements.api,
        authors.api,
        registers.router,
        registers.api,
        assessment.router,
        assessment.api,
        aftermath.router,
        aftermath.api,
        meetings.router,
        meetings.api,
        dossiers.router,
        dossiers.api,
        mood.router,
        mood.api,
        files.router,
        files.api,
        reports.router,
        reports.api,
        levels.router,
        levels.api,
        levels.door,
        work.router,
        work.api,
        audit.router,
        audit.api,
        api.router,
        api.docs,
    ):
        app.include_router(router)
    openapi.describe(app)
    app.mount("/static", Static(directory=views.HERE / "static"))
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Gate)
    app.add_middleware(Poke, pulse=pulse)
    app.add_middleware(Shield, names=names)
    return app


class Static(StaticFiles):
    """Our own files; an address with a content mark (?v=) may be kept for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        marked = b"v=" in scope.get("query_string", b"")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if marked else "no-cache"
        return response


class Server(uvicorn.Server):
    """uvicorn that ends the open event streams first, so that Ctrl-C stops at once."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        if isinstance(app, FastAPI):
            await app.state.console.pulse.close()
        await super().shutdown(sockets)


def server(app: FastAPI, host: str = "127.0.0.1", port: int = 8787) -> Server:
    """A server for `app`: `.run()` in the main thread, or `.run()` in a thread of its own and
    `.should_exit = True` to stop it."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=3,
        server_header=False, log_config=None,  # its words go the way of all others, scrubbed
    )  # fmt: skip
    return Server(config)
