"""What the page of reports asks; `flows.office.reports` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file for a person to keep."""

    name: str
    content: bytes
    media_type: str


class ReportsDesk(Protocol):
    """Reports are read, never kept: each is made anew from the ledger, and names the journal's head."""

    def overview(self) -> View:
        """kinds [{key, zh, about, of (incident|period|either), form, forms [{key, zh}], period (what it is usually
        of), periods [{key, name}]}], incidents [{id, ref, title, closed}], site."""
        ...

    def file(self, kind: str, form: str, params: dict[str, str]) -> File:
        """params: incident?, period?, from?, to?. Raises Unknown, Refusal."""
        ...

    def data(self, kind: str, params: dict[str, str]) -> View:
        """The figures that a report is drawn from: kind, kind_zh, title, made_at, seal, data. Raises as `file`."""
        ...
