"""How to reach the broker and what to read there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.core.vocabulary import Medium

ASSIGNORS = ("range", "cooperative")


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """`bootstrap`: "host:port" or several with commas. `topics` hold tickets, `posts` hold what media and
    the public wrote; signals get `source_id`, or the topic's name when it is empty. `writes` are topics
    that we write to, for `check`.

    `security`: kafka-python's own settings for SASL and TLS (security_protocol, sasl_mechanism,
    sasl_plain_username, sasl_plain_password, ssl_cafile, …), passed through; it never appears in a
    message or a repr. `assignor`: "range", or "cooperative" (a rebalance stops only the partitions that
    move; all members of a group must agree).
    """

    bootstrap: str
    topics: tuple[str, ...] = ()
    group: str = "huiying"
    medium: Medium = Medium.HOTLINE
    source_id: str = ""
    client_id: str = "huiying"
    session_timeout_s: float = 10.0
    security: Mapping[str, Any] = field(default_factory=dict, repr=False)
    posts: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    assignor: str = "range"

    @property
    def servers(self) -> list[str]:
        return [server.strip() for server in self.bootstrap.split(",") if server.strip()]

    @property
    def reads(self) -> tuple[str, ...]:
        return self.topics + self.posts

    def medium_of(self, topic: str) -> Medium:
        """What a message of this topic is unless it says otherwise itself."""
        return Medium.NEWS if topic in self.posts else self.medium
