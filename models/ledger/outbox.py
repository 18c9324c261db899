"""The outbox: claim → send → record (law 3). Sending is at least once and never silent.

A lease keeps two senders apart; it ends by itself when its holder dies, and the alert is then sent
again with the same id and reference. Nothing is accepted before the channel has said so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, case, func, literal_column, or_, select, update

from models.core.moment import iso
from models.core.pacing import Limit, Plan, Waiting, plan
from models.core.vocabulary import AlertKind, AlertState
from models.ledger import pacing
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.records import Alert, Clock, Incident, Step

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
CLOCK: Table = Clock.__table__  # type: ignore[attr-defined]
STEP: Table = Step.__table__  # type: ignore[attr-defined]

_DEAD: ColumnElement[str] = literal_column(f"'{AlertState.DEAD.value}'")
"""Said aloud and not as a parameter: so the index of the untaken alone answers."""
DEAD_AND_NEEDED = (ALERT.c.state == _DEAD) & ALERT.c.clock_id.in_(
    select(CLOCK.c.id).where(CLOCK.c.ended_at.is_(None))
)
"""An alert that reached nobody, about a clock that still runs."""

TRIES_PER_CONTACT = 4
"""After so many passing refusals of one contact the next one is tried."""
KINDS = {"accepted": "alert_accepted", "dead": "alert_dead", "withdrawn": "alert_withdrawn"}
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)


WAITING = 8
"""How many windows one claim looks through when a limit holds everything in them back."""
THROTTLE = "pace:"
"""Who holds what a channel's limit keeps back: `pace:CHANNEL`, until the channel is free again."""


def claim(
    conn: Connection,
    now: datetime,
    until: datetime,
    sender: str,
    limit: int,
    limits: Mapping[str, Limit] | None = None,
    pace: float = 1.0,
) -> Sequence[Row[Any]]:
    """Lease due alerts to `sender`, from a window of the `limit` that wait longest: steps before
    notices, the nearest deadline first. Rows of one `bundle` and contact go as one message.

    `limits`: what each channel bears. What a limit holds back is leased to the throttle, so that
    it stands in nobody's way; it goes along with the next message to the same person.
    """
    for _ in range(WAITING):
        window = _window(conn, now, limit)
        made = _planned(conn, window, now, limits or {}, pace)
        _hold(conn, made)
        if made.go:
            _turn(conn, made, now)
            return _leased(conn, made, sender, until)
        if len(window) < limit:
            break
    return ()


def _window(conn: Connection, now: datetime, limit: int) -> Sequence[Row[Any]]:
    free = or_(ALERT.c.leased_until.is_(None), ALERT.c.leased_until <= now)
    query = _waiting().where(ALERT.c.next_try_at <= now, free)
    return conn.execute(query.order_by(ALERT.c.next_try_at).limit(limit)).all()


def _waiting() -> Any:
    """What the plan of a claim must know of an alert."""
    names = ("id", "person_id", "contacts", "contact", "refused", "bundle", "kind", "raised_at", "rung")
    due = func.coalesce(CLOCK.c.due_at, ALERT.c.raised_at, type_=CLOCK.c.due_at.type).label("urgent_at")
    query = select(*(ALERT.c[name] for name in names), due)
    return query.join(CLOCK, CLOCK.c.id == ALERT.c.clock_id, isouter=True)


def _planned(
    conn: Connection, window: Sequence[Row[Any]], now: datetime, limits: Mapping[str, Limit], pace: float
) -> Plan:
    waiting = [_as_waiting(row) for row in window]
    ways = {channel for one in waiting for channel, _ in one.contacts}
    before = pacing.budgets(conn, limits, ways, now, pace) if ways else {}
    limited = [one for one in waiting if one.channel in before]
    if limited:
        waiting += _companions(conn, {one.person for one in limited}, before, now)
    made = plan(waiting, before, now, limits, pace)
    pacing.spend(conn, before, made.budgets)
    return made


def _as_waiting(row: Row[Any]) -> Waiting:
    step = row.kind in (None, AlertKind.STEP)
    order = 0 if step else 1 if row.kind == AlertKind.NOTICE else 2
    contacts = tuple((channel, address) for channel, address in row.contacts)
    rank = (order, row.urgent_at, row.rung, row.id)
    return Waiting(
        row.id, row.person_id, contacts, row.contact, frozenset(row.refused), row.bundle, step, rank
    )


