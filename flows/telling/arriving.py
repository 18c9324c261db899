"""Letters from neighbouring installations 上下级: whose they are, whether they are fresh, and what they do here.

Nothing of a letter is believed before its signature: the neighbour's own key, over just these bytes, to us, now. The
same letter again changes nothing and gets the same answer. The answer is signed too: whoever stands between cannot
say that we have what we never got.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from connectors import neighbours, parcels, sealing
from connectors.parcels import Envelope, Unsigned
from connectors.ports import Refused
from flows import timekeeping
from flows.office import tasking
from flows.telling import lines
from flows.wiring import House
from models.core.levels import (
    Kind,
    Purpose,
    ReferralState,
    Relation,
    ahead,
    called,
    letter,
    mirrored,
    misdirected,
    stale,
)
from models.core.moment import clock_face, iso, parse_iso
from models.ledger import incidents, levels, levels_board, levels_parcel, levels_rows, notices, notified
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row
from playbooks.levels_paper import NeighbourSource

log = structlog.get_logger()

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """A letter as it was read: its body in its shape, and what is a parcel with its text and hash."""

    kind: Kind
    content: View
    parcel: levels.Wrapped | None = None


def take(house: House, raw: bytes) -> bytes:
    """What came to our door; our signed answer. Raises Unsigned (mend the settings, or wait), Refused and NotAllowed
    (it will never be taken), LedgerError. Nobody's writing waits while a letter is read and judged."""
    found = neighbours.opened(raw, {one.id: one.public_key for one in house.site.neighbours})
    world = timekeeping.world(house.time)
    said = found.model_dump(mode="json", by_alias=True)
    wrong = misdirected(said, house.site.levels.id or "") or stale(said, world())
    if wrong:
        raise Unsigned(wrong)
    who = lines.of_id(house, found.sender)
    assert who is not None  # its key has just been used
    key = _our_key(house)
    read = _read(house, found, who)
    with house.store.write() as conn:
        done = _HANDLERS[found.kind](house, conn, house.time.now(), who, read)
        lines.hurry(conn, who)
    answer = letter(found.id, Kind.ANSWER, found.receiver, found.sender, world(), done)
    return neighbours.seal(answer, key)


def _our_key(house: House) -> str:
    """Our own key, before anything is written: what we hold and cannot answer for would be refused for good there."""
    try:
        key = lines.private_key(house)
        sealing.public_of(key)
    except Refused as error:
        log.error("no letter can be taken without our own key", reason=str(error))
        raise Unsigned("收信一方读不出自己的私钥(levels.private_key)；请其管理员核对，信会再送") from None
    return key


def _read(house: House, found: Envelope, who: NeighbourSource) -> Read:
    """Raises Refused and NotAllowed for what will never be taken, Unsigned for what will be true a little later."""
    if found.kind not in _HANDLERS:
        raise Refused(f"不收这种信({found.kind.value})；请核对对方系统的版本")
    content = parcels.body_of(found.kind, found.body).model_dump(mode="json")
    if found.kind is not Kind.PARCEL:
        return Read(found.kind, content)
    wrong = levels_parcel.forged(content)
    if wrong or content["sender"]["id"] != who.id:
        raise NotAllowed(
            wrong or f"移送件写的移送方是 {content['sender']['id']}，信是 {who.id} 发的；请对方核对"
        )
    _in_our_time(content, house.time.now())
    return Read(found.kind, content, wrapped(found.id, found.body, content))


def _in_our_time(content: View, now: datetime) -> None:
    """Two clocks may stand a little apart: what lies ahead of ours alone is no lie, and true in some minutes."""
    said = [one["value"] for one in content["times"]] + [one["published_at"] for one in content["evidence"]]
    moments = [parse_iso(one) for one in (*said, content["incident"]["opened_at"])]
    then = ahead(moments, now, incidents.SKEW)
    if then is not None:
        raise Unsigned(
            f"移送件里的时间 {clock_face(then)} 晚于本系统现在的 {clock_face(now)}；请校对两边的时钟，到时会再收"
        )


