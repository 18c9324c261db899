"""What the evidence form with a file asks; `flows.office.files` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class FilesDesk(Protocol):
    def stop(
        self, incident_id: str, params: dict[str, str], by: str, name: str, content: bytes, once: str = ""
    ) -> View:
        """`Desk.act("stop", …)` with a file as the proof's own bytes. The answer is the incident's with
        `stopped`. Raises Refusal (also for a file that may not be kept) or Unknown."""
        ...
