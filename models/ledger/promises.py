"""承诺: "the next update at …", said to the public and kept or broken (S-024, N-004 持续发布).

A promise is a limit of the work, "promise.ID", led by whoever gave it. Any later word to the public keeps it;
what is not kept in time escalates like every clock and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select

from models.core.clock import Basis
from models.core.moment import clock_face, iso
from models.core.vocabulary import OPEN_STATES, ClockState, EvidenceKind
from models.ledger import incidents, limits
from models.ledger.clocks import CLOCK
from models.ledger.entry import Entry
from models.ledger.incidents import PUBLICATIONS, NotAllowed
from models.ledger.journal import append
from models.ledger.store import NotThere

SUBJECT = "promise."
NAME = "承诺续报"
LONGEST = timedelta(days=30)
BASIS = (Basis("国办发〔2016〕61号", fact="N-004"), Basis("黔财办〔2017〕14号", "(七)3", "S-024"))
_OPEN = {state.value for state in OPEN_STATES}
STANDINGS = {
    "kept": "按时兑现",
    "late": "迟于承诺",
    "broken": "过时未兑现",
    "open": "未到时间",
    "dropped": "已撤回",
}
"""What became of a promise."""


class NoSuchPromise(NotThere):
    """There is no promise of that number."""


def give(
    conn: Connection,
    at: datetime,
    incident_id: str,
    due_at: datetime,
    words: str,
    by: str,
    name: str,
    people: Sequence[str] = (),
) -> str:
    """承诺下次发布的时间; returns the promise's id. `words`: what was said to the public; `people` of the
    roster are reminded, whoever is on duty where there are none."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    _in_time(at, due_at)
    if not words.strip():
        raise NotAllowed("请写明对公众是怎样说的(text)，例如“今晚 8 时再次通报”")
    promise_id = uuid4().hex[:12]
    limit = limits.Limit(
        subject=f"{SUBJECT}{promise_id}",
        name=NAME,
        started_at=at,
        due_at=due_at,
        reason=f"{name} 承诺: {words.strip()}",
        people=tuple(people),
        evidence=frozenset(EvidenceKind(kind) for kind in PUBLICATIONS),
        basis=BASIS,
    )
    made = limits.rows(conn, row.id, [limit], at)
    payload = {
        "promise": promise_id,
        "words": words.strip(),
        "due_at": iso(due_at),
        "insert": {"clock": made},
    }
    append(conn, at, [Entry("update_promised", payload, by, words.strip(), row.id)])
    return promise_id


def _in_time(at: datetime, due_at: datetime) -> None:
    if due_at <= at:
        raise NotAllowed(f"承诺的时间 {clock_face(due_at)} 已经过去(现在 {clock_face(at)})；请写将来的时间")
    if due_at - at > LONGEST:
        raise NotAllowed(f"承诺的时间 {clock_face(due_at)} 在 {LONGEST.days} 天以后；请核对年月日")


def drop(conn: Connection, at: datetime, promise_id: str, by: str, reason: str) -> str:
    """撤回承诺, with its reason, counted apart from kept and broken. Returns the incident's id."""
    row = find(conn, promise_id)
    if not reason.strip():
        raise NotAllowed("撤回承诺必须写明理由(--reason)，并应向公众说明")
    if row.state not in _OPEN:
        raise NotAllowed(f"这一承诺{STANDINGS[standing(row, at)]}，不能再撤回")
    ended = limits.ended([row], ClockState.SUPERSEDED, at, f"撤回承诺: {reason}")
    payload = {"promise": row.subject.removeprefix(SUBJECT), "update": {"clock": ended}}
    append(conn, at, [Entry("promise_dropped", payload, by, reason, row.incident_id)])
    return str(row.incident_id)


def find(conn: Connection, promise_id: str) -> Row[Any]:
    """The promise's clock; its id may be cut short. Raises NoSuchPromise."""
    wanted = promise_id.strip().removeprefix(SUBJECT)
    found = conn.execute(
        select(CLOCK).where(CLOCK.c.subject.startswith(SUBJECT + wanted, autoescape=True))
    ).all()
    if not wanted or len(found) != 1:
        said = f"有 {len(found)} 个" if len(found) > 1 and wanted else "没有"
        raise NoSuchPromise(f"{said}编号为 {promise_id[:40]} 的承诺；编号见事件的“发布会”页")
    return found[0]


def standing(row: Row[Any], now: datetime) -> str:
    """What became of it by `now`: a key of STANDINGS. A waived one was taken back by signature."""
    if row.state == ClockState.MET.value:
        return "kept"
    if row.state == ClockState.MET_LATE.value:
        return "late"
    if row.state not in _OPEN:
        return "dropped"
    return "broken" if now > row.due_at else "open"


def listed(conn: Connection, incident_id: str | None = None) -> Sequence[Row[Any]]:
    """The promises of an incident, or all, the first due first."""
    query = select(CLOCK).where(CLOCK.c.subject.startswith(SUBJECT)).order_by(CLOCK.c.due_at)
    return conn.execute(
        query if incident_id is None else query.where(CLOCK.c.incident_id == incident_id)
    ).all()


def counts(rows: Sequence[Row[Any]], now: datetime) -> dict[str, int]:
    """How many were kept, late, broken, are open, were dropped."""
    found = Counter(standing(row, now) for row in rows)
    return {name: found[name] for name in STANDINGS}


def view(row: Row[Any], now: datetime) -> dict[str, Any]:
    state = standing(row, now)
    return {
        "id": row.subject.removeprefix(SUBJECT),
        "incident_id": row.incident_id,
        "words": row.reason.partition(" 承诺: ")[2].rpartition("，")[0] or row.reason,
        "given_at": iso(row.started_at),
        "due_at": iso(row.due_at),
        "by": row.reason.partition(" 承诺: ")[0],
        "state": state,
        "state_zh": STANDINGS[state],
        "ended_at": iso(row.ended_at) if row.ended_at else None,
        "ended_reason": row.ended_reason,
    }
