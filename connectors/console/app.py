"""The console: `build` puts the pages before a desk, `server` serves them."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from connectors.console import errors, views
from connectors.console.context import Console
from connectors.console.desk import Desk
from connectors.console.guard import Shield
from connectors.console.pages import (
    acting,
    aftermath,
    api,
    assessment,
    authors,
    dossiers,
    events,
    files,
    health,
    hooks,
    letters,
    looking,
    meetings,
    mood,
    receipts,
    registers,
    reports,
    statements,
    work,
)
from connectors.console.pulse import Pulse

_ABOUT = '与页面相同的内容和操作。时间一律为 ISO 8601、+08:00；时长以秒计；错误为 {"error": "…"}。'


def build(desk: Desk, *, poll_s: float = 0.5) -> FastAPI:
    """The whole console as an ASGI app over `desk`, whose revision is looked at every `poll_s`."""
    app = FastAPI(
        title="回应 Huiying",
        version="0.1.0",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        exception_handlers=errors.HANDLERS,
    )
    app.state.console = Console(desk, Pulse(desk, poll_s))
    pages = (health.router, looking.router, authors.router, acting.router, events.router)
    for router in (
        *pages,
        receipts.router,
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
        work.router,
        work.api,
        api.router,
        api.docs,
    ):
        app.include_router(router)
    app.mount("/static", Static(directory=views.HERE / "static"))
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Shield)
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
        server_header=False,
    )  # fmt: skip
    return Server(config)
