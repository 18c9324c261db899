"""Who is responsible: units are asked, claim, reject or hand over; no clock ever starts anew for it.

N-001, S-010, S-014; 24 小时内说明理由退回: 安阳市政务服务条例(2021) 第50条 (L-033). 首问: whoever was asked
first answers for it until another has claimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core.casework import PartyRole, PartyState
from models.core.clock import Basis
from models.core.moment import clock_face, iso
from models.core.ownership import COORDINATES, speaks_for
from models.core.vocabulary import ClockState
from models.ledger import incidents, limits
from models.ledger.clocks import CLOCK
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.records import Judgement, Party

PARTY: Table = Party.__table__  # type: ignore[attr-defined]
JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
SUBJECT = "party."
STAGE = "stage."
"""Whose limit stands before the people of whoever leads."""
REJECT_WITHIN = timedelta(hours=24)
REJECT_RULE = "安阳市政务服务条例(2021) 第50条 [L-033]"
MOST_READ = 1000
"""So many signals tell what an incident is about; more of them say the same and cost time."""
LIVE = (PartyState.ASKED.value, PartyState.CLAIMED.value)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts: the person, their unit by id and name, the highest rung they stand on (0: none)."""

    by: str
    unit: tuple[str, ...]
    rung: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Which unit is asked for what, and who of it is told. `within`: until when it is to claim or reject."""

    unit: str
    role: PartyRole
    people: tuple[str, ...] = ()
    within: timedelta = REJECT_WITHIN


UnitName = Callable[[str], str]


def of(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Every part anybody was ever given in the incident, in order, a lead before those beside it."""
    rows = conn.execute(select(PARTY).where(PARTY.c.incident_id == incident_id)).all()
    return sorted(rows, key=lambda row: (row.asked_at, row.role != PartyRole.LEAD.value, row.id))