def wrapped(
    parcel_id: str, body: Mapping[str, Any], content: Mapping[str, Any] | None = None
) -> levels.Wrapped:
    """A parcel with the text that its hash is taken of. Raises Refused."""
    text = neighbours.canonical(body)
    return levels.Wrapped(parcel_id, content or body, text.decode(), hashlib.sha256(text).hexdigest())


def _parcel(house: House, conn: Connection, now: datetime, who: NeighbourSource, read: Read) -> View:
    assert read.parcel is not None
    known = levels_rows.known(conn, read.parcel.id)
    row = levels.receive(conn, now, lines.known(who), read.parcel, house.rules_for)
    if known is None:
        notices.tell(conn, now, [_arrived(house, row, who)])
        if row.incident_id:
            tasking.settle(house, conn, row.incident_id)
    ref = f"舆-{row.incident_id}" if row.incident_id else None
    return {"state": ReferralState.DELIVERED.value, "incident": row.incident_id, "ref": ref}


def _arrived(house: House, row: Row[Any], who: NeighbourSource) -> Notice:
    word = called(row.purpose, mirrored(who.relation.value))
    taking = row.purpose == Purpose.TRANSFER.value
    mend = "时钟沿用原起算时间，已在走；请接收或写明理由退回" if taking else "仅供知悉；请登记已阅"
    title = f"{who.name} {word}：{row.title}"
    reason = f"原编号 {row.their_ref}，{row.reason}；{mend}（{house.public_url}/levels）"
    return lines.notice(house, f"arrived {row.id}", title, reason, row.incident_id)


def _receipt(house: House, conn: Connection, now: datetime, who: NeighbourSource, read: Read) -> View:
    row = levels.answered(conn, now, lines.known(who), read.content, house.rules_for)
    if row is not None and row.incident_id:
        if row.state == ReferralState.RETURNED.value:
            notices.tell(conn, now, [_given_back(house, row, who)])
        else:
            _as_notified(house, conn, now, row, who)
        tasking.settle(house, conn, row.incident_id)
    return {"state": read.content["state"]}


def _given_back(house: House, row: Row[Any], who: NeighbourSource) -> Notice:
    reason = f"{row.decision}（{row.decided_by}）；时钟仍在本单位走，请继续办理"
    occasion = f"returned {row.id} {iso(row.decided_at)}"
    return lines.notice(house, occasion, f"{who.name} 退回移送：{row.title}", reason, row.incident_id)


def _as_notified(house: House, conn: Connection, now: datetime, row: Row[Any], who: NeighbourSource) -> None:
    """Where a playbook asks that this very body be told (S-041), its receipt here is that receipt."""
    ours = incidents.get(conn, row.incident_id)
    wanted = tasking.notifications(house, conn, ours, now)
    if ours.closed_at is not None or not any(who.name in group.parties for group in wanted):
        return
    told_at, reason = row.delivered_at or now, f"系统间移送 {row.id[:8]}"
    try:
        notified.receipt(
            conn, now, ours.id, wanted, who.name, row.receipt, told_at, "huiying", reason, house.rules_for
        )
    except NotAllowed:  # somebody has entered another receipt of theirs before: that one stands
        return


def _progress(house: House, conn: Connection, now: datetime, who: NeighbourSource, read: Read) -> View:
    levels.progressed(conn, now, lines.known(who), read.content)
    return {"state": "known"}


def _summary(house: House, conn: Connection, now: datetime, who: NeighbourSource, read: Read) -> View:
    if who.relation is not Relation.LOWER:
        raise NotAllowed(f"{who.name} 不是本系统的下级，不收它的态势；请核对两边的 relation")
    levels_board.heard(conn, now, who.id, read.content)
    return {"state": "known"}


_HANDLERS: Final[Mapping[Kind, Callable[[House, Connection, datetime, NeighbourSource, Read], View]]] = {
    Kind.PARCEL: _parcel,
    Kind.RECEIPT: _receipt,
    Kind.PROGRESS: _progress,
    Kind.SUMMARY: _summary,
}
