"""What officers changed in grades, labels and links, with what the machine had said: to learn from, and to read.

The last word of each counts. Confirming what the machine said is no correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from models.core.labels import Label
from models.core.personal import mask_personal, mask_said
from models.core.vocabulary import Medium
from models.ledger import journal
from models.ledger.signals import SIGNAL
from models.records import Judgement, Relabel

JUDGEMENT: Table = Judgement.__table__  # type: ignore[attr-defined]
RELABEL: Table = Relabel.__table__  # type: ignore[attr-defined]
MACHINE: Final = "huiying"
MOST: Final = 200
"""Signals of one merge or split that are written out as pairs."""

Said = dict[str, Any]


# ── grades ────────────────────────────────────────────────────────────────────────────────────


def grades(conn: Connection, *, masked: bool = True) -> Iterator[Said]:
    """{"text", "grade", "incident", "machine": {"grade", "parts"}} of every incident whose grade a person
    set otherwise than the machine had. `text`: the first signal of the incident, empty where it has none."""
    machine = _machine_grades(conn)
    for incident_id, grade in _person_grades(conn).items():
        said = machine.get(incident_id)
        if said and said["grade"] != grade:
            text = next((_text(row, masked) for row in _told(conn, [incident_id])), "")
            yield {"text": text, "grade": grade, "incident": incident_id, "machine": _shown(said, masked)}


def _person_grades(conn: Connection) -> dict[str, str]:
    """incident → the grade that a person gave it last."""
    found = (journal.as_entry(row) for row in journal.entries(conn, kind="grade_confirmed"))
    return {entry.incident_id or "": entry.payload["to"] for entry in found}


def _machine_grades(conn: Connection) -> dict[str, Said]:
    """incident → {"grade", "parts"} as the machine had it last, before any person's word."""
    found: dict[str, Said] = {}
    for row in journal.entries(conn, kind="incident_opened"):
        entry = journal.as_entry(row)
        if entry.actor == MACHINE:
            (made,) = entry.payload["insert"]["incident"]
            found[made["id"]] = {"grade": made["grade"], "parts": made["grade_parts"]}
    for row in journal.entries(conn, kind="grade_provisional"):
        for change in journal.as_entry(row).payload["update"]["incident"]:
            known = found.get(change["id"], {"parts": []})
            found[change["id"]] = {
                "grade": change["grade"],
                "parts": change.get("grade_parts", known["parts"]),
            }
    return found


def _shown(said: Said, masked: bool) -> Said:
    parts = [
        {
            "part": part["part"],
            "grade": part["grade"],
            "reason": mask_personal(part["reason"]) if masked else part["reason"],
        }
        for part in said["parts"]
    ]
    return {"grade": said["grade"], "parts": parts}


# ── labels ────────────────────────────────────────────────────────────────────────────────────


def labels(conn: Connection, *, masked: bool = True) -> Iterator[Said]:
    """{"text", "sentiment"|"topic"|"kind"|"rumour": its value, "signal", "machine": {the same: value}} of every
    signal whose label a person set otherwise than the machine had; "rumour" is "1" or "0" as the sets have it."""
    for (signal, name), (first, last) in _relabelled(conn).items():
        if first != last:
            for row in _by_ids(conn, (signal,)):
                said = {name: _taught(name, first)}
                yield {
                    "text": _text(row, masked),
                    name: _taught(name, last),
                    "signal": signal,
                    "machine": said,
                }


def _relabelled(conn: Connection) -> dict[tuple[int, str], tuple[str | None, str]]:
    """(signal, label) → (what the machine had said, a person's last word)."""
    found: dict[tuple[int, str], tuple[str | None, str]] = {}
    for row in conn.execute(select(RELABEL).order_by(RELABEL.c.at, RELABEL.c.id)):
        first, _ = found.get((row.signal_id, row.label), (row.was, ""))
        found[row.signal_id, row.label] = first, row.now
    return found


def _taught(name: str, value: str | None) -> str | None:
    """A value as the labelled sets write it."""
    return {"yes": "1", "no": "0"}.get(value or "", value) if name == Label.RUMOUR else value


