"""Every route that an app answers, as method and template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """(GET, /incidents/{incident_id}), …; what is mounted is its folder: (GET, /static/)."""
    for route in app.routes:
        yield from _of(route)


def _of(route: Any) -> Iterator[tuple[str, str]]:
    router = getattr(route, "original_router", None)
    if router is not None:  # FastAPI keeps an included router whole
        for inner in router.routes:
            yield from ((way, route.include_context.prefix + path) for way, path in _of(inner))
    elif getattr(route, "methods", None):
        yield from ((way, route.path) for way in sorted(route.methods - {"HEAD"}))
    else:
        yield "GET", f"{route.path}/"
