"""Bursts at work: does some place, topic or source bring more than this hour of this weekday should?

Read the stretch and what is usual, decide by `core.burst`, append: an incident opens, or the one that
most of these signals belong to grows hotter. A hit mutes nothing: what grows on is told again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flows.judging.rows import part_row
from flows.judging.sorting import TICKETS
from flows.wiring import House
from models.core.burst import (
    DAYS,
    WEEKS,
    Burst,
    BurstRule,
    Outage,
    Usual,
    burst,
    grown,
    locality,
    outages,
    taken,
    unsettled,
    usable,
    usual,
)
from models.core.grade import GradePart
from models.core.keywords import common_words
from models.core.moment import iso, local
from models.core.personal import mask_personal, mask_said
from models.core.vocabulary import Grade, Medium, StartEvent
from models.ledger import acts, incidents, pulses
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.store import Connection, Row

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
HISTORY = timedelta(weeks=WEEKS)
ALL = "全部信源"
SHARE = 0.5
"""An incident that so much of a burst belongs to is what the burst is about."""

Key = tuple[str, str]
Met = tuple[str, frozenset[int]]
"""An incident that a burst of this look is about, and the burst's signals."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one rule and group brought within the rule's time: `count` signals of these sources. `shaky`: whose own
    times alone are trusted. `holds` asks about a signal of the group."""

    rule: BurstRule
    group: str
    count: int
    sources: frozenset[str]
    shaky: frozenset[str]

    def holds(self, row: Row[Any], now: datetime) -> bool:
        return now - _said(row) < self.rule.within and _counts(self.rule, row, self.shaky)


def look(house: House) -> str:
    """Look once; the result in words."""
    now, rules = house.time.now(), house.site.watch.bursts
    if not rules:
        return "没有突增规则"
    with house.store.read() as conn:
        found = list(found_at(conn, rules, now))
        known = pulses.surges(conn)
    fresh = [one for one, _ in found if not _is_told(one, known.get(_key(one)), now)]
    rows = _signals(house, [stretch for _, stretch in found], now) if fresh else {}
    told = [one for one, _ in found if _key(one) in rows and one not in fresh]
    met = [(known[_key(one)].incident_id, _ids(rows[_key(one)])) for one in told]
    done = [_tell(house, one, rows[_key(one)], known.get(_key(one)), met, now) for one in fresh]
    with house.store.write() as conn:
        pulses.forget(conn, now)
    opened, hotter = done.count("opened"), done.count("hotter")
    return f"突增 {len(found)} 处，立案 {opened}，升温 {hotter}" if found else "没有突增"


# ── reading and deciding ──────────────────────────────────────────────────────────────────────


def found_at(conn: Connection, rules: Sequence[BurstRule], now: datetime) -> Iterable[tuple[Burst, Stretch]]:
    """Every burst of this moment; `now` may lie in the past. The database counts: a province's day is two million."""
    counted = {within: pulses.counted(conn, now - within, now) for within in {one.within for one in rules}}
    sources = {row.source_id for rows in counted.values() for row in rows}
    hours = pulses.active_hours(conn, sources, now - HISTORY, now)
    stretches = [one for rule in rules for one in _stretches(rule, counted[rule.within], hours, now)]
    history = _History(conn, now, stretches) if stretches else None
    for one in stretches:
        known = history.usual(one, hours) if history else None
        found = burst(one.rule, one.group, one.count, known)
        if found is not None:
            yield found, one


def _signals(house: House, stretches: Sequence[Stretch], now: datetime) -> dict[Key, list[Row[Any]]]:
    """(rule, group) → its signals: asked only where something is to be told."""
    asked = {(one.rule.id, one.group): one for one in stretches}
    rules = {one.rule.id: one.rule for one in stretches}
    found: dict[Key, list[Row[Any]]] = {key: [] for key in asked}
    with house.store.read() as conn:
        for row in pulses.heard(conn, now - max(rule.within for rule in rules.values()), now):
            for name, rule in rules.items():
                key = name, _group(rule, row)
                if (one := asked.get(key)) and one.holds(row, now):
                    found[key].append(row)
    return found


def _said(row: Row[Any]) -> datetime:
    moment: datetime = min(row.published_at, row.seen_at) if row.published_at else row.seen_at
    return moment


def _stretches(
    rule: BurstRule, rows: Sequence[Row[Any]], hours: Mapping[str, list[datetime]], now: datetime
) -> list[Stretch]:
    """The rule's groups that might be a burst at all; what a shaky source brings is not counted."""
    shaky = frozenset(name for name, seen in hours.items() if unsettled(seen, now, rule.within))
    groups: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if _counts(rule, row, shaky) and (group := _group(rule, row)):
            groups[group].append(row)
    least = rule.count + 1 if rule.count is not None else rule.minimum
    made = [
        Stretch(
            rule, group, sum(row.signals for row in found), frozenset(row.source_id for row in found), shaky
        )
        for group, found in groups.items()
    ]
    return [one for one in made if one.count >= least]


