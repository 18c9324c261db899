"""What comes in: one post, call, notice or letter is one signal 舆情线索."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.core.vocabulary import Medium

FIELDS = (
    "id", "title", "body", "author", "published_at", "occurred_at", "place", "url", "channel", "source",
    "reads", "reposts", "likes", "comments", "metrics",
)  # fmt: skip
"""What a column of a table may feed; the names that a mapping file uses."""


@dataclass(frozen=True, slots=True)
class RawSignal:
    """A signal as a connector read it, before anybody judged it.

    `external_id` is the source's own id (feed guid, ticket number): the pair of source and
    external id is seen exactly once however often it arrives. Times carry an offset.
    `metrics` holds counts by name: reads, reposts, likes, comments.
    """

    source_id: str
    external_id: str
    medium: Medium
    title: str
    body: str
    url: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    place: str | None = None
    metrics: dict[str, int] = field(default_factory=dict)
    occurred_at: datetime | None = None

    @property
    def uid(self) -> str:
        """The unique key of law 2's cousin for signals: 32 hex digits."""
        return hashlib.sha256(f"{self.source_id}\x1f{self.external_id}".encode()).hexdigest()[:32]

    @property
    def text(self) -> str:
        return f"{self.title}\n{self.body}".strip()


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that could not become a signal: where it stood, why, and what to do.

    Goes to the dead letters whole, so that nothing is lost. `fields`, where the row had columns:
    row (column → value), columns (our field → column) and medium, so that it can be mended and replayed.
    """

    place: str
    reason: str
    raw: str
    fields: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read of one source gave. `read == len(signals) + len(rejected)`."""

    signals: tuple[RawSignal, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def read(self) -> int:
        return len(self.signals) + len(self.rejected)
