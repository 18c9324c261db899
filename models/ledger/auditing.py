"""The journal as an auditor asks for it: by kind, person, incident, time and words; newest first, in slices.

Every question runs down the journal from a number, so that a page and an export cost what they show and
never the whole; what words are looked for in is bounded (`SEARCHED` entries at a time).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import rfc8785
from sqlalchemy import ColumnElement, Connection, and_, func, literal_column, or_, select

from models.ledger.entry import Entry
from models.ledger.journal import JOURNAL, append, length
from models.ledger.sessions import SIGNIN

SEARCHED: Final = 20_000
"""Entries that one question about words looks through; the answer says where to go on."""
SLICE: Final = 500
MACHINE: Final = "huiying"
_BY_PERSON: Final = literal_column("journal.actor") != literal_column("'huiying'")
"""As the index of what people did is bounded (`0004_console`): said in the same words, it is used."""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; "" and None ask for everything. `until` is the first moment that is too late."""

    kind: str = ""
    actor: str = ""
    incident_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """`rows` newest first; `next` is the number to ask on from, None at the journal's beginning.
    `looked_to`: the oldest entry that words were looked for in, None where all were."""

    rows: list[Found]
    next: int | None
    looked_to: int | None


def found(conn: Connection, wanted: Filter, before: int | None, limit: int) -> Slice:
    """The newest `limit` entries older than number `before` that `wanted` asks for."""
    top = before if before is not None else length(conn)[0] + 1
    floor = max(1, top - SEARCHED) if wanted.words else 1
    rows = _rows(conn, wanted, top, floor, limit + 1)
    if len(rows) > limit:
        return Slice(rows[:limit], rows[limit - 1]["seq"], None)
    return Slice(rows, floor if floor > 1 else None, floor if floor > 1 else None)


def _rows(conn: Connection, wanted: Filter, top: int, floor: int, limit: int) -> list[Found]:
    query = (
        select(JOURNAL)
        .where(JOURNAL.c.seq < top, JOURNAL.c.seq >= floor, _asked(wanted))
        .order_by(JOURNAL.c.seq.desc())
        .limit(limit)
    )
    return [dict(row) for row in conn.execute(query).mappings()]


def _asked(wanted: Filter) -> ColumnElement[bool]:
    asked: list[ColumnElement[bool]] = [JOURNAL.c.seq > 0]
    if wanted.kind:
        asked.append(JOURNAL.c.kind == wanted.kind)
    if wanted.actor:
        asked.append(JOURNAL.c.actor == wanted.actor)
    if wanted.actor and wanted.actor != MACHINE:
        asked.append(_BY_PERSON)
    if wanted.incident_id:
        asked.append(JOURNAL.c.incident_id == wanted.incident_id)
    if wanted.since is not None:
        asked.append(JOURNAL.c.at >= wanted.since)
    if wanted.until is not None:
        asked.append(JOURNAL.c.at < wanted.until)
    if wanted.words:
        asked.append(_says(wanted.words))
    return and_(*asked)


def _says(words: str) -> ColumnElement[bool]:
    """The reason, or what was recorded: there the words stand as JSON writes them."""
    written = rfc8785.dumps(words).decode()[1:-1]
    return or_(
        JOURNAL.c.reason.icontains(words, autoescape=True),
        JOURNAL.c.payload.icontains(written, autoescape=True),
    )


def count(conn: Connection, wanted: Filter, upto: int) -> int:
    """How many entries up to number `upto` are asked for."""
    query = select(func.count()).select_from(JOURNAL).where(JOURNAL.c.seq <= upto, _asked(wanted))
    return int(conn.execute(query).scalar_one())


def below(conn: Connection, wanted: Filter, before: int) -> list[Found]:
    """The next slice of an export: ask again with the last number until nothing comes."""
    return _rows(conn, wanted, before, 1, SLICE)


def exported(
    conn: Connection, at: datetime, asked: dict[str, str], form: str, rows: int, by: str, why: str
) -> int:
    """That somebody took entries out, by what filter and how many; its number."""
    payload = {"asked": asked, "form": form, "rows": rows}
    return append(conn, at, [Entry("audit_exported", payload, by, why)])


def signins(
    conn: Connection,
    account: str,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
) -> list[Found]:
    """Who signed in and who was refused, newest first, older than number `before`."""
    asked: list[ColumnElement[bool]] = [SIGNIN.c.id > 0]
    if account:
        asked.append(SIGNIN.c.account == account)
    if since is not None:
        asked.append(SIGNIN.c.at >= since)
    if until is not None:
        asked.append(SIGNIN.c.at < until)
    if before is not None:
        asked.append(SIGNIN.c.id < before)
    query = select(SIGNIN).where(*asked).order_by(SIGNIN.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]
