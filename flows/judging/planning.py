"""Keyword plans at work: what fires joins a signal's reasons, and its owner is told.

Triage asks `watched` and writes `note`; the duty `plans` finds what is untold and tells it. What is not
urgent waits for the end of the quiet hours; what fires again meanwhile is told together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from flows.judging.reading import Reading
from flows.wiring import House
from models.core.burst import locality
from models.core.concern import FLAG_AT, Concern
from models.core.grade import GradePart, grade
from models.core.moment import clock_face, local
from models.core.personal import mask_personal, mask_said
from models.core.plans import Fired, Plan, PlanBook
from models.core.roster import Person, Roster
from models.ledger import notices, plan_hits, pulses
from models.ledger.notices import Notice
from models.ledger.store import Connection

SHOWN = 5
TOPIC = "plan:"


# ── on a signal ───────────────────────────────────────────────────────────────────────────────


def watched(readings: Iterable[Reading], book: PlanBook) -> list[Reading]:
    """The same readings, each with the plans that it fires: their reasons, floor and flag."""
    return [_with(reading, book.fire(reading.signal, reading.title, reading.body)) for reading in readings]


def _with(reading: Reading, fired: tuple[Fired, ...]) -> Reading:
    if not fired:
        return reading
    parts = _raised(reading.parts, fired)
    worry = reading.worry
    score = max(worry.score, FLAG_AT) if any(one.plan.opens for one in fired) else worry.score
    reasons = (*(one.reason for one in fired), *worry.reasons)
    return replace(reading, plans=fired, parts=parts, graded=grade(parts), worry=Concern(score, reasons))


def _raised(parts: tuple[GradePart, ...], fired: Sequence[Fired]) -> tuple[GradePart, ...]:
    """A plan's floor is people's own word on what is sensitive: it stands where no graver rule does."""
    floors = [(one.plan.floor, one) for one in fired if one.plan.floor is not None]
    if not floors:
        return parts
    floor, one = max(floors, key=lambda pair: pair[0])
    known = next((part for part in parts if part.part == "sensitivity"), None)
    if known is not None and known.grade >= floor:
        return parts
    made = GradePart("sensitivity", floor, f"不低于{floor.zh}({floor}):{one.reason}", (), True)
    return (*(part for part in parts if part.part != "sensitivity"), made)


def note(conn: Connection, readings: Sequence[Reading], ids: Sequence[int], now: datetime) -> None:
    """Keep what fired, with the words, and count the hour, in triage's own transaction."""
    rows = [
        plan_hits.Hit(one.plan.id, id_, " … ".join(one.words), told=one.plan.owner is None)
        for reading, id_ in zip(readings, ids, strict=True)
        for one in reading.plans
    ]
    plan_hits.add(conn, now, rows)
    pulses.add(conn, [_beat(reading) for reading in readings if now - reading.at < pulses.KEPT])


def _beat(reading: Reading) -> pulses.Beat:
    signal = reading.signal
    hour = local(reading.at).replace(minute=0, second=0, microsecond=0)
    place = locality(mask_personal(signal.place)) if signal.place else ""
    return pulses.Beat(hour, signal.source_id, signal.medium.value, place, reading.judgement.topic)


# ── telling the owner ─────────────────────────────────────────────────────────────────────────


def tell_owners(house: House) -> str:
    """Tell each owner what fired since the last time; its one-line result."""
    now, watch = house.time.now(), house.site.watch
    gather = watch.gather
    with house.store.read() as conn:
        waiting = plan_hits.untold(conn)
        told_at = plan_hits.last_told(conn)
    due = [
        plan
        for plan in watch.book.plans
        if plan.id in waiting and _may_tell(plan, told_at.get(plan.id), now, watch.quiet, gather)
    ]
    told = sum(_tell(house, plan, now) for plan in due)
    late = sum(waiting.values()) - sum(waiting[plan.id] for plan in due)
    return f"监测方案通知 {told} 人" + (f"，{late} 条待告知" if late else "")


def _may_tell(
    plan: Plan, last: datetime | None, now: datetime, quiet: tuple[time, time] | None, gather: timedelta
) -> bool:
    if last is not None and now - last < gather:
        return False
    return plan.urgent or quiet is None or not is_quiet(now, *quiet)


def is_quiet(now: datetime, begins: time, ends: time) -> bool:
    """Is it between the two times of day in Beijing, over midnight where the end comes first?"""
    clock = local(now).time()
    return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends


def _tell(house: House, plan: Plan, now: datetime) -> int:
    """One notice for all that is untold, and the note that it is told, in one transaction."""
    with house.store.write() as conn:
        hits = plan_hits.of_plan_untold(conn, plan.id)
        if not hits:
            return 0
        homes = {hit.incident_id for hit in hits}
        people = owners(house.site.roster, plan.owner, now)
        told = notices.tell(
            conn,
            now,
            [
                Notice(
                    f"{TOPIC}{plan.id}",
                    f"{hits[0].signal_id}–{hits[-1].signal_id}",
                    f"监测方案“{plan.name}”命中 {len(hits)} 条",
                    _words(hits),
                    people,
                    incident_id=homes.pop() if len(homes) == 1 else None,
                )
            ],
        )
        plan_hits.mark_told(conn, plan.id, [hit.signal_id for hit in hits], now)
    return told


def _words(hits: Sequence[plan_hits.Told]) -> str:
    """The newest few with time, words and title; the others are counted."""
    shown = [
        f"{clock_face(hit.at)} {mask_said(hit.title, hit.medium, hit.author)[:40]}"
        f"（{mask_personal(hit.words)}{f'；{hit.ref}' if hit.ref else ''}）"
        for hit in reversed(hits[-SHOWN:])
    ]
    more = f"；另有 {len(hits) - SHOWN} 条，huiying plans 查看" if len(hits) > SHOWN else ""
    return "；".join(shown) + more


def owners(roster: Roster, owner: str | None, now: datetime) -> list[Person]:
    """The person; of a unit those who are on duty, and all of it where nobody of it is."""
    named = [person for person in roster.people if person.id == owner]
    unit = [person for person in roster.people if person.unit == owner]
    on_duty = {person.id for rung in roster.rungs() for person in roster.on_duty(rung, now)}
    return named or [person for person in unit if person.id in on_duty] or unit
