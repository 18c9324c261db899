"""What the phone's page and the web app ask of the site; `flows.office.phone` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class PhoneDesk(Protocol):
    def kit(self) -> View:
        """site (its name), dictation (may the browser's recogniser be offered?), publisher (who publishes, where a
        form leaves it open)."""
        ...