def _companions(conn: Connection, people: set[str], limited: Iterable[str], now: datetime) -> list[Waiting]:
    """What a limit has held back for these people: it goes along with their next message."""
    throttled = ALERT.c.leased_by.in_([THROTTLE + channel for channel in limited])
    query = _waiting().where(
        throttled,
        ALERT.c.leased_until > now,
        ALERT.c.next_try_at.is_not(None),
        ALERT.c.person_id.in_(people),
    )
    return [_as_waiting(row) for row in conn.execute(query)]


def _hold(conn: Connection, made: Plan) -> None:
    for (channel, until), ids in made.held.items():
        held = update(ALERT).where(ALERT.c.id.in_(ids))
        conn.execute(held.values(leased_by=THROTTLE + channel, leased_until=until))


def _turn(conn: Connection, made: Plan, now: datetime) -> None:
    """Deadlines that a limit would hold back go to the person's next contact, with an entry each."""
    ids = dict(made.turned)
    rows = _as_they_stand(conn, list(ids)) if ids else {}
    append(conn, now, [_turned(row, ids[row.id]) for row in rows.values()])


def _turned(row: Row[Any], contact: int) -> Entry:
    left, taken = row.contacts[row.contact][0], row.contacts[contact][0]
    payload = {
        "alert": row.id,
        "ref": row.ref,
        "person": row.person_id,
        "channel": taken,
        "from": left,
        "update": {"alert": [{"id": row.id, "contact": contact, "contact_tries": 0}]},
    }
    reason = f"渠道 {left} 已到限速，时限提醒不等，改用 {taken}"
    return Entry("alert_turned", payload, "huiying", reason, row.incident_id)


def _leased(conn: Connection, made: Plan, sender: str, until: datetime) -> Sequence[Row[Any]]:
    """Lease every group under its first alert's name, and read it whole, in the plan's order. What was one
    message and goes as several now, on a channel that bears fewer alerts in one, has as many names."""
    order = {one.id: place for place, one in enumerate(one for group in made.go for one in group)}
    lease = update(ALERT).values(leased_by=sender, leased_until=until)
    torn = {bundle for bundle, count in Counter(group[0].bundle for group in made.go).items() if count > 1}
    _part(conn, [one.id for group in made.go if group[0].bundle in torn - {None} for one in group])
    single = [group[0].id for group in made.go if len(group) == 1]
    if single:
        own = func.coalesce(ALERT.c.bundle, ALERT.c.id)
        conn.execute(lease.where(ALERT.c.id.in_(single)).values(bundle=own))
    for group in made.go:
        if len(group) > 1:
            ids, known = [one.id for one in group], group[0].bundle
            name = ids[0] if known in torn else known or ids[0]
            conn.execute(lease.where(ALERT.c.id.in_(ids)).values(bundle=name))
    rows = conn.execute(_whole().where(ALERT.c.id.in_(list(order)))).all()
    return sorted(rows, key=lambda row: order[row.id])


def release(conn: Connection, holders: Sequence[str]) -> int:
    """Take back the leases of senders that are known to be dead; how many alerts that frees."""
    gone = update(ALERT).where(ALERT.c.leased_by.in_(holders))
    return conn.execute(gone.values(leased_by=None, leased_until=None)).rowcount


def holders(conn: Connection) -> set[str]:
    """Who holds a lease on an alert."""
    rows = conn.execute(select(ALERT.c.leased_by).where(ALERT.c.leased_by.is_not(None)).distinct())
    return set(rows.scalars())


