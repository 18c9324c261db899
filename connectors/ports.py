"""What the inside expects of the edges: small shapes that every adapter speaks.

Adapters translate and nothing else: no adapter decides who is told or when.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class ConnectorError(Exception):
    """The root of everything an adapter may raise; its words name the place and the way out."""


class Refused(ConnectorError):
    """The other side, or a guard of ours, said no: trying the same again will not help."""


class Unreachable(ConnectorError):
    """Nobody answered, or not in time: trying again may help.

    `retry_after` is the other side's own wish in seconds, when it stated one. `reached`: somebody
    was there and said so; else it may as well be our own network.
    """

    def __init__(self, message: str, retry_after: float | None = None, reached: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.reached = reached


class Outcome(StrEnum):
    """What became of one attempt to send."""

    ACCEPTED = "accepted"  # the channel took it, in its own words
    REFUSED = "refused"  # a lasting no: wrong key, unknown recipient, message too long
    RETRY = "retry"  # a passing no: 429, 5xx, closed connection
    UNKNOWN = "unknown"  # sent, but no answer was seen: resend with the same reference


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of one attempt, with the reason in words for the journal and the officer."""

    outcome: Outcome
    reason: str
    receipt: str | None = None
    retry_after: float | None = None  # seconds, when the channel asked for it
    messages: int = 1  # how many of the channel's minute it took: a long text goes in parts


@dataclass(frozen=True, slots=True)
class Message:
    """One alert to one address, ready to be written in a channel's own form.

    `payload` is the webhook body of the contract (alert_id, ref, attempt, reason, incident,
    clock, step, recipient, raised_at, sent_at, late_by_s); `text` is the same for a person. `thread`:
    what it is a reply to, in the channel's own words, where the address is the incident's own room.
    """

    alert_id: str
    ref: str
    address: str
    title: str
    text: str
    payload: dict[str, Any]
    thread: str = ""


class Channel(Protocol):
    """A way to reach a person. `send` never raises for what the other side does."""

    id: str
    type: str

    def send(self, message: Message) -> Delivery: ...

    def check(self) -> str | None:
        """None when the settings look usable, else one sentence that says what to mend."""
        ...

    def close(self) -> None:
        """Let go of connections; nothing is sent afterwards."""
        ...
