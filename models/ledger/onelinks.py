"""One-use links: the key that they are signed with, what stands behind one, and its one use.

The key is drawn at random once and kept as a setting: whoever can read it can write the tables too. It
is in no journal, so that a journal that is handed on opens nothing; without it the links of a day end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from models.core.moment import iso
from models.core.onelink import Grant, Known, LinkAct
from models.ledger import acts, duties
from models.ledger.entry import Entry
from models.ledger.incidents import ACK, INCIDENT
from models.ledger.journal import append
from models.ledger.outbox import ALERT, CLOCK
from models.ledger.planning import RulesFor
from models.records import LinkUse

USE: Table = LinkUse.__table__  # type: ignore[attr-defined]
KEY = "onelink"
VIA = "经一次性链接签收"


_SHOWN = (
    *(
        ALERT.c[name]
        for name in ("id", "incident_id", "person_id", "person_name", "ref", "reason", "raised_at")
    ),
    *(INCIDENT.c[name] for name in ("title", "grade", "closed_at", "merged_into")),
    INCIDENT.c.ref.label("incident_ref"),
    CLOCK.c.name.label("clock"),
    CLOCK.c.due_at,
)


def key(conn: Connection) -> bytes | None:
    """What links are signed with; None while none was drawn."""
    kept = duties.get_setting(conn, KEY)
    return bytes.fromhex(kept["key"]) if kept else None


def draw(conn: Connection, fresh: bytes) -> bytes:
    """The key that counts: the one that is there, else `fresh`, which is kept. Call it in a write."""
    kept = key(conn)
    if kept is None:
        duties.put_setting(conn, KEY, {"key": fresh.hex()})
    return kept or fresh


def about(conn: Connection, alert_id: str) -> Row[Any] | None:
    """The alert with its incident and clock, for the page; None when there is no such alert."""
    with_all = ALERT.join(INCIDENT, INCIDENT.c.id == ALERT.c.incident_id)
    with_all = with_all.join(CLOCK, CLOCK.c.id == ALERT.c.clock_id, isouter=True)
    return conn.execute(select(*_SHOWN).select_from(with_all).where(ALERT.c.id == alert_id)).first()


def known(conn: Connection, row: Row[Any], act: LinkAct, counts: bool) -> Known:
    """What is known of a link by its row of `about`; `counts`: the person is still one of ours."""
    return Known(row.person_id, _done_at(conn, row, act), row.closed_at is not None, counts)


def _done_at(conn: Connection, row: Row[Any], act: LinkAct) -> datetime | None:
    """When this link was used, or the person acknowledged otherwise after the alert was raised."""
    used = select(USE.c.at).where(USE.c.alert_id == row.id, USE.c.act == act.value)
    otherwise = select(func.max(ACK.c.at)).where(
        ACK.c.incident_id == row.incident_id,
        ACK.c.person_id == row.person_id,
        ACK.c.until.is_(None),
        ACK.c.at >= row.raised_at,
    )
    return conn.execute(used).scalar() or conn.execute(otherwise).scalar()


def acknowledge(conn: Connection, at: datetime, row: Row[Any], rules_for: RulesFor) -> None:
    """签收 as the alert's person, and that it was by the link; both or neither."""
    used = {"alert_id": row.id, "act": LinkAct.ACK.value, "person_id": row.person_id, "at": iso(at)}
    payload = {"alert": row.id, "ref": row.ref, "name": row.person_name, "insert": {"linkuse": [used]}}
    append(conn, at, [Entry("link_used", payload, row.person_id, VIA, row.incident_id)])
    acts.acknowledge(conn, at, row.incident_id, row.person_id, row.person_name, VIA, rules_for)


DOES: dict[LinkAct, Callable[[Connection, datetime, Row[Any], RulesFor], None]] = {LinkAct.ACK: acknowledge}


def use(conn: Connection, at: datetime, grant: Grant, row: Row[Any], rules_for: RulesFor) -> None:
    """Do what the grant allows. The caller has judged it in this very transaction."""
    DOES[grant.act](conn, at, row, rules_for)
