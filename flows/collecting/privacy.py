"""Personal data on its way in and, with a reason, out again (site.yaml: personal_data).

mask     stored as it came, masked wherever it is shown
encrypt  stored masked; the original beside it in a box that the site's key opens; triage reads the original
drop     stored masked; the original is never written
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from connectors.ports import ConnectorError, Refused
from connectors.sealing import Sealer, sealer
from flows.wiring import House
from models.core.personal import NAMED, mask_name, mask_personal
from models.core.signals import Batch, RawSignal, Rejected
from models.core.text import fingerprint
from models.ledger import deadletters, sealed, signals
from models.ledger.store import Connection, Row

log = structlog.get_logger()

WORDS = ("title", "body", "author", "place")
MASK, ENCRYPT = "mask", "encrypt"

Box = tuple[str, str, bytes]


def take_in(house: House, conn: Connection, batch: Batch, source_id: str) -> dict[str, int]:
    """Store a batch as the site's setting wants it; counts of read, accepted, duplicate, rejected."""
    now = house.time.now()
    kept, boxes = guarded(house, batch, source_id)
    counts = signals.collect(conn, now, kept, source_id, fingerprint)
    sealed.keep(conn, now, boxes)
    return counts


def guarded(house: House, batch: Batch, source_id: str) -> tuple[Batch, list[Box]]:
    """The batch as it may be stored, and the boxes that go beside it."""
    if house.site.personal_data == MASK:
        return batch, []
    lock = lock_of(house) if house.site.personal_data == ENCRYPT else None
    taken = [_masked(signal, lock) for signal in batch.signals]
    refused = [_masked_letter(one, source_id, lock) for one in batch.rejected]
    boxes = [box for _, box in (*taken, *refused) if box is not None]
    return Batch(tuple(one for one, _ in taken), tuple(one for one, _ in refused)), boxes


def lock_of(house: House) -> Sealer:
    """The site's key. Raises Refused that names what is missing: nothing is stored unencrypted instead."""
    try:
        return sealer(house.site.secrets(house.site.personal_key or ""))
    except (LookupError, OSError, ValueError) as error:
        raise Refused(
            f"personal_data: encrypt 的密钥取不到({error})；请核对 site.yaml 的 personal_key"
        ) from None


def _masked(signal: RawSignal, lock: Sealer | None) -> tuple[RawSignal, Box | None]:
    known = (signal.author,) if signal.medium in NAMED else ()
    made = replace(
        signal,
        title=mask_personal(signal.title, known),
        body=mask_personal(signal.body, known),
        place=mask_personal(signal.place, known) if signal.place else None,
        author=mask_name(signal.author) if known else signal.author,
    )
    if lock is None or made == signal:
        return made, None
    words = {name: getattr(signal, name) for name in WORDS}
    return made, (signal.uid, lock.key_id, lock.seal(signal.uid, words))


def _masked_letter(letter: Rejected, source_id: str, lock: Sealer | None) -> tuple[Rejected, Box | None]:
    made = masked_letter(letter)
    if lock is None or made == letter:
        return made, None
    uid = f"dead:{deadletters.uid_of(source_id, made)}"
    return made, (uid, lock.key_id, lock.seal(uid, {"raw": letter.raw, "fields": letter.fields}))


def masked_letter(letter: Rejected) -> Rejected:
    known = _names_in(letter.fields)
    return replace(
        letter,
        raw=mask_personal(letter.raw, known),
        reason=mask_personal(letter.reason, known),
        fields=None if letter.fields is None else masked_fields(letter.fields),
    )


def masked_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A letter's cells masked, also those that a person has put there."""
    columns = fields.get("columns", {})
    masked = {name: mask_row(fields[name], columns) for name in ("row", "mended") if name in fields}
    return {**fields, **masked}


