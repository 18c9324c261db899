"""One fact about to be written into the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """`payload` is JSON-ready; times in it are ISO 8601 texts. Its keys `insert` and `update` say
    exactly which rows the entry changes (`projections`)."""

    kind: str
    payload: dict[str, Any]
    actor: str
    reason: str = ""
    incident_id: str | None = None
