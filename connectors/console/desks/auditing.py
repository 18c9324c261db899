"""What the audit page asks; `flows.office.auditing` answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

View = dict[str, Any]
FILTERS = ("kind", "actor", "incident", "from", "to", "text")
"""What may be asked for: a kind's code, a person's id, an incident, times, words."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is written while it is sent; its name says what was asked for."""

    name: str
    media_type: str
    lines: Iterator[bytes]


class AuditDesk(Protocol):
    """ENTRY: seq, at, code, kind (in words), actor (a name), actor_id, incident_id | None, text, reason, hash;
    personal data is masked."""

    def overview(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        """entries [ENTRY] older than number `before`, newest first; next (the number to ask on from | None),
        looked_to (the oldest entry that was searched for words | None: all), total (of the whole journal),
        head (the newest entry's hash), ok and verified_at (when the chain was last verified), asked {as
        understood}, kinds [{code, zh}], actors [{id, name}]. Raises Refusal for what cannot be read."""
        ...

    def export(self, asked: Mapping[str, str], form: str, by: str, reason: str) -> Export:
        """form: csv | jsonl. Journalled before the first line is sent. Raises Refusal or Unknown."""
        ...

    def signins(self, asked: Mapping[str, str], limit: int, before: int | None) -> View:
        """Where there are accounts: signins [{id, at, account | None, name, method, method_zh, ok, why, why_zh,
        address, agent}], newest first; next (a number | None), accounts (bool), asked. asked: account, from, to.
        Raises Refusal for a time that cannot be read."""
        ...