def mask_row(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row's cells for a page: texts and long numbers masked, the columns of names by their own rule."""
    names = {column: name for column in _name_columns(columns) if (name := str(row.get(column) or ""))}
    masked = {column: _masked_cell(cell, tuple(names.values())) for column, cell in row.items()}
    return masked | {column: mask_name(name) for column, name in names.items()}


def _name_columns(columns: Mapping[str, str]) -> tuple[str, ...]:
    """The table's own, and ours, which a person may fill when mending."""
    return tuple(dict.fromkeys(filter(None, (columns.get("author"), "author"))))


def _masked_cell(cell: Any, known: tuple[str, ...]) -> Any:
    """Numbers stay numbers unless there is something to mask in them."""
    if isinstance(cell, dict):
        return {name: _masked_cell(one, known) for name, one in cell.items()}
    if isinstance(cell, list):
        return [_masked_cell(one, known) for one in cell]
    if cell is None or isinstance(cell, bool):
        return cell
    shown = mask_personal(str(cell), known)
    return cell if shown == str(cell) else shown


def _names_in(fields: Mapping[str, Any] | None) -> tuple[str | None, ...]:
    if fields is None:
        return ()
    columns = _name_columns(fields.get("columns", {}))
    return tuple(str(fields["row"].get(column) or "") or None for column in columns)


# ── out again ─────────────────────────────────────────────────────────────────────────────────


def originals(house: House, conn: Connection, rows: Sequence[Row[Any]]) -> dict[str, dict[str, Any]]:
    """uid → the words as they came, of those rows that are stored masked and can be opened.

    A box that does not open costs the judgement its telephone numbers, not the signal.
    """
    if house.site.personal_data != ENCRYPT or not rows:
        return {}
    try:
        lock = lock_of(house)
        found = sealed.boxes(conn, [row.uid for row in rows])
        return {uid: lock.open(uid, key, box) for uid, (key, box) in found.items()}
    except ConnectorError as error:
        log.warning("originals cannot be opened; masked texts are judged", reason=str(error))
        return {}


def whole(signal: RawSignal, words: Mapping[str, Any] | None) -> RawSignal:
    """A stored signal with its own words back."""
    return replace(signal, **{name: words[name] for name in WORDS}) if words else signal


def letter_words(house: House, conn: Connection, letter: Row[Any]) -> tuple[str, dict[str, Any] | None]:
    """(raw, fields) of a dead letter as they came, for mending and replaying."""
    uid = f"dead:{letter.uid}"
    box = sealed.boxes(conn, [uid]).get(uid)
    if box is None:
        return letter.raw, letter.fields
    words = lock_of(house).open(uid, *box)
    fields: dict[str, Any] | None = words["fields"]
    changed = (letter.fields or {}).get("mended", {})
    if not changed or "mended" in (fields or {}):  # what a person changed is sealed with the rest
        return words["raw"], fields
    fields = fields or {"row": {}, "columns": {}}
    return words["raw"], {**fields, "row": {**fields["row"], **changed}, "mended": changed}


def keep_mended(
    house: House, conn: Connection, letter: Row[Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """A letter's fields with these cells, as they may be stored; with `encrypt` the originals are sealed anew.

    `mended` remembers what a person wrote. Raises Refused when the key cannot be had.
    """
    raw, fields = letter_words(house, conn, letter)
    whole = _merged(fields, changes)
    if house.site.personal_data == MASK:
        return whole
    if house.site.personal_data == ENCRYPT:
        uid, lock = f"dead:{letter.uid}", lock_of(house)
        box = (uid, lock.key_id, lock.seal(uid, {"raw": raw, "fields": whole}))
        sealed.replace(conn, house.time.now(), box)
    return masked_fields(whole)


def _merged(fields: Mapping[str, Any] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"row": {}, "columns": {}, **(fields or {})}
    return {
        **kept,
        "row": {**kept["row"], **changes},
        "mended": {**kept.get("mended", {}), **changes},
    }


def reveal(house: House, number: int, by: str, reason: str) -> dict[str, Any]:
    """The unmasked words of signal `number`; that they were read, by whom and why, is journalled first.

    Raises Refused when there is nothing to see or the site keeps nothing.
    """
    with house.store.write() as conn:
        row = sealed.signal(conn, number)
        if row is None:
            raise Refused(f"没有编号为 {number} 的线索；编号见 huiying show 事件编号")
        words = _words_of(house, conn, row)
        sealed.revealed(conn, house.time.now(), number, by, reason)
    return {"signal": number, **words}


def _words_of(house: House, conn: Connection, row: Row[Any]) -> dict[str, Any]:
    box = sealed.boxes(conn, [row.uid]).get(row.uid)
    if box is not None:
        return lock_of(house).open(row.uid, *box)
    return {name: getattr(row, name) for name in WORDS}