def assign(
    conn: Connection, at: datetime, incident_id: str, asks: Sequence[Ask], by: str, reason: str
) -> None:
    """交办: ask a lead, and others beside it. A lead before it is relieved; no clock restarts. Whoever
    coordinates does so by the rule and is not asked to claim."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    known = of(conn, row.id)
    new = [ask for ask in asks if not _has(known, ask)]
    lead = next((ask for ask in asks if ask.role is PartyRole.LEAD), None)
    relieved = _relieved(known, lead, at, by, reason) if lead else []
    made = [_row(row.id, ask, at, by, reason, first=not known and ask is lead) for ask in new]
    for old in relieved:
        old["handed_to"] = next((each["id"] for each in made if each["role"] == PartyRole.LEAD.value), None)
    owner = [{"id": row.id, "owner": lead.unit}] if lead else []
    payload = {
        "from": row.owner,
        "to": lead.unit if lead else row.owner,
        "units": [ask.unit for ask in new],
        "insert": {"party": made, "clock": _limits(conn, row.id, made, new, at, reason)},
        "update": {
            "party": relieved,
            "incident": owner,
            "clock": [
                *_ending(conn, row.id, [each["id"] for each in relieved], at, "改由他人负责"),
                *(_stage_of(conn, row.id, lead.people) if lead else []),
            ],
        },
    }
    append(conn, at, [Entry("owner_assigned", _filled(payload), by, reason, row.id)])


def _filled(payload: dict[str, Any]) -> dict[str, Any]:
    """Without the tables that nothing happens to."""
    for name in ("insert", "update"):
        payload[name] = {table: rows for table, rows in payload[name].items() if rows}
    return payload


def _has(known: Sequence[Row[Any]], ask: Ask) -> bool:
    return any(one.unit == ask.unit and one.role == ask.role.value and one.state in LIVE for one in known)


def _relieved(
    known: Sequence[Row[Any]], lead: Ask, at: datetime, by: str, reason: str
) -> list[dict[str, Any]]:
    return [
        _answered(one.id, PartyState.RELIEVED, at, by, reason)
        for one in known
        if one.role == PartyRole.LEAD.value and one.state in LIVE and one.unit != lead.unit
    ]


def _answered(party_id: str, state: PartyState, at: datetime, by: str, said: str) -> dict[str, Any]:
    change = {"id": party_id, "state": state.value, "answered_at": iso(at), "answered_by": by}
    return change | {"answer": said}


def _row(
    incident_id: str, ask: Ask, at: datetime, by: str, reason: str, *, first: bool = False
) -> dict[str, Any]:
    row = _asked_row(incident_id, ask, at, by, reason, first)
    if ask.role is not PartyRole.COORDINATOR:
        return row
    return row | {**_answered(row["id"], PartyState.CLAIMED, at, by, COORDINATES), "answer_by": None}


def _asked_row(incident_id: str, ask: Ask, at: datetime, by: str, reason: str, first: bool) -> dict[str, Any]:
    return {
        "id": uuid4().hex[:12],
        "incident_id": incident_id,
        "unit": ask.unit,
        "role": ask.role.value,
        "state": PartyState.ASKED.value,
        "asked_at": iso(at),
        "asked_by": by,
        "reason": reason,
        "answer_by": iso(at + min(ask.within, REJECT_WITHIN)),
        "first": first,
    }


def _limits(
    conn: Connection,
    incident_id: str,
    made: Sequence[dict[str, Any]],
    asks: Sequence[Ask],
    at: datetime,
    reason: str,
) -> list[dict[str, Any]]:
    wanted = [
        _limit(each["id"], ask, at, reason)
        for each, ask in zip(made, asks, strict=True)
        if ask.role is not PartyRole.COORDINATOR
    ]
    return limits.rows(conn, incident_id, wanted, at)


def _limit(party_id: str, ask: Ask, at: datetime, reason: str) -> limits.Limit:
    """Until when the unit is to say whether it takes the part; then the ladder above it hears."""
    return limits.Limit(
        subject=f"{SUBJECT}{party_id}",
        name=limit_name(ask.role),
        started_at=at,
        due_at=at + min(ask.within, REJECT_WITHIN),
        reason=reason,
        people=ask.people,
        basis=(
            Basis("黔财办〔2017〕14号", "(七)1", "S-010"),
            Basis("安阳市政务服务条例(2021)", "50", "L-033"),
        ),
    )


def limit_name(role: PartyRole) -> str:
    """What the limit of a claim is called."""
    return f"{role.zh}认领"


def _ending(
    conn: Connection, incident_id: str, parties: Sequence[str], at: datetime, why: str, *, done: bool = False
) -> list[dict[str, Any]]:
    """The claim limits of these parties: met when they answered, superseded when nobody needs to."""
    rows = [clock for one in parties for clock in limits.live(conn, incident_id, SUBJECT + one)]
    return limits.ended(rows, None if done else ClockState.SUPERSEDED, at, why)


# ── what a unit says ──────────────────────────────────────────────────────────────────────────


def claim(
    conn: Connection, at: datetime, incident_id: str, unit: str, caller: Caller, reason: str, name: UnitName
) -> None:
    """认领: the unit takes its part. A lead that claims becomes the owner; who had it is relieved."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    party = _asked(conn, row, unit, caller, name)
    lead = party.role == PartyRole.LEAD.value
    others = [one for one in of(conn, row.id) if lead and _other_lead(one, party)]
    relieved = [
        {**_answered(one.id, PartyState.RELIEVED, at, caller.by, "已由他人认领"), "handed_to": party.id}
        for one in others
    ]
    said = f"{name(party.unit)}认领"
    clock = [
        *_ending(conn, row.id, [party.id], at, said, done=True),
        *_ending(conn, row.id, [one.id for one in others], at, said),
        *(_stage_of(conn, row.id, _people(conn, party)) if lead else []),
    ]
    payload = {
        "unit": name(party.unit),
        "role": party.role,
        "insert": {},
        "update": {
            "party": [_answered(party.id, PartyState.CLAIMED, at, caller.by, reason), *relieved],
            "incident": [{"id": row.id, "owner": party.unit}] if lead else [],
            "clock": clock,
        },
    }
    append(conn, at, [Entry("owner_claimed", _filled(payload), caller.by, reason, row.id)])


def _stage_of(conn: Connection, incident_id: str, people: Sequence[str]) -> list[dict[str, Any]]:
    """The stage's limit stands before whoever leads now; it runs on as it is."""
    return [
        {"id": clock.id, "people": list(people) or None} for clock in limits.live(conn, incident_id, STAGE)
    ]


def _asked_with(conn: Connection, party: Row[Any]) -> Row[Any] | None:
    """The limit with which the unit was asked: it names the unit's people, and how long they had."""
    query = select(CLOCK).where(CLOCK.c.subject == SUBJECT + party.id).order_by(CLOCK.c.started_at.desc())
    return conn.execute(query).first()


def _people(conn: Connection, party: Row[Any]) -> tuple[str, ...]:
    limit = _asked_with(conn, party)
    return tuple(limit.people or ()) if limit is not None else ()


