"""What Slack's doors ask; `flows.office.slack` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class SlackDesk(Protocol):
    def received(self, door: str, headers: Mapping[str, str], body: bytes) -> tuple[View, str]:
        """What came in at /hooks/slack/`door` (events, actions, commands), `headers` in lower case: the answer
        that Slack waits for, and the key of what is still to be done ("" for nothing). Raises Unsigned, and
        Refusal for what cannot be read."""
        ...

    def work(self, key: str) -> None:
        """Do what was received under `key`, once; it says to the person in Slack what came of it."""
        ...
