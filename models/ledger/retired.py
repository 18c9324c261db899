"""What an incident has in files by now: told where its signals and entries are shown, so that nobody misses them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select

from models.ledger import archived
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL

View = dict[str, Any]


def of(conn: Connection, incident: Row[Any]) -> View | None:
    """{signals: how many of its signals lie in files, files, journal: files that may hold its first entries} of an
    incident's row; None when everything of it is in the tables."""
    gone, files = _signals(conn, incident.id), list[Row[Any]]()
    if gone:
        files = archived.holding(conn, gone)
    entries = [row for row in archived.listed(conn, archived.JOURNAL) if row.last_at >= incident.opened_at]
    if not gone and not entries:
        return None
    return {"signals": len(gone), "files": archived.said(files), "journal": archived.said(entries)}


def _signals(conn: Connection, incident_id: str) -> list[int]:
    """The numbers of its signals whose texts have left."""
    if not conn.execute(select(func.count()).select_from(archived.ARCHIVE)).scalar_one():
        return []
    there = select(SIGNAL.c.id).where(SIGNAL.c.id == JUDGEMENT.c.signal_id)
    gone = select(JUDGEMENT.c.signal_id).where(JUDGEMENT.c.incident_id == incident_id, ~there.exists())
    return list(conn.execute(gone.order_by(JUDGEMENT.c.signal_id)).scalars())


def file_of(conn: Connection, incident_id: str, number: int) -> str | None:
    """The file in which an incident's signal lies now, in words; None when it lies in none."""
    if number not in _signals(conn, incident_id):
        return None
    return archived.said(archived.holding(conn, [number])) or None


def in_words(found: View | None) -> list[str]:
    """For people: a line for what of an incident must be looked for elsewhere."""
    if found is None:
        return []
    signals = [f"{found['signals']} 条线索已归档：{found['files']}"] if found["signals"] else []
    entries = [f"较早的经过已归档：{found['journal']}"] if found["journal"] else []
    way = ["查看：huiying archive read 文件 --incident 编号"]
    return [*signals, *entries, *way]
