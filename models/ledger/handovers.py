"""交接: what one shift leaves to the next. One row for each change of shift on a rung, however often
and by however many processes it is noticed: its id is the rung and the moment of the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from models.core.moment import clock_face, iso, local
from models.core.roster import Change
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import JOURNAL, append
from models.ledger.outbox import ALERT, DEAD_AND_NEEDED
from models.ledger.store import LedgerError
from models.records import Handover

HANDOVER: Table = Handover.__table__  # type: ignore[attr-defined]
STAY = timedelta(hours=1)
"""How long the old shift is told beside the new one while nobody has taken over (a proposal)."""


class NoSuchHandover(LedgerError):
    """There is no hand-over of that number."""


def name_of(change: Change) -> str:
    """1-20261121T200000: safe in an address, the same for every process that sees the change."""
    return f"{change.rung}-{local(change.at):%Y%m%dT%H%M%S}"


def known(conn: Connection, handover_id: str) -> bool:
    return conn.execute(select(HANDOVER.c.id).where(HANDOVER.c.id == handover_id)).first() is not None


def write(conn: Connection, now: datetime, change: Change, summary: dict[str, Any]) -> bool:
    """Keep the hand-over unless it is kept already. False = it was."""
    if known(conn, name_of(change)):
        return False
    row = {
        "id": name_of(change),
        "rung": change.rung,
        "from_people": [person.id for person in change.before],
        "to_people": [person.id for person in change.incoming],
        "at": iso(change.at),
        "summary": summary,
        "note": "",
    }
    payload = {"rung": change.rung, "to": row["to_people"], "insert": {"handover": [row]}}
    append(conn, now, [Entry("handover_written", payload, "huiying", f"第 {change.rung} 级换班")])
    return True


def newest(conn: Connection, limit: int = 10) -> Sequence[Row[Any]]:
    """The last hand-overs, newest first."""
    query = select(HANDOVER).order_by(HANDOVER.c.at.desc(), HANDOVER.c.rung).limit(limit)
    return conn.execute(query).all()


def of(conn: Connection, handover_id: str) -> Row[Any]:
    """Raises NoSuchHandover."""
    row = conn.execute(select(HANDOVER).where(HANDOVER.c.id == handover_id)).first()
    if row is None:
        raise NoSuchHandover(f"没有编号为 {handover_id[:40]} 的交接；用 huiying handover 查看最近的交接")
    return row


def standing(conn: Connection, since: datetime) -> Sequence[Row[Any]]:
    """For each rung the newest hand-over, where it is later than `since` and nobody has accepted it."""
    rows = conn.execute(select(HANDOVER).where(HANDOVER.c.at > since).order_by(HANDOVER.c.at)).all()
    return [row for row in {row.rung: row for row in rows}.values() if row.accepted_at is None]


def staying(conn: Connection, now: datetime) -> dict[int, tuple[str, ...]]:
    """rung → who was on duty before a change that nobody has accepted yet, for `STAY` at the most.

    Two who are told of a step cost a message; a gap between two shifts costs the step.
    """
    return {row.rung: tuple(row.from_people) for row in standing(conn, now - STAY) if row.at <= now}


def accept(
    conn: Connection, at: datetime, handover_id: str, by: str, names: Mapping[str, str], note: str
) -> None:
    """接班, by one of those who come on. Raises NotAllowed for anybody else, and for a second time."""
    row = of(conn, handover_id)
    if row.accepted_at is not None:
        who = names.get(row.accepted_by, row.accepted_by)
        raise NotAllowed(f"这次交接已由 {who} 于 {clock_face(row.accepted_at)} 签收，无须再签")
    name = names.get(by, by)
    if by not in row.to_people:
        incoming = "、".join(names.get(person, person) for person in row.to_people)
        raise NotAllowed(f"接班人是 {incoming}，{name} 不能代签；换了人请在 roster.yaml 写 overrides")
    change = {"id": row.id, "accepted_at": iso(at), "accepted_by": by}
    change |= {"note": _with(row.note, name, note)} if note else {}
    payload = {"handover": row.id, "rung": row.rung, "name": name, "update": {"handover": [change]}}
    append(conn, at, [Entry("handover_accepted", payload, by, note)])


def note(
    conn: Connection, at: datetime, handover_id: str, by: str, names: Mapping[str, str], text: str
) -> None:
    """What the system cannot know, by those who go off or come on. Raises NotAllowed."""
    row, name = of(conn, handover_id), names.get(by, by)
    if by not in (*row.from_people, *row.to_people):
        raise NotAllowed(f"只有交班人和接班人可以写交接备注；{name} 都不是，请写到事件的进展里")
    change = {"id": row.id, "note": _with(row.note, name, text)}
    payload = {"handover": row.id, "rung": row.rung, "text": text, "update": {"handover": [change]}}
    append(conn, at, [Entry("handover_noted", payload, by, text)])


def _with(notes: str, name: str, text: str) -> str:
    return f"{notes}\n{name}：{text}".strip()


PROGRESS = (
    "progress_noted", "owner_assigned", "evidence_added", "clock_waived", "acknowledged", "taken", "escalated",
)  # fmt: skip
"""What counts as something done, for the shift that comes on."""


def progress(conn: Connection, incident_ids: Sequence[str], since: datetime) -> dict[str, list[Row[Any]]]:
    """incident id → what was promised or done for it since then, oldest first."""
    columns = [JOURNAL.c[name] for name in ("incident_id", "at", "kind", "actor", "payload")]
    chosen = select(*columns).where(
        JOURNAL.c.incident_id.in_(incident_ids), JOURNAL.c.kind.in_(PROGRESS), JOURNAL.c.at >= since
    )
    rows: Sequence[Row[Any]] = conn.execute(chosen.order_by(JOURNAL.c.seq)).all()
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.incident_id, []).append(row)
    return found


def unsent(conn: Connection, before: datetime, limit: int) -> Sequence[Row[Any]]:
    """Alerts from before then that no channel has taken, and those that nobody will get while their
    clock runs."""
    waiting = ALERT.c.next_try_at.is_not(None) & (ALERT.c.raised_at < before)
    query = select(ALERT).where(waiting | DEAD_AND_NEEDED).order_by(ALERT.c.raised_at).limit(limit)
    return conn.execute(query).all()
