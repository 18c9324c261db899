"""What the page of looking back asks; `flows.office.aftermath` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class AftermathDesk(Protocol):
    """The chain of an incident's times, what was late and why, lessons and improvements."""

    def overview(self, incident_id: str) -> View:
        """The shape is that of `flows.office.aftermath.chain`. Raises Unknown."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        """cause {clock, cause, words}, lesson {text}, improve {name, unit, due_at?, reason?}, lookback {text}.
        `overview`'s answer after it, with `said`. Raises Refusal, Unknown."""
        ...
