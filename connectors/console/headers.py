"""The security headers of every answer: nothing from elsewhere, no inline script."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import MutableHeaders

CSP: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
CSP_DOCS: Final = f"{CSP}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
"""Swagger UI writes style attributes and data: images; scripts stay our own there too."""


HSTS: Final = "max-age=31536000"
"""A year; only said over https, where it means something."""


def secure(headers: MutableHeaders, path: str, https: bool = False) -> None:
    headers.setdefault("Content-Security-Policy", CSP_DOCS if path == "/api/docs" else CSP)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-store")
    if https:
        headers["Strict-Transport-Security"] = HSTS
