"""What comes in: one post, call, notice or letter is one signal 舆情线索."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.core.text import storable, storable_json
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
    Whoever makes one, its texts are such as every database takes (law 15).
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

    def __post_init__(self) -> None:
        said = (self.url, self.author, self.place, *self.metrics)  # one look at all: nearly all are clean
        words = "".join((self.source_id, self.external_id, self.title, self.body, *filter(None, said)))
        if storable(words) != words:
            _make_storable(self, ("source_id", "external_id", "title", "body", "url", "author", "place"))
            object.__setattr__(self, "metrics", {storable(name): n for name, n in self.metrics.items()})

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

    def __post_init__(self) -> None:
        _make_storable(self, ("place", "reason", "raw"))
        if self.fields is not None:
            object.__setattr__(self, "fields", storable_json(self.fields))


def _make_storable(one: RawSignal | Rejected, names: Sequence[str]) -> None:
    """The one gate: from here on no text can make the database refuse what came with it."""
    for name in names:
        text = getattr(one, name)
        if text is not None:
            object.__setattr__(one, name, storable(text))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read of one source gave. `read == len(signals) + len(rejected)`."""

    signals: tuple[RawSignal, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def read(self) -> int:
        return len(self.signals) + len(self.rejected)
