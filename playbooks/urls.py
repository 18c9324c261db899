"""Web addresses as fields of a site's files."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from playbooks.fields import refuse


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise refuse(f"“{value[:80]}” 不是网址", "写成 http://… 或 https://…")
    return value


Url = Annotated[
    str, AfterValidator(_url), Field(max_length=2000, json_schema_extra={"examples": ["https://…"]})
]
Address = Annotated[
    str,
    AfterValidator(lambda value: value if value.startswith("${") else _url(value)),
    Field(max_length=2000, json_schema_extra={"examples": ["https://…", "${HUIYING_HOOK_URL}"]}),
]
"""A web address that may be a reference: some gateways carry their key in it."""