# ── links ─────────────────────────────────────────────────────────────────────────────────────


def links(conn: Connection, *, masked: bool = True) -> Iterator[Said]:
    """{"a", "b", "same", "machine": {"same", "score"}} of signals that a person put together or apart, where
    the machine had said the contrary. `score`: how alike `a` was to its group, null where it began one."""
    for (one, other), (same, joined) in _decided(conn).items():
        rows = {row.id: row for row in _by_ids(conn, (one, other))}
        if same != joined and len(rows) == 2:
            a, b = rows[one], rows[other]
            said = {"same": joined, "score": a.link_score}
            yield {"a": _text(a, masked), "b": _text(b, masked), "same": same, "machine": said}


def _decided(conn: Connection) -> dict[tuple[int, int], tuple[bool, bool]]:
    """(moved, stayed) signal → (one matter by a person's last word, in one group by the machine)."""
    found: dict[tuple[int, int], tuple[bool, bool]] = {}
    for entry in _moves(conn):
        moved = [row["signal_id"] for row in entry.payload["update"].get("judgement", ())]
        same = entry.kind == "incidents_merged"
        stayed, was = entry.payload["into" if same else "from"], dict(entry.payload.get("clusters", ()))
        for signal, partner, group in _pairs(conn, moved, stayed, was):
            found[signal, partner] = same, group
    return {pair: said for pair, said in found.items() if _stands(conn, pair, said[0])}


def _moves(conn: Connection) -> Iterator[Any]:
    """Merges and splits, oldest first."""
    kinds = ("incidents_merged", "incident_split")
    rows = [row for kind in kinds for row in journal.entries(conn, kind=kind)]
    return (journal.as_entry(row) for row in sorted(rows, key=lambda row: row["seq"]))


def _pairs(
    conn: Connection, moved: Sequence[int], stayed: str, was: Mapping[int, str]
) -> Iterator[tuple[int, int, bool]]:
    """Each moved signal beside the first of those it came to or left, and whether the machine had grouped
    them; `was`: the groups of signals that a split took out of them."""
    partner = next((row for row in _told(conn, [stayed]) if row.id not in set(moved)), None)
    if partner is not None:
        for row in _by_ids(conn, moved[:MOST]):
            yield row.id, partner.id, was.get(row.id, row.cluster) == partner.cluster


def _stands(conn: Connection, pair: tuple[int, int], same: bool) -> bool:
    """Was it not taken back by a later merge or split?"""
    homes: Mapping[int, str | None] = {row.id: row.incident_id for row in _by_ids(conn, pair)}
    return (len(set(homes.values())) == 1) == same


# ── texts ─────────────────────────────────────────────────────────────────────────────────────

_COLUMNS = (
    SIGNAL.c.id, SIGNAL.c.title, SIGNAL.c.body, SIGNAL.c.medium, SIGNAL.c.author,
    JUDGEMENT.c.cluster, JUDGEMENT.c.link_score, JUDGEMENT.c.incident_id,
)  # fmt: skip
_FROM = SIGNAL.join(JUDGEMENT, JUDGEMENT.c.signal_id == SIGNAL.c.id)
_OURS = SIGNAL.c.medium == Medium.OFFICIAL.value


def _told(conn: Connection, incident_ids: Iterable[str]) -> Sequence[Any]:
    """The signals of the incidents, first come first; our own publications left out."""
    where = JUDGEMENT.c.incident_id.in_(list(incident_ids)) & ~_OURS
    return conn.execute(select(*_COLUMNS).select_from(_FROM).where(where).order_by(SIGNAL.c.id)).all()


def _by_ids(conn: Connection, numbers: Iterable[int]) -> Sequence[Any]:
    where = SIGNAL.c.id.in_(list(numbers)) & ~_OURS
    return conn.execute(select(*_COLUMNS).select_from(_FROM).where(where).order_by(SIGNAL.c.id)).all()


def _text(row: Row[Any], masked: bool) -> str:
    text = f"{row.title}\n{row.body}".strip()
    return mask_said(text, row.medium, row.author) if masked else text
