"""复盘: the chain of an incident's times, read from its journal alone, and what was late in it.

Every moment names the entry that states it, so that nobody can tell the story without its source. Times
that were planned and replaced (superseded clocks) are left out: they bound nobody in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.core.casework import MeetingState, PartyRole, PartyState, ProductKind, StatementState
from models.core.moment import parse_iso
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent

REVIEW_WITHIN = timedelta(days=7)
"""By when a closed incident is looked back on (a proposal: no document gives a number)."""
REVIEW_KEY = "review"
"""The task of that review, once for each incident."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A journal entry as the chain reads it: `payload` with its `insert` and `update`."""

    seq: int
    at: datetime
    kind: str
    actor: str
    payload: Row


@dataclass(frozen=True, slots=True)
class Moment:
    """One time of the chain: when, what, by whom, and the entry that states it."""

    at: datetime
    what: str
    by: str
    seq: int


@dataclass(frozen=True, slots=True)
class Link:
    """A moment, and how long after the one before it came; None of the first."""

    moment: Moment
    gap_s: float | None


def chain(entries: Iterable[Told], unit: Callable[[str], str] = str) -> list[Link]:
    """The moments in the order of their times, each with the gap to the one before. `unit`: what a unit is
    called."""
    found = sorted(moments(list(entries), unit), key=lambda moment: (moment.at, moment.seq))
    before = [None, *(moment.at for moment in found)]
    return [
        Link(moment, (moment.at - at).total_seconds() if at else None)
        for moment, at in zip(found, before, strict=False)
    ]


def moments(entries: Sequence[Told], unit: Callable[[str], str] = str) -> Iterator[Moment]:
    """What the entries say of times, each said once."""
    gone = _superseded(entries)
    names = {row["id"]: str(row["name"]) for entry in entries for row in _new(entry, "clock")}
    titles = {row["id"]: str(row["title"]) for entry in entries for row in _new(entry, "statement")}
    units = {row["id"]: unit(row["unit"]) for entry in entries for row in _new(entry, "party")}
    for entry in entries:
        yield from _act(entry)
        yield from _times(entry)
        yield from _parties(entry, units)
        yield from _statements(entry, titles)
        yield from _proofs(entry)
        yield from _rest(entry)
        yield from _clocks(entry, gone, names)  # after what set them going or ended them


def _new(entry: Told, table: str) -> Sequence[Row]:
    rows: Sequence[Row] = entry.payload.get("insert", {}).get(table, ())
    return rows


def _changed(entry: Told, table: str) -> Sequence[Row]:
    rows: Sequence[Row] = entry.payload.get("update", {}).get(table, ())
    return rows


def _superseded(entries: Iterable[Told]) -> set[str]:
    """The clocks that another plan replaced: their newest state says so."""
    states = {
        row["id"]: row["state"]
        for entry in entries
        for row in (*_new(entry, "clock"), *_changed(entry, "clock"))
        if "state" in row
    }
    return {clock for clock, state in states.items() if state == ClockState.SUPERSEDED.value}


ACTS = {
    "incident_opened": "立案",
    "acknowledged": "签收",
    "taken": "接手",
    "escalated": "升级",
    "grade_provisional": "暂定级",
    "grade_confirmed": "定级",
    "evidence_retracted": "撤回凭据",
    "incident_closed": "办结",
    "incident_reopened": "重开",
    "incidents_merged": "合并",
    "incident_split": "拆分",
}
"""Acts that are a time of their own."""


def _act(entry: Told) -> Iterator[Moment]:
    word = ACTS.get(entry.kind)
    if word is not None:
        grade = entry.payload.get("to") if entry.kind.startswith("grade") else None
        yield Moment(entry.at, f"{word} {grade}" if grade else word, entry.actor, entry.seq)


def _times(entry: Told) -> Iterator[Moment]:
    """The stated times; a correction stands beside what it corrects."""
    said = "（更正）" if entry.kind == "time_corrected" else ""
    for row in _new(entry, "incidenttime"):
        event = StartEvent(row["event"])
        if event not in (StartEvent.ACK, StartEvent.GRADED):  # the act itself is told
            yield Moment(parse_iso(row["value"]), f"{event.zh}{said}", str(row["author"]), entry.seq)


def _clocks(entry: Told, gone: set[str], names: Mapping[str, str]) -> Iterator[Moment]:
    for row in _new(entry, "clock"):
        if row["id"] not in gone:
            yield Moment(parse_iso(row["started_at"]), f"{row['name']} 起算", entry.actor, entry.seq)
            yield Moment(parse_iso(row["due_at"]), f"{row['name']} 到期", entry.actor, entry.seq)
    for row in _changed(entry, "clock"):
        if row.get("ended_at") and row["id"] not in gone:
            state = ClockState(row["state"]).zh
            name = names.get(row["id"], row["id"])
            yield Moment(parse_iso(row["ended_at"]), f"{name} {state}", entry.actor, entry.seq)


def _proofs(entry: Told) -> Iterator[Moment]:
    for row in _new(entry, "evidence"):
        kind = EvidenceKind(row["kind"])
        if kind is not EvidenceKind.ACKNOWLEDGEMENT:
            yield Moment(parse_iso(row["published_at"]), f"凭据：{kind.zh}", str(row["publisher"]), entry.seq)


def _statements(entry: Told, titles: Mapping[str, str]) -> Iterator[Moment]:
    for row in (*_new(entry, "statement"), *_changed(entry, "statement")):
        if "state" in row:
            title, state = titles.get(row["id"], row["id"]), StatementState(row["state"]).zh
            yield Moment(entry.at, f"稿件“{title}”{state}", entry.actor, entry.seq)


def _parties(entry: Told, units: Mapping[str, str]) -> Iterator[Moment]:
    """Who was asked for which part, and what each answered."""
    for row in _new(entry, "party"):
        yield Moment(entry.at, f"交{units[row['id']]}{PartyRole(row['role']).zh}", entry.actor, entry.seq)
    for row in _changed(entry, "party"):
        if row.get("state") not in (None, PartyState.ASKED.value):
            said = PartyState(row["state"]).zh
            yield Moment(entry.at, f"{units.get(row['id'], '责任单位')}{said}", entry.actor, entry.seq)


def _rest(entry: Told) -> Iterator[Moment]:
    """Press conferences that were held, and what the stages left behind."""
    for row in _changed(entry, "meeting"):
        if row.get("state") == MeetingState.HELD.value:
            at = parse_iso(row["held_at"]) if row.get("held_at") else entry.at
            yield Moment(at, "发布会举行", entry.actor, entry.seq)
    for row in _new(entry, "product"):
        if not (row.get("data") or {}).get("clock"):  # a cause is no moment of the incident
            yield Moment(entry.at, ProductKind(row["kind"]).zh, entry.actor, entry.seq)


# ── what was late ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Late:
    """A clock that was not in time: by how much, against its proof's own time or, open still, now."""

    clock: str
    rule_id: str
    name: str
    due_at: datetime
    late_s: float
    open: bool


def late(
    clock: str,
    rule_id: str,
    name: str,
    state: ClockState,
    due_at: datetime,
    ended: datetime | None,
    now: datetime,
) -> Late | None:
    """None for a clock that was in time, waived, armed or replaced. `ended`: the proof's time."""
    over = state is ClockState.MET_LATE or (state.open and due_at < now)
    if not over:
        return None
    end = ended if state is ClockState.MET_LATE and ended else now
    return Late(clock, rule_id, name, due_at, max(0.0, (end - due_at).total_seconds()), state.open)
