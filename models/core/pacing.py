"""Which of the waiting alerts go out now, together with which, and which a channel's limit holds back.

* Alerts for one person at one address that are due at one moment are one message.
* A limited channel sends most urgent first: steps of clocks before notices, the nearest deadline first,
  and keeps a quarter of its minute for steps.
* A step that would wait longer than `PATIENCE` goes to the person's next contact that has room.

A message that has gone out once never gains an alert on its way out again (`bundle`): a receiver that
drops what it has seen under that name can then lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TOGETHER = 20
"""So many alerts make one message at the most."""
PRESSED = 100
"""The same on a limited channel: whoever had to wait gets everything at once."""
RESERVED = 4
"""One part in so many of a channel's minute is kept for steps."""
MINUTE = timedelta(minutes=1)
PATIENCE = timedelta(seconds=10)
"""In real time. A deadline waits no longer for a throttle where the person has another contact."""

Rank = tuple[int, datetime, int, str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that waits. `rank` puts the most urgent first; `step`: it is about a deadline."""

    id: str
    person: str
    contacts: tuple[tuple[str, str], ...]
    contact: int
    refused: frozenset[int]
    bundle: str | None
    step: bool
    rank: Rank

    @property
    def channel(self) -> str:
        return self.contacts[self.contact][0]

    @property
    def place(self) -> tuple[str, tuple[str, str], str | None]:
        """Who by which way, and in which message it has been already."""
        return self.person, self.contacts[self.contact], self.bundle


Group = tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a channel bears: messages a minute (None = any number), alerts in one message (None = as
    many as are good for it)."""

    per_minute: int | None = None
    together: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """A channel's limit (None = none of its own), when it was used of late, and a pause it asked for."""

    per_minute: int | None = None
    used: tuple[datetime, ...] = ()
    paused_until: datetime | None = None

    def spent(self, now: datetime) -> Budget:
        return Budget(self.per_minute, (*self.used, now), self.paused_until)

    def free_at(self, now: datetime, step: bool, minute: timedelta) -> datetime:
        """When one more message may go: `now`, or a moment after it."""
        if self.paused_until is not None and self.paused_until > now:
            return self.paused_until
        room = self._room(step)
        if room is None or len(self.used) < room:
            return now
        return self.used[len(self.used) - room] + minute

    def _room(self, step: bool) -> int | None:
        if self.per_minute is None or step:
            return self.per_minute
        return self.per_minute - self.per_minute // RESERVED


@dataclass(slots=True)
class Plan:
    """What one claim does: groups that go, most urgent first; alerts that turn to another contact;
    alerts held back, with the channel and until when; the budgets after it."""

    budgets: dict[str, Budget]
    go: list[Group] = field(default_factory=list)
    turned: list[tuple[str, int]] = field(default_factory=list)
    held: dict[tuple[str, datetime], list[str]] = field(default_factory=dict)


def plan(
    waiting: Sequence[Waiting],
    budgets: Mapping[str, Budget],
    now: datetime,
    limits: Mapping[str, Limit] | None = None,
    pace: float = 1.0,
) -> Plan:
    """Decide about all of `waiting`. `budgets` names only channels that are limited or paused;
    `pace` is how many seconds of the site pass in one."""
    made, sizes = Plan(dict(budgets)), _sizes(limits or {}, budgets)
    for group in groups(waiting, sizes):
        _place(group, made, now, pace)
    return made


def _sizes(limits: Mapping[str, Limit], budgets: Iterable[str]) -> dict[str, int]:
    """channel → alerts in one message, where it is not `TOGETHER`."""
    own = {channel: limit.together for channel, limit in limits.items() if limit.together is not None}
    return dict.fromkeys(budgets, PRESSED) | own


def groups(waiting: Iterable[Waiting], sizes: Mapping[str, int]) -> list[Group]:
    """One group for each message, the most urgent group and within it the most urgent alert first."""
    by_place: dict[tuple[str, tuple[str, str], str | None], list[Waiting]] = {}
    for one in sorted(waiting, key=lambda one: one.rank):
        by_place.setdefault(one.place, []).append(one)
    cut = [part for found in by_place.values() for part in _cut(found, sizes)]
    return sorted(cut, key=lambda group: group[0].rank)


def _cut(found: list[Waiting], sizes: Mapping[str, int]) -> Iterable[Group]:
    size = sizes.get(found[0].channel, TOGETHER)
    return (tuple(found[start : start + size]) for start in range(0, len(found), size))


def _place(group: Group, made: Plan, now: datetime, pace: float) -> None:
    """Send the group, or turn its steps to another contact, or hold it back."""
    step, minute = group[0].step, MINUTE * pace
    until = _free_at(group[0].channel, step, made, now, minute)
    if until <= now:
        _send(group, group[0].channel, made, now)
        return
    patient = until - now <= PATIENCE * pace
    for one in group if patient else _turned(group, made, now, minute):
        wait = until if patient or not one.step else min(until, _soonest(one, made, now, minute))
        made.held.setdefault((one.channel, wait), []).append(one.id)


def _turned(group: Group, made: Plan, now: datetime, minute: timedelta) -> Group:
    """Send the group's steps by other contacts that have room, those for one address together; the rest
    of the group, for which there is none."""
    left = group
    while turning := _turning(left, made, now, minute):
        going = tuple(one for one in left if one.id in turning)
        made.turned += [(one.id, turning[one.id]) for one in going]
        _send(going, going[0].contacts[turning[going[0].id]][0], made, now)
        left = tuple(one for one in left if one.id not in turning)
    return left


def _turning(group: Group, made: Plan, now: datetime, minute: timedelta) -> dict[str, int]:
    """id → contact of the first step that can turn, and of those that turn to the very same address: what
    was raised under another roster may have other contacts."""
    ways = {one: _turn(one, made, now, minute) for one in group if one.step}
    places = {one: (one.contacts[way], way) for one, way in ways.items() if way is not None}
    first = next((address for address, _ in places.values()), None)
    return {one.id: way for one, (address, way) in places.items() if address == first}


def _free_at(channel: str, step: bool, made: Plan, now: datetime, minute: timedelta) -> datetime:
    budget = made.budgets.get(channel)
    return now if budget is None else budget.free_at(now, step, minute)


def _send(group: Group, channel: str, made: Plan, now: datetime) -> None:
    made.go.append(group)
    budget = made.budgets.get(channel)
    if budget is not None:
        made.budgets[channel] = budget.spent(now)


def _turn(one: Waiting, made: Plan, now: datetime, minute: timedelta) -> int | None:
    """The next contact that has room at this moment and has not refused for good."""
    count = len(one.contacts)
    for step in range(1, count):
        contact = (one.contact + step) % count
        channel = one.contacts[contact][0]
        if _is_other(one, contact) and _free_at(channel, True, made, now, minute) <= now:
            return contact
    return None


def _is_other(one: Waiting, contact: int) -> bool:
    """By another channel than the one it waits for, and not refused for good."""
    return contact not in one.refused and one.contacts[contact][0] != one.channel


def _soonest(one: Waiting, made: Plan, now: datetime, minute: timedelta) -> datetime:
    """When the first of a step's contacts has room."""
    ways = [channel for n, (channel, _) in enumerate(one.contacts) if _is_other(one, n)]
    return min(_free_at(channel, True, made, now, minute) for channel in (one.channel, *ways))
