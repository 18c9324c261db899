"""What the doors of Feishu and WeCom ask; `flows.telling.chats` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class ChatsDesk(Protocol):
    """Presses of a card's buttons: verified, done once as the person whose contact it is."""

    def feishu(self, channel: str, headers: Mapping[str, str], body: bytes) -> View:
        """The answer that Feishu waits for, `headers` in lower case: {challenge} or {toast {type, content}} or {}.
        Raises Unsigned, Unknown for a channel that is none."""
        ...

    def wecom_greeting(self, channel: str, query: Mapping[str, str]) -> str:
        """What WeCom asked for to know that we are there. Raises Unsigned, Unknown."""
        ...

    def wecom(self, channel: str, query: Mapping[str, str], body: bytes) -> tuple[str, View]:
        """The sealed answer ("" for none) and what is to be said afterwards: {channel, user, words} or {}.
        Raises Unsigned, Unknown."""
        ...

    def say(self, told: View) -> None:
        """Say to the one who pressed what no button can show."""
        ...
