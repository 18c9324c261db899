"""What people do in a chat, taken down before it is answered: a chat that times out sends it again, maybe to
another process, and it is still one thing. Its work is leased, so that a kill loses none of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from models.core.text import storable
from models.records import ChatAsk

ASK: Table = ChatAsk.__table__  # type: ignore[attr-defined]
KEPT = timedelta(days=1)
PATIENCE = timedelta(minutes=10)
"""What has waited longer is no longer what the person wants: they have pressed again, or opened the page."""


def take_down(conn: Connection, key: str, way: str, body: dict[str, Any], now: datetime) -> bool:
    """True when this is new. What is older than `KEPT` goes."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    conn.execute(delete(ASK).where(ASK.c.at < now - KEPT))
    row = {"key": key, "way": way, "body": body, "at": now}
    made = dialect.insert(ASK).values(row).on_conflict_do_nothing(index_elements=["key"])
    return conn.execute(made.returning(ASK.c.key)).first() is not None


def claim(conn: Connection, key: str, now: datetime, until: datetime) -> Row[Any] | None:
    """The work of `key`, leased; None when it is done or in somebody's hands."""
    free = or_(ASK.c.leased_until.is_(None), ASK.c.leased_until <= now)
    mine = update(ASK).where(ASK.c.key == key, ASK.c.done_at.is_(None), free)
    if conn.execute(mine.values(leased_until=until)).rowcount == 0:
        return None
    return conn.execute(select(ASK).where(ASK.c.key == key)).one()


def done(conn: Connection, key: str, now: datetime, said: str) -> None:
    values = {"done_at": now, "leased_until": None, "said": storable(said)[:2000]}
    conn.execute(update(ASK).where(ASK.c.key == key).values(**values))


def left(conn: Connection, way: str, now: datetime, grace: timedelta) -> Sequence[str]:
    """What was taken down at least `grace` ago and nobody is at work on: its process was killed."""
    free = or_(ASK.c.leased_until.is_(None), ASK.c.leased_until <= now)
    query = select(ASK.c.key).where(
        ASK.c.way == way,
        ASK.c.done_at.is_(None),
        free,
        ASK.c.at <= now - grace,
        ASK.c.at > now - PATIENCE,
    )
    return conn.execute(query.order_by(ASK.c.at)).scalars().all()