def _whole() -> Any:
    """An alert with what its message needs of its incident and clock."""
    return (
        select(
            ALERT,
            INCIDENT.c.title.label("incident_title"),
            INCIDENT.c.grade,
            CLOCK.c.rule_id,
            CLOCK.c.name.label("clock_name"),
            CLOCK.c.state.label("clock_state"),
            CLOCK.c.started_at,
            CLOCK.c.due_at,
            CLOCK.c.basis,
            CLOCK.c.evidence,
            STEP.c.due_at.label("step_due_at"),
            STEP.c.rung.label("step_rung"),
        )
        .join(INCIDENT, INCIDENT.c.id == ALERT.c.incident_id, isouter=True)
        .join(CLOCK, CLOCK.c.id == ALERT.c.clock_id, isouter=True)
        .join(STEP, (STEP.c.clock_id == ALERT.c.clock_id) & (STEP.c.key == ALERT.c.step_key), isouter=True)
    )


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt at an alert came to. `lasting` = this contact will never take it; `alone` =
    the message was refused for good with others in it: it goes again at once, by itself."""

    alert_id: str
    accepted: bool
    lasting: bool
    reason: str
    channel: str
    receipt: str | None = None
    retry_after: float | None = None
    withdrawn: bool = False
    alone: bool = False
    messages: int = 1  # of the channel's minute


def settle(
    conn: Connection, now: datetime, attempts: Sequence[tuple[Row[Any], Attempt]], pace: float = 1.0
) -> list[Row[Any]]:
    """Record attempts; returns the alerts that have become dead letters by them.

    A sender that comes back after its lease ran out may find the alert settled by another: then only
    a second acceptance is written down (the person has it twice, under one reference). Its refusal is
    charged to the contact that it tried, never to another that it has moved on to meanwhile.
    `pace` is how many seconds of the site pass in one: waits before another try are real ones.
    """
    fresh = _as_they_stand(conn, [row.id for row, _ in attempts])
    counted = [(row, attempt) for row, attempt in attempts if _counts(row, fresh[row.id], attempt)]
    entries = [
        _settled(fresh[row.id], attempt, now, pace)
        if _is_waiting(fresh[row.id], attempt)
        else _again(fresh[row.id], attempt)
        for row, attempt in counted
    ]
    append(conn, now, entries)
    ours = [row.id for row, _ in attempts if _lease(row) == _lease(fresh[row.id])]
    conn.execute(update(ALERT).where(ALERT.c.id.in_(ours)).values(leased_by=None, leased_until=None))
    _part(conn, [row.id for row, attempt in counted if attempt.alone])
    _pause(conn, now, [attempt for _, attempt in attempts], pace)
    _spend(conn, now, attempts)
    dead = {entry.payload["alert"] for entry in entries if entry.kind == KINDS["dead"]}
    return [row for row, _ in attempts if row.id in dead]


def _counts(claimed: Row[Any], fresh: Row[Any], attempt: Attempt) -> bool:
    """An acceptance always; all else while the alert waits, and a refusal of the contact that it waits for."""
    same = attempt.withdrawn or claimed.contact == fresh.contact
    return attempt.accepted or (_is_waiting(fresh, attempt) and same)


def _is_waiting(fresh: Row[Any], attempt: Attempt) -> bool:
    """Still to be sent; or given up, while somebody takes it after all."""
    given_up = bool(fresh.state == AlertState.DEAD.value)
    return fresh.next_try_at is not None or (given_up and attempt.accepted)


def _lease(row: Row[Any]) -> tuple[str | None, datetime | None]:
    return row.leased_by, row.leased_until


def _part(conn: Connection, ids: list[str]) -> None:
    """From now on each of these is a message of its own."""
    if ids:
        conn.execute(update(ALERT).where(ALERT.c.id.in_(ids)).values(bundle=ALERT.c.id))


def _pause(conn: Connection, now: datetime, attempts: Sequence[Attempt], pace: float) -> None:
    """A channel that said when to come back is left alone until then by every sender."""
    wishes: dict[str, float] = {}
    for attempt in attempts:
        if not attempt.accepted and attempt.retry_after:
            wishes[attempt.channel] = max(attempt.retry_after, wishes.get(attempt.channel, 0.0))
    for channel, seconds in wishes.items():
        pacing.pause(conn, channel, now, seconds, pace)


def _spend(conn: Connection, now: datetime, attempts: Sequence[tuple[Row[Any], Attempt]]) -> None:
    """The claim counted each message once; what went in parts took more of its channel's minute."""
    taken = {(attempt.channel, row.bundle or row.id): attempt.messages for row, attempt in attempts}
    for (channel, _), count in taken.items():
        if count > 1:
            pacing.spend_more(conn, channel, now, count - 1)


