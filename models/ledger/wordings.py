"""The wording 口径 that all units of an incident share: versioned, kept as products."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import statements as core
from models.core.casework import ProductKind
from models.core.moment import iso
from models.ledger import incidents, statements
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.records import Product

PRODUCT: Table = Product.__table__  # type: ignore[attr-defined]


def share_wording(conn: Connection, at: datetime, incident_id: str, text: str, by: str, reason: str) -> int:
    """口径: one wording for every unit, a new version each time; returns its number (S-003, S-014)."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not text.strip():
        raise NotAllowed("口径没有内容；请写明各单位统一怎么说")
    if len(text.encode()) > core.MOST_BYTES:
        raise NotAllowed(f"口径最多 {core.MOST_BYTES // 1000} kB；请删减")
    statements.clean(core.personal(text), what="口径")
    before = wordings(conn, row.id)
    if before and before[0].text == text:
        raise NotAllowed(f"与第 {len(before)} 版口径没有不同；改了再存")
    number = len(before) + 1
    made = {
        "id": uuid4().hex,
        "incident_id": row.id,
        "kind": ProductKind.WORDING.value,
        "text": text,
        "data": {"version": number, "reason": reason},
        "at": iso(at),
        "by": by,
    }
    payload = {"version": number, "insert": {"product": [made]}}
    append(conn, at, [Entry("wording_shared", payload, by, reason, row.id)])
    return number


def wordings(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """Every version of the shared wording, newest first."""
    query = select(PRODUCT).where(
        PRODUCT.c.incident_id == incident_id, PRODUCT.c.kind == ProductKind.WORDING.value
    )
    return conn.execute(query.order_by(PRODUCT.c.at.desc(), PRODUCT.c.id)).all()
