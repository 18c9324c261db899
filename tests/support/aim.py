"""When to kill: at the worst moments, seen from outside while the worker is frozen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from sqlalchemy import func, select, text

from models.ledger.outbox import ALERT, THROTTLE
from models.ledger.store import Store

Moment = Callable[[Store], bool]


def in_transaction(store: Store) -> bool:
    """Somebody is in the middle of a write transaction."""
    return _file_locked(str(store.url.database)) if store.sqlite else _lock_held(store)


def _file_locked(path: str) -> bool:
    probe = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        probe.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        probe.close()
    return False


def _lock_held(store: Store) -> bool:
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712 AND granted"
    here = " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with store.read() as conn:
        return bool(conn.execute(text(held + here)).scalar_one())


def claimed(store: Store) -> bool:
    """Somebody has claimed alerts whose outcome is not recorded yet: before, while or after sending."""
    with store.read() as conn:
        by_sender = ALERT.c.leased_by.is_not(None) & ALERT.c.leased_by.not_like(f"{THROTTLE}%")
        leased = select(func.count()).select_from(ALERT).where(by_sender)
        return bool(conn.execute(leased).scalar_one())


MOMENTS: dict[str, Moment] = {"in a transaction": in_transaction, "between claim and record": claimed}