def _other_lead(one: Row[Any], party: Row[Any]) -> bool:
    return one.id != party.id and one.role == PartyRole.LEAD.value and one.state in LIVE


def reject(
    conn: Connection,
    at: datetime,
    incident_id: str,
    unit: str,
    caller: Caller,
    reason: str,
    name: UnitName,
    instead: Ask | None = None,
) -> None:
    """退回: within 24 hours of being asked, with a reason, and preferably with who instead, who is then asked.
    Until another claims, whoever was asked first stays responsible (首问)."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed(f"退回须说明理由({REJECT_RULE})；请写明为什么不属本单位职责")
    party = _asked(conn, row, unit, caller, name)
    if at > party.asked_at + REJECT_WITHIN:
        until = clock_face(party.asked_at + REJECT_WITHIN)
        raise NotAllowed(
            f"退回须在收到后 24 小时内({REJECT_RULE})，已于 {until} 到期；请认领，或用 transfer 移交"
        )
    if instead is not None:
        instead = replace(instead, role=PartyRole(party.role))
    if instead is not None and instead.unit == party.unit:
        raise NotAllowed("改由谁负责不能还写本单位；请另写一个单位，或不写")
    made = [_row(row.id, instead, at, caller.by, f"{name(party.unit)}退回: {reason}")] if instead else []
    back = _first_again(of(conn, row.id), party)
    given = {back.id: _as_before(conn, back)} if back and _lies_idle(back, instead) else {}
    asks = [*([instead] if instead else []), *given.values()]
    payload = {
        "unit": name(party.unit),
        "instead": name(instead.unit) if instead else "",
        "back": name(back.unit) if back else "",
        "insert": {
            "party": made,
            "clock": _limits(conn, row.id, [*made, *({"id": one} for one in given)], asks, at, "退回后改办"),
        },
        "update": {
            "party": [
                _answered(party.id, PartyState.REJECTED, at, caller.by, reason),
                *(_waiting_again(one, ask, at) for one, ask in given.items()),
            ],
            "incident": [{"id": row.id, "owner": back.unit}] if back else [],
            "clock": [
                *_ending(conn, row.id, [party.id], at, f"{name(party.unit)}退回", done=True),
                *(_stage_of(conn, row.id, _people(conn, back)) if back else []),
            ],
        },
    }
    append(conn, at, [Entry("owner_rejected", _filled(payload), caller.by, reason, row.id)])


def _first_again(known: Sequence[Row[Any]], party: Row[Any]) -> Row[Any] | None:
    """首问: when the only lead rejects, who was asked first answers for it again; None when another lead is there, or
    when it is the first itself that rejects, which stays responsible anyhow."""
    first = next((one for one in known if one.first), None)
    alone = party.role == PartyRole.LEAD.value and not any(_other_lead(one, party) for one in known)
    return first if alone and first is not None and first.id != party.id else None


def _as_before(conn: Connection, party: Row[Any]) -> Ask:
    """The unit asked once more, with the people and the time of the first asking."""
    limit = _asked_with(conn, party)
    within = limit.due_at - limit.started_at if limit is not None else REJECT_WITHIN
    return Ask(party.unit, PartyRole(party.role), _people(conn, party), within)


def _lies_idle(first: Row[Any], instead: Ask | None) -> bool:
    """Is the part of the first one taken from it, and not given to the very same unit as a new one?"""
    return first.state == PartyState.RELIEVED.value and (instead is None or instead.unit != first.unit)


def _waiting_again(party_id: str, ask: Ask, at: datetime) -> dict[str, Any]:
    """Its part waits for it as if newly asked; the day in which it may reject is the first one's."""
    open_ = {"answered_at": None, "answered_by": None, "answer": None, "handed_to": None}
    until = iso(at + min(ask.within, REJECT_WITHIN))
    return {"id": party_id, "state": PartyState.ASKED.value, "answer_by": until, **open_}


