"""What the pages of dossiers ask; `flows.office.dossiers` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class DossiersDesk(Protocol):
    """DOSSIER: id, incident_id, state (made|handed|receipted), state_zh, sha256, posts (a number), authors
    (masked|full), personal (does it hold personal data?), files [{path, bytes, sha256}], journal_head, made_at,
    made_by, receiver, handed_at, handed_by, receipt, receipt_at, follow_up [{at, by, text}], form (text to
    print) | None."""

    def overview(self, incident_id: str) -> View:
        """incident_id, now, dossiers [DOSSIER], receivers [str], authors, basis [str]. Raises Unknown."""
        ...

    def content(self, dossier_id: str) -> tuple[bytes, str]:
        """The archive's bytes and a name for the file. Raises Unknown, and Refusal for one with personal data."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        """make {signals?, look?, reason?}, hand {dossier, to, reason}, receipt {dossier, number, received_at?,
        reason?}, follow {dossier, text}. The answer is `overview`'s with `said` and `dossier` (its id).
        Raises Refusal or Unknown."""
        ...
