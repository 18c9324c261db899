"""Where an incident is talked of: by platform, source and place, who was first, how it grew. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SHOWN: Final = 12
"""Lines of one table; what is beyond them is told as one line."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One signal of the incident; `place` is the one stated by its source, else the one read in it."""

    id: int
    at: datetime
    negative: bool
    medium: str
    source: str
    topic: str
    place: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """How much came from one platform, source or place, when it came there first, and which signal that was."""

    name: str
    count: int
    negative: int
    first_at: datetime
    first: Heard
    last_at: datetime


def shares(heard: Iterable[Heard], name: Callable[[Heard], str | None]) -> list[Share]:
    """One share for each name, the most first, of equals the earlier; signals without a name are left out."""
    groups: dict[str, list[Heard]] = {}
    for one in heard:
        called = name(one)
        if called:
            groups.setdefault(called, []).append(one)
    found = [_share(called, members) for called, members in groups.items()]
    return sorted(found, key=lambda share: (-share.count, share.first_at, share.name))


def _share(name: str, members: Sequence[Heard]) -> Share:
    first = min(members, key=lambda one: (one.at, one.id))
    bad = sum(one.negative for one in members)
    return Share(name, len(members), bad, first.at, first, max(one.at for one in members))


def order(found: Iterable[Share]) -> list[Share]:
    """The same by when each was reached: the way that the news took."""
    return sorted(found, key=lambda share: (share.first_at, share.first.id))


def first_of(heard: Sequence[Heard]) -> Heard | None:
    """Who spoke of it first."""
    return min(heard, key=lambda one: (one.at, one.id), default=None)