def _counts(rule: BurstRule, row: Row[Any], shaky: Collection[str]) -> bool:
    """Not what we said ourselves; and a source that is new or just back brings what it had saved up: only its own
    times can be trusted."""
    if row.medium == Medium.OFFICIAL.value or (rule.media and Medium(row.medium) not in rule.media):
        return False
    return row.source_id not in shaky or (rule.count is not None and row.dated)


def _group(rule: BurstRule, row: Row[Any]) -> str:
    match rule.by:
        case "place":
            return _locality(row.place or "")
        case "topic":
            return str(row.topic)
        case "source":
            return str(row.source_id)
        case "all":
            return ALL


@lru_cache(4096)
def _locality(place: str) -> str:
    """Asked of each signal of a burst, and places are few."""
    return locality(mask_personal(place)) if place else ""


class _History:
    """The same stretch of earlier days and weeks, read at once for all rules."""

    def __init__(self, conn: Connection, now: datetime, stretches: Sequence[Stretch]) -> None:
        self._now = now
        back = [DAY * n for n in range(1, DAYS + 1)] + [DAY * 7 * n for n in range(1, WEEKS + 1)]
        withins = {one.rule.within for one in stretches}
        wanted = {hour for length in back for within in withins for hour, _ in _hours(now - length, within)}
        self._rows: dict[datetime, list[Row[Any]]] = defaultdict(list)
        for row in pulses.in_hours(conn, sorted(wanted)):
            self._rows[row.hour].append(row)

    def usual(self, one: Stretch, hours: Mapping[str, list[datetime]]) -> Usual | None:
        sources = one.sources
        gone = [outage for source in sources for outage in outages(hours.get(source, []), self._now)]
        begun = min((seen[0] for source in sources if (seen := hours.get(source))), default=self._now)
        weeks = self._counts(one, [DAY * 7 * n for n in range(1, WEEKS + 1)], gone, begun)
        days = self._counts(one, [DAY * n for n in range(1, DAYS + 1)], gone, begun)
        return usual(weeks, days)

    def _counts(
        self, one: Stretch, back: Sequence[timedelta], gone: Sequence[Outage], begun: datetime
    ) -> list[float]:
        """How many there were in each of the earlier stretches that all these sources lived through."""
        ends = [self._now - length for length in back]
        within = one.rule.within
        clear = [end for end in ends if end - within >= begun and usable(end - within, end, gone)]
        return [self._count(one, end) for end in clear]

    def _count(self, one: Stretch, end: datetime) -> float:
        counted: float = sum(
            share * row.signals
            for hour, share in _hours(end, one.rule.within)
            for row in self._rows.get(hour, ())
            if _in_group(one, row)
        )
        return counted


def _in_group(one: Stretch, row: Row[Any]) -> bool:
    if row.medium == Medium.OFFICIAL.value:
        return False
    if one.rule.media and Medium(row.medium) not in one.rule.media:
        return False
    values = {"place": row.place, "topic": row.topic, "source": row.source_id, "all": ALL}
    return bool(values[one.rule.by] == one.group)


def _hours(end: datetime, within: timedelta) -> list[tuple[datetime, float]]:
    """The full hours that (end - within, end] touches, each with the share of it that lies inside."""
    hour = local(end - within).replace(minute=0, second=0, microsecond=0)
    found = []
    while hour < end:
        inside = min(end, hour + HOUR) - max(end - within, hour)
        found.append((hour, inside / HOUR))
        hour += HOUR
    return [(hour, share) for hour, share in found if share > 0]


# ── appending ─────────────────────────────────────────────────────────────────────────────────


def _tell(
    house: House, one: Burst, rows: Sequence[Row[Any]], last: Row[Any] | None, met: list[Met], now: datetime
) -> str:
    """Open an incident, or raise the heat of the one that it belongs to; `met` learns which.

    Where each signal belongs is asked again inside the transaction: another rule may just have taken
    the same signals home.
    """
    ids = _ids(rows)
    again = last if last is not None and now - last.last_at < one.rule.within else None
    with house.store.write() as conn:
        homes = pulses.homes(conn, ids)
        home = _home(conn, homes, [again.incident_id] if again else [], _same(ids, met))
        if home is None:
            home, done = _open(conn, house, one, rows, now), "opened"
        else:
            _heat(conn, house, one, home, now)
            done = "hotter"
        _link(conn, one, rows, homes, home, now)
        pulses.keep(conn, _surge_row(one, home, again.began_at if again else now, now))
    met.append((home, ids))
    return done


def _key(one: Burst) -> Key:
    return one.rule.id, one.group


def _ids(rows: Iterable[Row[Any]]) -> frozenset[int]:
    return frozenset(row.id for row in rows)


