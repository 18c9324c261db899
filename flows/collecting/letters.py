"""Dead letters, mended and replayed: what could not be read becomes a signal once a person has put it right.

A letter keeps its text as it came; what a person changes stands beside it, with who and when, and is kept
no less carefully (`privacy`). Replaying is
idempotent: a letter is settled once, and a signal is known by its uid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.console.desk import Refusal, Unknown
from connectors.mapping import Mapping_, accept, guess_mapping
from connectors.ports import Refused
from flows.collecting import privacy
from flows.collecting.filing import saved_mapping
from flows.wiring import House
from models.core.moment import iso
from models.core.personal import mask_personal
from models.core.signals import FIELDS, Batch, RawSignal, Rejected
from models.core.text import storable_json
from models.core.vocabulary import Medium
from models.ledger import deadletters
from models.ledger.store import Connection, Row

SLICE = 200
STATES = {None: "待修补", deadletters.REPLAYED: "已重放", deadletters.DROPPED: "已作废"}

View = dict[str, Any]


@dataclass
class Replayed:
    """What a replay did: letters that became signals, those that were known already, those still wrong."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    numbers: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def as_dict(self) -> View:
        return {
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected,
            "reasons": self.reasons[:20],
        }


# ── seeing ────────────────────────────────────────────────────────────────────────────────────


def overview(house: House, source_id: str | None = None, after: int = 0, *, settled: bool = False) -> View:
    """How many letters wait at each source, and a page of them, masked: {sources, letters, more}."""
    with house.store.read() as conn:
        waiting = deadletters.by_source(conn)
        rows = deadletters.listed(conn, source_id, after=after, limit=SLICE + 1, settled=settled)
    names = house.source_names
    sources = [
        {"id": key, "name": names.get(key, key), "waiting": count} for key, count in sorted(waiting.items())
    ]
    return {
        "sources": sources,
        "letters": [shown(row, names) for row in rows[:SLICE]],
        "more": len(rows) > SLICE,
    }


def shown(row: Row[Any], names: Mapping[str, str]) -> View:
    """A letter for a page or a list: masked whatever the site's setting."""
    letter = privacy.masked_letter(Rejected(row.place, row.reason, row.raw, row.fields))
    fields = letter.fields or {}
    return {
        "id": row.id,
        "source": row.source_id,
        "source_name": names.get(row.source_id, row.source_id),
        "place": row.place,
        "reason": letter.reason,
        "raw": letter.raw,
        "row": {name: _cell(value) for name, value in fields.get("row", {}).items()},
        "columns": fields.get("columns", {}),
        "at": iso(row.at),
        "state": row.state or "open",
        "state_zh": STATES.get(row.state, row.state),
        "settled_at": iso(row.settled_at) if row.settled_at else None,
        "settled_by": row.settled_by,
        "note": row.note,
        "signal_uid": row.signal_uid,
    }


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def one(house: House, number: int) -> View | None:
    with house.store.read() as conn:
        row = deadletters.get(conn, number)
    return shown(row, house.source_names) if row is not None else None


# ── doing ─────────────────────────────────────────────────────────────────────────────────────


def mend(house: House, number: int, changes: Mapping[str, str], by: str, reason: str = "") -> None:
    """Put other values into a letter's columns; column names are those of its table, or our fields'.

    Raises Refused for a letter that is not there or is settled, and for an empty change.
    """
    if not changes:
        raise Refused("没有要改的列；写成 --set 列名=新值")
    with house.store.write() as conn:
        row = _open_letter(conn, number)
        now = house.time.now()
        fields = privacy.keep_mended(house, conn, row, storable_json(changes))
        note = f"{house.names.get(by, by)} 于 {iso(now)} 改了 {'、'.join(changes)}"
        deadletters.put_fields(conn, number, fields, note)
        deadletters.journalled(conn, now, "letters_mended", by, [number], reason, columns=list(changes))


def _open_letter(conn: Connection, number: int) -> Row[Any]:
    row = deadletters.get(conn, number)
    if row is None:
        raise Refused(f"没有编号为 {number} 的死信；用 huiying deadletters list 查看")
    if row.state is not None:
        who = f"{row.settled_by} 于 {iso(row.settled_at)}"
        raise Refused(f"死信 {number} {STATES[row.state]}（{who}），不能再改；不必再做")
    return row


def replay(
    house: House, numbers: Sequence[int] | None, source_id: str | None, by: str, reason: str = ""
) -> Replayed:
    """Read letters again, those named or all that wait (of a source); each in a transaction of its own slice.

    Settled ones are passed over; those that are still wrong stay, with the new reason.
    """
    done, after = Replayed(), 0
    while True:
        with house.store.write() as conn:
            rows = _slice(conn, numbers, source_id, after)
            if not rows:
                return done
            before = done.accepted
            touched = [row.id for row in rows]
            for row in rows:
                _again(house, conn, row, by, done)
            accepted = done.accepted - before
            deadletters.journalled(
                conn, house.time.now(), "letters_replayed", by, touched, reason, accepted=accepted
            )
            after = rows[-1].id


