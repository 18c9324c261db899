"""Referrals 移送 as they stand: what was handed to other installations, and what came from them. Reads only."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import CTE, Connection, Row, Table, or_, select

from models.core.levels import HELD, UNANSWERED, Purpose, ReferralState, Way
from models.ledger.clocks import BoundRule
from models.ledger.incidents import reopened_at
from models.ledger.store import NotThere
from models.records import Incident, Referral

REFERRAL: Table = Referral.__table__  # type: ignore[attr-defined]
INCIDENT: Table = Incident.__table__  # type: ignore[attr-defined]
DECIDED = (ReferralState.ACCEPTED.value, ReferralState.RETURNED.value, ReferralState.NOTED.value)
_HEAD = [column for column in REFERRAL.columns if column.name != "parcel"]
B = TypeVar("B", bound=BoundRule)


def get(conn: Connection, referral_id: str) -> Row[Any]:
    """One referral by its number, which may be cut short as long as it means one. Raises NotThere."""
    wanted = referral_id.strip()
    found = conn.execute(
        select(REFERRAL).where(REFERRAL.c.id.startswith(wanted or "?", autoescape=True)).limit(2)
    ).all()
    if len(found) != 1:
        how = "没有" if not found else "不止一件"
        raise NotThere(f"{how}编号为 {referral_id[:60]} 的移送；用 huiying levels 查看收发的移送")
    return found[0]


def known(conn: Connection, referral_id: str) -> Row[Any] | None:
    """The referral of just this number."""
    return conn.execute(select(REFERRAL).where(REFERRAL.c.id == referral_id)).first()


def of_incident(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Its referrals both ways without their parcels, the newest first."""
    query = select(*_HEAD).where(REFERRAL.c.incident_id == incident_id)
    return conn.execute(query.order_by(REFERRAL.c.at.desc(), REFERRAL.c.id)).all()


def listed(conn: Connection, limit: int) -> Sequence[Row[Any]]:
    """The newest of all, those that wait for somebody here first."""
    waits = REFERRAL.c.state == ReferralState.WAITING.value
    query = select(*_HEAD).order_by(waits.desc(), REFERRAL.c.at.desc(), REFERRAL.c.id).limit(limit)
    return conn.execute(query).all()


def incoming(conn: Connection, incident_id: str) -> Row[Any] | None:
    """The referral by which an incident of ours came."""
    query = select(REFERRAL).where(REFERRAL.c.incident_id == incident_id, REFERRAL.c.way == Way.IN.value)
    return conn.execute(query.order_by(REFERRAL.c.at.desc()).limit(1)).first()


def held_by(conn: Connection, incident_id: str) -> Row[Any] | None:
    """The referral by which an incident of ours is being taken over, or was; None when it is ours alone, as one is
    that was reopened here since."""
    return next(iter(_handed_on(conn, incident_id, HELD)), None)


def elsewhere(conn: Connection, incident_id: str) -> frozenset[str]:
    """The rules whose clocks another installation took over: they run there, from the same starts."""
    accepted = _handed_on(conn, incident_id, (ReferralState.ACCEPTED.value,))
    return frozenset(rule for row in accepted for rule in row.taken)


def _handed_on(conn: Connection, incident_id: str, states: Sequence[str]) -> list[Row[Any]]:
    """Handed on to be taken over; what was before a reopening counts no more: whoever reopens has it in hand. The
    journal is asked only where there is one: this is read at every planning."""
    query = select(*_HEAD).where(
        REFERRAL.c.incident_id == incident_id,
        REFERRAL.c.way == Way.OUT.value,
        REFERRAL.c.purpose == Purpose.TRANSFER.value,
        REFERRAL.c.state.in_(states),
    )
    rows = list(conn.execute(query))
    since = reopened_at(conn, incident_id) if rows else None
    return [row for row in rows if since is None or (row.decided_at or row.at) > since]


def kept_here(conn: Connection, incident_id: str, bound: Iterable[B]) -> list[B]:
    """Without what another installation took over: no plan of ours brings it back."""
    gone = elsewhere(conn, incident_id)
    return [each for each in bound if each.rule.id not in gone]


# ── what waits to be sent ─────────────────────────────────────────────────────────────────────


def unsent(conn: Connection, neighbour: str) -> Row[Any] | None:
    """The oldest parcel that the neighbour has not got."""
    query = select(REFERRAL).where(
        REFERRAL.c.neighbour == neighbour, REFERRAL.c.state == ReferralState.SENT.value
    )
    return conn.execute(query.order_by(REFERRAL.c.at, REFERRAL.c.id).limit(1)).first()


def unreceipted(conn: Connection, neighbour: str, but: Collection[str] = ()) -> Row[Any] | None:
    """The oldest decision of ours that the neighbour has not got; without those (`id.state`) that wait."""
    query = select(*_HEAD).where(
        REFERRAL.c.neighbour == neighbour,
        REFERRAL.c.way == Way.IN.value,
        REFERRAL.c.state.in_(DECIDED),
        REFERRAL.c.answered_at.is_(None),
        (REFERRAL.c.id + "." + REFERRAL.c.state).not_in(but),
    )
    return conn.execute(query.order_by(REFERRAL.c.decided_at, REFERRAL.c.id).limit(1)).first()


def followed(conn: Connection, neighbour: str) -> Sequence[Row[Any]]:
    """What we took over from a neighbour and have not told it the end of; of what was merged, the end of the incident
    that it went into."""
    whole = _whole(neighbour)
    query = (
        select(*_HEAD)
        .join(whole, whole.c.referral == REFERRAL.c.id)
        .where(
            whole.c.merged_into.is_(None),
            or_(
                whole.c.closed_at.is_(None),
                REFERRAL.c.progress_at.is_(None),
                REFERRAL.c.progress_at < whole.c.closed_at,
            ),
        )
    )
    return conn.execute(query.order_by(REFERRAL.c.at)).all()


def _whole(neighbour: str) -> CTE:
    """Each referral that we took over → its incident, the one that this went into, and so on. `union` without its
    doubles ends where people merged in a circle."""
    about = (INCIDENT.c.id, INCIDENT.c.merged_into, INCIDENT.c.closed_at)
    first = (
        select(REFERRAL.c.id.label("referral"), *about)
        .join(INCIDENT, INCIDENT.c.id == REFERRAL.c.incident_id)
        .where(
            REFERRAL.c.neighbour == neighbour,
            REFERRAL.c.way == Way.IN.value,
            REFERRAL.c.state == ReferralState.ACCEPTED.value,
            REFERRAL.c.answered_at.is_not(None),
        )
    )
    chain = first.cte("whole", recursive=True)
    return chain.union(select(chain.c.referral, *about).join(chain, chain.c.merged_into == INCIDENT.c.id))


def unanswered(conn: Connection, neighbour: str) -> Sequence[Row[Any]]:
    """Of what we want taken over: what nobody there has said anything to."""
    query = select(*_HEAD).where(
        REFERRAL.c.neighbour == neighbour,
        REFERRAL.c.way == Way.OUT.value,
        REFERRAL.c.purpose == Purpose.TRANSFER.value,
        REFERRAL.c.state.in_(UNANSWERED),
    )
    return conn.execute(query.order_by(REFERRAL.c.at)).all()


def parcel_of(row: Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.parcel)
    return found