def _same(ids: frozenset[int], met: Sequence[Met]) -> list[str]:
    """The incidents of bursts that are made of the same signals, for the greater part of either."""
    return [home for home, theirs in met if len(ids & theirs) >= SHARE * max(len(ids), len(theirs))]


def _is_told(one: Burst, last: Row[Any] | None, now: datetime) -> bool:
    return last is not None and is_told(one, last.last_at, last.told, now)


def is_told(one: Burst, last_at: datetime, told: int, now: datetime) -> bool:
    """Has it been told within its own stretch, and not grown much since?"""
    return now - last_at < one.rule.within and not grown(told, one.count)


def _surge_row(one: Burst, home: str, began: datetime, now: datetime) -> dict[str, Any]:
    return {
        "rule_id": one.rule.id,
        "group": one.group,
        "began_at": began,
        "last_at": now,
        "told": one.count,
        "incident_id": home,
    }


def _home(
    conn: Connection, homes: Mapping[int, str | None], before: Sequence[str], same: Sequence[str]
) -> str | None:
    """The open incident that this burst has opened before, that at least half of its signals belong to,
    or that another rule has opened for them."""
    belonging = Counter(filter(None, homes.values()))
    wanted = [name for name, count in belonging.most_common(1) if count >= SHARE * len(homes)]
    names = [*before, *wanted, *same]
    about = incidents.by_ids(conn, names)
    return next((name for name in names if name in about and about[name].closed_at is None), None)


def _open(conn: Connection, house: House, one: Burst, rows: Sequence[Row[Any]], now: datetime) -> str:
    part = _part(one)
    first = min(now, *map(_said, rows))
    tickets = all(Medium(row.medium) in TICKETS for row in rows)
    start = StartEvent.RECEIPT if tickets else StartEvent.FIRST_PUBLIC
    opening = acts.Opening(
        title=_title(one, rows),
        grade=one.rule.grade,
        times={StartEvent.DISCOVERY: now, start: first},
        by="huiying",
        reason=mask_personal(one.reason),
        grade_parts=[part_row(part)],
        medium=rows[0].medium,
        place=mask_personal(one.group) if one.rule.by == "place" else None,
    )
    return acts.open_incident(conn, now, opening, house.rules_for)


def _title(one: Burst, rows: Sequence[Row[Any]]) -> str:
    """东城区 2 小时内 23 件: 停水、异味; what most of them name."""
    words = common_words([mask_said(row.title, row.medium, row.author) for row in rows], 3)
    about = f": {'、'.join(words)}" if words else ""
    return mask_personal(f"{one.rule.name} {one.group} {one.count} 件{about}")


def _part(one: Burst) -> GradePart:
    return GradePart("heat", one.rule.grade, f"{one.reason}(建议)", (), True)


def _heat(conn: Connection, house: House, one: Burst, home: str, now: datetime) -> None:
    """What is provisional rises with its reason; a person's grade is only proposed against; each is noted."""
    row = incidents.get(conn, home)
    why = mask_personal(one.reason)
    grade = Grade(row.grade)
    if grade >= one.rule.grade:
        acts.note(conn, now, home, why, "huiying")
    elif row.provisional:
        parts = [part for part in row.grade_parts if part.get("part") != "heat"] + [part_row(_part(one))]
        acts.set_grade(
            conn, now, home, one.rule.grade, "huiying", why, house.rules_for, provisional=True, parts=parts
        )
    elif not incidents.proposed(conn, home, one.rule.grade):
        acts.propose_grade(conn, now, home, one.rule.grade, why)


def _link(
    conn: Connection,
    one: Burst,
    rows: Sequence[Row[Any]],
    homes: Mapping[int, str | None],
    home: str,
    now: datetime,
) -> None:
    """Signals without an incident that share the burst's place or words go with it: the matter that makes the
    greater part of it for good, others until they are found to be incidents of their own."""
    words = common_words([row.title for row in rows], 3)
    free = [row for row in rows if homes[row.id] is None]
    alone = [row for row in free if one.rule.by == "place" or _names(row, words)]
    if not alone:
        return
    sizes = Counter(row.cluster for row in rows)
    main = {name for name, size in sizes.items() if size >= SHARE * len(rows)}
    whys = {is_main: mask_personal(taken(one.rule, one.group, main=is_main)) for is_main in (True, False)}
    moved = [
        {"signal_id": row.id, "incident_id": home, "link_reason": whys[row.cluster in main]} for row in alone
    ]
    count = incidents.get(conn, home).signal_count + len(moved)
    last = max(map(_said, alone))
    counts = [{"id": home, "signal_count": count, "last_signal_at": iso(last)}]
    payload = {"update": {"judgement": moved, "incident": counts}}
    append(conn, now, [Entry("signals_linked", payload, "huiying", whys[True], home)])


def _names(row: Row[Any], words: Sequence[str]) -> bool:
    return any(word in row.title for word in words)