def transfer(
    conn: Connection,
    at: datetime,
    incident_id: str,
    unit: str,
    to: Ask,
    caller: Caller,
    reason: str,
    name: UnitName,
) -> None:
    """移交: another unit is asked for the part; this one keeps it until the other claims. No clock restarts."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not reason.strip():
        raise NotAllowed("移交须说明理由(--reason)")
    party = _mine(of(conn, row.id), unit, caller, LIVE, name)
    if to.unit == party.unit:
        raise NotAllowed(f"{name(to.unit)}已是责任单位；请写要移交给的另一个单位")
    ask = replace(to, role=PartyRole(party.role))
    if _has(of(conn, row.id), ask):
        raise NotAllowed(f"{name(to.unit)}已被交办，尚未认领；请等它认领")
    made = [_row(row.id, ask, at, caller.by, f"{name(party.unit)}移交: {reason}")]
    payload = {
        "from": name(party.unit),
        "to": name(to.unit),
        "insert": {"party": made, "clock": _limits(conn, row.id, made, [ask], at, f"{name(party.unit)}移交")},
        "update": {"party": [{"id": party.id, "handed_to": made[0]["id"]}]},
    }
    append(conn, at, [Entry("owner_transferred", _filled(payload), caller.by, reason, row.id)])


def _asked(conn: Connection, row: Row[Any], unit: str, caller: Caller, name: UnitName) -> Row[Any]:
    """The part that waits for this unit's answer."""
    return _mine(of(conn, row.id), unit, caller, (PartyState.ASKED.value,), name)


def _mine(
    known: Sequence[Row[Any]], unit: str, caller: Caller, states: Sequence[str], name: UnitName
) -> Row[Any]:
    """The part of the named unit, else of the caller's own, else the only one there is."""
    waiting = [one for one in known if one.state in states]
    if not waiting:
        raise NotAllowed("没有等待认领的单位；请先交办(assign)，写明责任单位")
    wanted = [one for one in waiting if (one.unit == unit if unit else one.unit in caller.unit)]
    if not wanted and not unit and len(waiting) == 1:
        wanted = waiting
    if not wanted:
        named = "、".join(name(one.unit) for one in waiting)
        raise NotAllowed(f"没有交办给{name(unit) if unit else '您的单位'}，或它已答复；等待答复的有: {named}")
    party = wanted[-1]
    if not speaks_for(party.unit, caller.unit, caller.rung):
        raise NotAllowed(f"这是交办给{name(party.unit)}的；请由该单位的人，或带班领导以上代为登记")
    return party


def about(conn: Connection, incident_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The places and the topics that were read from the incident's newest signals, the most frequent first; the
    topic alone that prevails."""
    rows = conn.execute(
        select(JUDGEMENT.c.details, JUDGEMENT.c.topic)
        .where(JUDGEMENT.c.incident_id == incident_id)
        .order_by(JUDGEMENT.c.signal_id.desc())
        .limit(MOST_READ)
    ).all()
    read = [(row.details or {}).get("place") or {} for row in rows]
    places = Counter(place["name"] for place in read if place.get("sure"))
    topics = Counter(row.topic for row in rows)
    return tuple(name for name, _ in places.most_common()), tuple(name for name, _ in topics.most_common(1))


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def answerable(known: Sequence[Row[Any]]) -> Row[Any] | None:
    """Who answers for it now: the lead that claimed, else whoever was asked first (首问), else who is asked."""
    leads = [one for one in known if one.role == PartyRole.LEAD.value]
    claimed = [one for one in leads if one.state == PartyState.CLAIMED.value]
    first = [one for one in leads if one.first and one.state != PartyState.RELIEVED.value]
    waiting = [one for one in leads if one.state == PartyState.ASKED.value]
    return next(iter((*claimed[::-1], *first, *waiting[::-1])), None)


def view(conn: Connection, incident_id: str, names: Mapping[str, str], name: UnitName) -> dict[str, Any]:
    known = of(conn, incident_id)
    now = answerable(known)
    return {
        "answerable": name(now.unit) if now else None,
        "by_first": bool(now and now.state != PartyState.CLAIMED.value),
        "parties": [_shown(one, names, name) for one in known],
    }


def _shown(one: Row[Any], names: Mapping[str, str], name: UnitName) -> dict[str, Any]:
    return {
        "id": one.id,
        "unit": one.unit,
        "unit_name": name(one.unit),
        "role": one.role,
        "role_zh": PartyRole(one.role).zh,
        "state": one.state,
        "state_zh": PartyState(one.state).zh,
        "first": bool(one.first),
        "asked_at": iso(one.asked_at),
        "answer_by": iso(one.answer_by) if one.answer_by else None,
        "answered_at": iso(one.answered_at) if one.answered_at else None,
        "answered_by": names.get(one.answered_by, one.answered_by) if one.answered_by else None,
        "answer": one.answer,
        "reason": one.reason,
    }
