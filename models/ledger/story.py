"""经过: an incident's signals and everything that was done about it, on one line of time, a page at a time.

Two rivers flow together: the signals, and the journal's entries. They are read from the newest on; a place in
the line is (time, river, number), so that nothing is shown twice or passed over where much happens at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from models.core.moment import iso, parse_iso
from models.core.personal import headline
from models.core.vocabulary import Medium
from models.ledger import journal
from models.ledger.heard import said_at
from models.ledger.judgements import JUDGEMENT
from models.ledger.signals import SIGNAL
from models.ledger.views import SENTIMENT_ZH
from models.ledger.words import KINDS, acting, told

JOURNAL = journal.JOURNAL
PAGE: Final = 40
View = dict[str, Any]

GROUPS: Final[Mapping[str, str]] = {
    "signal": "线索",
    "act": "处置",
    "clock": "时钟与定级",
    "alert": "提醒",
    "statement": "稿件",
    "proof": "凭据",
}
"""The groups of a timeline, in the words people filter by."""
_PREFIXES: Final = (
    (("alert_", "step_raised", "notice_raised", "snoozed"), "alert"),
    (("statement_", "facts_verified", "wording_", "meeting_", "update_promised", "promise_"), "statement"),
    (("evidence_", "earlier_evidence", "proposal_", "page_found", "dossier_"), "proof"),
    (("clock", "grade_", "time_", "playbook", "incident_opened", "kind_"), "clock"),
    (("signals_",), "signal"),
)
_UNTOLD: Final = ("alert_accepted", "alert_withdrawn", "alert_delivered", "alert_read", "signals_counted")
"""Single deliveries: told only to whoever asks for the alerts."""


def group_of(kind: str) -> str:
    """The group that a kind of entry belongs to; what no prefix names is somebody's act."""
    return next((group for starts, group in _PREFIXES if kind.startswith(starts)), "act")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the line: what comes after it, going back in time, is earlier."""

    at: datetime
    river: str  # "j" or "s"
    number: int

    def __str__(self) -> str:
        return f"{iso(self.at)}~{self.river}{self.number}"


def place(text: str) -> Place | None:
    """A place as `str` wrote it; None for anything else."""
    moment, _, rest = text.partition("~")
    if rest[:1] not in ("j", "s") or not rest[1:].isdecimal() or len(rest) > 18:
        return None
    try:
        return Place(parse_iso(moment), rest[0], int(rest[1:]))
    except ValueError:
        return None


def read(
    conn: Connection,
    incident_id: str,
    groups: Collection[str],
    before: Place | None,
    names: Mapping[str, str],
    size: int = PAGE,
) -> tuple[list[View], Place | None]:
    """The newest lines before a place: ([{at, group, group_zh, kind, kind_zh, text, actor, reason, seq | signal}],
    where the next page begins or None). Empty `groups`: everything but single deliveries."""
    found: list[tuple[Place, View]] = []
    if not groups or "signal" in groups:
        found += [_signal(row) for row in _signals(conn, incident_id, before, size + 1)]
    if not groups or set(groups) - {"signal"}:
        found += [_entry(row, names) for row in _entries(conn, incident_id, groups, before, size + 1)]
    found.sort(key=lambda pair: _order(pair[0]), reverse=True)
    shown = found[:size]
    return [view for _, view in shown], shown[-1][0] if len(found) > size else None


def _order(at: Place) -> tuple[datetime, str, int]:
    return at.at, at.river, at.number


def _earlier(at: ColumnElement[Any], number: ColumnElement[Any], river: str, before: Place) -> Any:
    """What lies behind a place: of one moment the signals come first, going back, then the journal."""
    if river == before.river:
        return or_(at < before.at, and_(at == before.at, number < before.number))
    return at <= before.at if river < before.river else at < before.at


def _signals(conn: Connection, incident_id: str, before: Place | None, most: int) -> Sequence[Row[Any]]:
    at = func.coalesce(SIGNAL.c.published_at, SIGNAL.c.seen_at, type_=SIGNAL.c.seen_at.type)
    columns = [
        SIGNAL.c[name]
        for name in (
            "id",
            "title",
            "body",
            "url",
            "author",
            "medium",
            "source_id",
            "published_at",
            "seen_at",
        )
    ]
    query = select(*columns, JUDGEMENT.c.sentiment).join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
    query = query.where(JUDGEMENT.c.incident_id == incident_id)
    if before is not None:
        query = query.where(_earlier(at, SIGNAL.c.id, "s", before))
    return conn.execute(query.order_by(at.desc(), SIGNAL.c.id.desc()).limit(most)).all()


def _signal(row: Row[Any]) -> tuple[Place, View]:
    at = said_at(row)
    return Place(at, "s", row.id), {
        "at": iso(at),
        "group": "signal",
        "group_zh": GROUPS["signal"],
        "kind": "signal",
        "kind_zh": Medium(row.medium).zh,
        "text": headline(row.title, row.body, row.medium, row.author, 80),
        "actor": row.source_id,
        "reason": "",
        "url": row.url,
        "signal": row.id,
        "sentiment": row.sentiment,
        "sentiment_zh": SENTIMENT_ZH.get(row.sentiment, "待研判"),
    }


def _entries(
    conn: Connection, incident_id: str, groups: Collection[str], before: Place | None, most: int
) -> Sequence[Any]:
    query = select(JOURNAL).where(JOURNAL.c.incident_id == incident_id)
    if groups:
        query = query.where(JOURNAL.c.kind.in_(_kinds(groups)))
    else:
        query = query.where(JOURNAL.c.kind.not_in(_UNTOLD))
    if before is not None:
        query = query.where(_earlier(JOURNAL.c.at, JOURNAL.c.seq, "j", before))
    return (
        conn.execute(query.order_by(JOURNAL.c.at.desc(), JOURNAL.c.seq.desc()).limit(most)).mappings().all()
    )


def _kinds(groups: Collection[str]) -> list[str]:
    return [kind for kind in KINDS if group_of(kind) in groups and kind != "signals_counted"]


def _entry(row: Any, names: Mapping[str, str]) -> tuple[Place, View]:
    group = group_of(row["kind"])
    return Place(row["at"], "j", row["seq"]), {
        "at": iso(row["at"]),
        "group": group,
        "group_zh": GROUPS[group],
        "kind": row["kind"],
        "kind_zh": KINDS.get(row["kind"], row["kind"]),
        "text": told(journal.as_entry(dict(row)), names),
        "actor": acting(row["actor"], names),
        "reason": row["reason"],
        "seq": row["seq"],
    }