def _slice(
    conn: Connection, numbers: Sequence[int] | None, source_id: str | None, after: int
) -> list[Row[Any]]:
    if numbers is None:
        return list(deadletters.listed(conn, source_id, after=after, limit=SLICE))
    chosen = [number for number in sorted(set(numbers)) if number > after][:SLICE]
    found = [deadletters.get(conn, number) for number in chosen]
    return [row for row in found if row is not None and row.state is None]


def _again(house: House, conn: Connection, row: Row[Any], by: str, done: Replayed) -> None:
    raw, fields = privacy.letter_words(house, conn, row)
    outcome = _read(house, row, raw, fields)
    if isinstance(outcome, Rejected):
        done.rejected += 1
        done.reasons.append(mask_personal(outcome.reason))
        deadletters.put_reason(conn, row.id, mask_personal(outcome.reason))
        return
    counts = privacy.take_in(house, conn, Batch((outcome,)), row.source_id)
    done.accepted += counts["accepted"]
    done.duplicate += counts["duplicate"]
    done.numbers.append(row.id)
    deadletters.settle(conn, house.time.now(), row.id, deadletters.REPLAYED, by, outcome.uid)


def _read(house: House, row: Row[Any], raw: str, fields: Mapping[str, Any] | None) -> RawSignal | Rejected:
    if fields is None:
        reason = f"{row.place}: 这一行分不出列，不能直接重放；先修补，例如 --set title=标题 --set body=内容"
        return Rejected(row.place, reason, raw)
    cells = dict(fields["row"])
    medium = Medium(fields.get("medium") or _medium_of(house, row.source_id))
    used = _mapping(house, row.source_id, cells, fields)
    return accept(cells, row.place, source_id=row.source_id, medium=medium, mapping=used, raw=raw)


def _medium_of(house: House, source_id: str) -> str:
    known = {one.id: one.door for one in house.site.sources.tickets}
    known |= {one.id: one.medium for one in house.site.sources.feeds}
    return known.get(source_id, Medium.HOTLINE).value


def _mapping(house: House, source_id: str, cells: Mapping[str, Any], fields: Mapping[str, Any]) -> Mapping_:
    """Today's saved mapping when it fits the row, else the one of its reading; our own field names
    that a person has set come first."""
    saved = saved_mapping(house, source_id)
    fits = saved is not None and any(column in cells for column in saved.columns.values())
    columns = dict(saved.columns if saved and fits else fields.get("columns") or guess_mapping(cells).columns)
    own = {name: name for name in fields.get("mended", {}) if name in FIELDS}
    return Mapping_(columns | own)


def drop(house: House, numbers: Sequence[int], by: str, reason: str) -> int:
    """Settle letters that are worth nothing, with a reason; they stay readable. Raises Refused."""
    if not reason:
        raise Refused("作废要写理由；加上 --reason")
    with house.store.write() as conn:
        rows = [_open_letter(conn, number) for number in numbers]
        now = house.time.now()
        for row in rows:
            deadletters.settle(conn, now, row.id, deadletters.DROPPED, by)
        deadletters.journalled(conn, now, "letters_dropped", by, [row.id for row in rows], reason)
    return len(rows)


# ── the console's words for it ────────────────────────────────────────────────────────────────


def act(house: House, name: str, number: int | None, params: View, by: str) -> View:
    """Carry out one act of the console. Raises Refusal with the rule in words, Unknown for what is not."""
    if by not in house.names or by == "huiying":
        raise Unknown(f"值班表里没有 {by}；请先选择值班人")
    if number is not None and one(house, number) is None:
        raise Unknown(f"没有编号为 {number} 的死信；请回到死信页查找")
    try:
        return {"said": _acted(house, name, number, params, by)}
    except Refused as error:
        raise Refusal(str(error)) from None


def _acted(house: House, name: str, number: int | None, params: View, by: str) -> str:
    if name == "drop" and number is not None:
        drop(house, [number], by, params.get("reason", ""))
        return "已作废"
    if name not in ("mend", "replay") or (name == "mend" and number is None):
        raise Unknown(f"死信没有 “{name[:40]}” 这个操作；请用页面上的按钮")
    if name == "mend" and number is not None:
        mend(house, number, params.get("cells", {}), by, params.get("reason", ""))
    done = replay(house, None if number is None else [number], params.get("source") or None, by)
    return f"收下 {done.accepted}，重复 {done.duplicate}，仍读不了 {done.rejected}"