def _as_they_stand(conn: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    return {row.id: row for row in conn.execute(select(ALERT).where(ALERT.c.id.in_(ids)))}


def _again(row: Row[Any], attempt: Attempt) -> Entry:
    payload = {
        "alert": row.id,
        "ref": row.ref,
        "person": row.person_id,
        "channel": attempt.channel,
        "attempt": row.attempts + 1,
        "state": AlertState.ACCEPTED.value,
        "update": {"alert": [{"id": row.id, "tried": _tried(row, attempt)}]},
    }
    return Entry("alert_sent_again", payload, f"channel:{attempt.channel}", attempt.reason, row.incident_id)


def _settled(row: Row[Any], attempt: Attempt, now: datetime, pace: float) -> Entry:
    tries = row.attempts + (0 if attempt.withdrawn else 1)
    change = _after(row, attempt, now, pace) | {
        "id": row.id,
        "attempts": tries,
        "sent_at": None if attempt.withdrawn else iso(now),
        "last_error": None if attempt.accepted else attempt.reason,
        "tried": _tried(row, attempt),
    }
    kind = KINDS.get(change["state"], "alert_refused")
    payload = {
        "alert": row.id,
        "ref": row.ref,
        "person": row.person_id,
        "channel": attempt.channel,
        "attempt": tries,
        "state": change["state"],
        "update": {"alert": [change]},
    }
    return Entry(kind, payload, f"channel:{attempt.channel}", attempt.reason, row.incident_id)


def _tried(row: Row[Any], attempt: Attempt) -> list[str]:
    """The channels that had it in hand at least once: only they can vouch for it."""
    return sorted({*(row.tried or ()), *(() if attempt.withdrawn else (attempt.channel,))})


def _after(row: Row[Any], attempt: Attempt, now: datetime, pace: float) -> dict[str, Any]:
    """Accepted; or the same contact later; or the next contact; or dead when all have refused."""
    if attempt.accepted:
        return {
            "state": AlertState.ACCEPTED.value,
            "accepted_at": iso(now),
            "receipt": attempt.receipt,
            "next_try_at": None,
        }
    if attempt.withdrawn:
        return {"state": AlertState.WITHDRAWN.value, "next_try_at": None}
    if attempt.alone:
        return _queued(now, row.contact, row.contact_tries, row.refused)
    tried = row.contact_tries + 1
    if not attempt.lasting and tried < TRIES_PER_CONTACT:
        wait = wait_for(tried)
        return _queued(now + wait * pace, row.contact, tried, row.refused)
    refused = sorted({*row.refused, row.contact}) if attempt.lasting else row.refused
    following = _next_contact(row, refused)
    if following is None:
        return {"state": AlertState.DEAD.value, "next_try_at": None, "refused": refused}
    again = following <= row.contact  # every contact has had its turn: go round, slowly, for ever
    wait = LONGEST_WAIT if again else timedelta(0)
    later_round = again or row.attempts + 1 >= TRIES_PER_CONTACT * len(row.contacts)
    return _queued(now + wait * pace, following, TRIES_PER_CONTACT - 1 if later_round else 0, refused)


def _queued(at: datetime, contact: int, tries: int, refused: list[int]) -> dict[str, Any]:
    return {
        "state": AlertState.QUEUED.value,
        "next_try_at": iso(at),
        "contact": contact,
        "contact_tries": tries,
        "refused": refused,
    }


def _next_contact(row: Row[Any], refused: Sequence[int]) -> int | None:
    """The contact after this one, round the list, that has not refused for good."""
    count = len(row.contacts)
    turns = ((row.contact + step) % count for step in range(1, count + 1))
    return next((contact for contact in turns if contact not in refused), None)


def wait_for(tried: int) -> timedelta:
    """Exponential back-off from 5 s to 5 min. The channel's own Retry-After pauses the channel, not the alert:
    a deadline goes to another contact meanwhile."""
    return min(FIRST_WAIT * (1 << min(tried - 1, 10)), LONGEST_WAIT)


def queue(conn: Connection, now: datetime) -> dict[str, Any]:
    """How many alerts wait, how many of them for a limit, how many are dead while their clock runs, and
    since when the oldest waits. What waits for the end of somebody's quiet hours is not counted."""
    since = func.coalesce(ALERT.c.not_before, ALERT.c.raised_at, type_=ALERT.c.raised_at.type)
    waiting = ALERT.c.next_try_at.is_not(None) & (since <= now)
    row = conn.execute(
        select(
            func.count(case((waiting, 1))).label("waiting"),
            func.count(case((_held(now), 1))).label("held"),
            func.min(case((waiting, since))).label("oldest"),
        ).where(ALERT.c.next_try_at.is_not(None))
    ).one()
    dead = conn.execute(select(func.count()).where(DEAD_AND_NEEDED)).scalar_one()
    return {"waiting": row.waiting, "held": row.held, "dead": dead, "oldest": row.oldest}


def _held(now: datetime) -> Any:
    return ALERT.c.leased_by.startswith(THROTTLE) & (ALERT.c.leased_until > now)
