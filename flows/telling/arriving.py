"""Letters from neighbouring installations 上下级: whose they are, whether they are fresh, and what they do here.

Nothing of a letter is believed before its signature: the neighbour's own key, over just these bytes, to us, now. The
same letter again changes nothing and gets the same answer. The answer is signed too: whoever stands between cannot
say that we have what we never got.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from connectors import neighbours, parcels
from connectors.parcels import Envelope, Unsigned
from connectors.ports import Refused
from flows import timekeeping
from flows.office import tasking
from flows.telling import lines
from flows.wiring import House
from models.core.levels import Kind, Purpose, ReferralState, Relation, called, letter, misdirected, stale
from models.core.moment import iso
from models.ledger import incidents, levels, levels_board, levels_parcel, levels_rows, notices, notified
from models.ledger.incidents import NotAllowed
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row
from playbooks.levels_paper import NeighbourSource

View = dict[str, Any]


def take(house: House, raw: bytes) -> bytes:
    """What came to our door; our signed answer. Raises Unsigned (mend the settings), Refused and NotAllowed (it will
    never be taken), LedgerError."""
    found = neighbours.opened(raw, {one.id: one.public_key for one in house.site.neighbours})
    world = timekeeping.world(house.time)
    said = found.model_dump(mode="json", by_alias=True)
    wrong = misdirected(said, house.site.levels.id or "") or stale(said, world())
    if wrong:
        raise Unsigned(wrong)
    who = lines.neighbour_of(house, found.sender)
    assert who is not None  # its key has just been used
    handler = _HANDLERS.get(found.kind)
    if handler is None:
        raise Refused(f"不收这种信({found.kind.value})；请核对对方系统的版本")
    with house.store.write() as conn:
        done = handler(house, conn, house.time.now(), who, found)
        lines.hurry(conn, who)
    answer = letter(found.id, Kind.ANSWER, found.receiver, found.sender, world(), done)
    return neighbours.seal(answer, lines.private_key(house))


def _content(found: Envelope) -> View:
    return parcels.body_of(found.kind, found.body).model_dump(mode="json")


def wrapped(
    parcel_id: str, body: Mapping[str, Any], content: Mapping[str, Any] | None = None
) -> levels.Wrapped:
    """A parcel with the text that its hash is taken of. Raises Refused."""
    text = neighbours.canonical(body)
    return levels.Wrapped(parcel_id, content or body, text.decode(), hashlib.sha256(text).hexdigest())


def _parcel(house: House, conn: Connection, now: datetime, who: NeighbourSource, found: Envelope) -> View:
    content = _content(found)
    wrong = levels_parcel.forged(content)
    if wrong or content["sender"]["id"] != who.id:
        raise NotAllowed(
            wrong or f"移送件写的移送方是 {content['sender']['id']}，信是 {who.id} 发的；请对方核对"
        )
    known = levels_rows.known(conn, found.id)
    row = levels.receive(conn, now, lines.known(who), wrapped(found.id, found.body, content), house.rules_for)
    if known is None:
        notices.tell(conn, now, [_arrived(house, row, who)])
        if row.incident_id:
            tasking.settle(house, conn, row.incident_id)
    ref = f"舆-{row.incident_id}" if row.incident_id else None
    return {"state": ReferralState.DELIVERED.value, "incident": row.incident_id, "ref": ref}


def _arrived(house: House, row: Row[Any], who: NeighbourSource) -> Notice:
    mirrored = {Relation.UPPER: Relation.LOWER, Relation.LOWER: Relation.UPPER}
    word = called(row.purpose, mirrored.get(who.relation, who.relation).value)
    taking = row.purpose == Purpose.TRANSFER.value
    mend = "时钟沿用原起算时间，已在走；请接收或写明理由退回" if taking else "仅供知悉；请登记已阅"
    title = f"{who.name} {word}：{row.title}"
    reason = f"原编号 {row.their_ref}，{row.reason}；{mend}（{house.public_url}/levels）"
    return lines.notice(house, f"arrived {row.id}", title, reason, row.incident_id)


def _receipt(house: House, conn: Connection, now: datetime, who: NeighbourSource, found: Envelope) -> View:
    content = _content(found)
    row = levels.answered(conn, now, lines.known(who), content, house.rules_for)
    if row is not None and row.incident_id:
        if row.state == ReferralState.RETURNED.value:
            notices.tell(conn, now, [_given_back(house, row, who)])
        else:
            _as_notified(house, conn, now, row, who)
        tasking.settle(house, conn, row.incident_id)
    return {"state": content["state"]}


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


def _progress(house: House, conn: Connection, now: datetime, who: NeighbourSource, found: Envelope) -> View:
    levels.progressed(conn, now, lines.known(who), _content(found))
    return {"state": "known"}


def _summary(house: House, conn: Connection, now: datetime, who: NeighbourSource, found: Envelope) -> View:
    if who.relation is not Relation.LOWER:
        raise NotAllowed(f"{who.name} 不是本系统的下级，不收它的态势；请核对两边的 relation")
    levels_board.heard(conn, now, who.id, _content(found))
    return {"state": "known"}


_HANDLERS: Final[Mapping[Kind, Callable[[House, Connection, datetime, NeighbourSource, Envelope], View]]] = {
    Kind.PARCEL: _parcel,
    Kind.RECEIPT: _receipt,
    Kind.PROGRESS: _progress,
    Kind.SUMMARY: _summary,
}
