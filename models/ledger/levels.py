"""Handing an incident to another installation and taking one over 移交、抄报、通报, each as read → decide → append.

Nothing restarts by a hand-over: the receiver's clocks count from the sender's starts. At the sender every clock
goes on until the receiver has accepted; then those that run there end here, with its receipt as the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from models.core.grade import PART_ZH
from models.core.levels import Neighbour, Purpose, ReferralState, Way, called, mirrored, taken_over
from models.core.moment import iso, parse_iso
from models.core.vocabulary import (
    ClockState,
    Domain,
    EventType,
    EvidenceKind,
    Grade,
    OpinionKind,
    Stage,
    StartEvent,
)
from models.ledger import acts, clocks, incidents, levels_rows, planning, proving
from models.ledger.entry import Entry
from models.ledger.incidents import PUBLICATIONS, NotAllowed
from models.ledger.journal import append
from models.ledger.planning import CLOCK, RulesFor

_S = ReferralState
View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A parcel with its number, its canonical text and that text's SHA-256."""

    id: str
    content: Mapping[str, Any]
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Word:
    """What one of our people says to what came from `who`. `by`: the person's id; `number`: the receipt's."""

    who: Neighbour
    by: str
    name: str
    reason: str
    number: str


# ── at the sender ─────────────────────────────────────────────────────────────────────────────


def may_refer(conn: Connection, row: Row[Any], purpose: str) -> None:
    """Raises NotAllowed: what is closed goes nowhere, and two cannot take over one incident."""
    incidents.still_open(row)
    held = levels_rows.held_by(conn, row.id) if purpose == Purpose.TRANSFER.value else None
    if held is not None:
        state = ReferralState(held.state).zh
        raise NotAllowed(
            f"{row.ref} 已移交 {held.neighbour}（{state}），不能再移交；可以通报(inform)，或等对方退回"
        )


def refer(
    conn: Connection, at: datetime, row: Row[Any], to: Neighbour, parcel: Wrapped, by: str, reason: str
) -> None:
    """移交 or 抄报/通报: the parcel stands in the journal, and is sent for as long as it takes."""
    purpose = str(parcel.content["purpose"])
    may_refer(conn, row, purpose)
    if not reason.strip():
        raise NotAllowed("移送必须写明理由(reason)")
    made = _row(parcel, Way.OUT, to, _S.SENT, at, by, reason) | {"incident_id": row.id, "title": row.title}
    payload = {
        "to": to.id,
        "name": to.name,
        "word": called(purpose, to.relation),
        "sha256": parcel.sha256,
        "insert": {"referral": [made]},
    }
    append(conn, at, [Entry("incident_referred", payload, by, reason, row.id)])


def _row(
    parcel: Wrapped, way: Way, with_: Neighbour, state: ReferralState, at: datetime, by: str, reason: str
) -> View:
    return {
        "id": parcel.id,
        "way": way.value,
        "neighbour": with_.id,
        "purpose": parcel.content["purpose"],
        "state": state.value,
        "title": parcel.content["incident"]["title"],
        "at": iso(at),
        "by": by,
        "reason": reason,
        "sha256": parcel.sha256,
        "parcel": parcel.text,
        "taken": [],
    }


def delivered(
    conn: Connection, at: datetime, referral_id: str, who: Neighbour, said: Mapping[str, Any]
) -> None:
    """Their installation has it, and signed that it has."""
    row = levels_rows.known(conn, referral_id)
    if row is None or row.state != _S.SENT.value:
        return
    change = {
        "id": row.id,
        "state": _S.DELIVERED.value,
        "delivered_at": iso(at),
        "their_incident": said.get("incident"),
        "their_ref": said.get("ref"),
    }
    payload = {"name": who.name, "ref": said.get("ref"), "update": {"referral": [change]}}
    append(conn, at, [Entry("referral_delivered", payload, who.actor, "对方系统已签收", row.incident_id)])


def refused(conn: Connection, at: datetime, referral_id: str, who: Neighbour, why: str) -> bool:
    """Their installation would not have it: nothing changes here but that people know. False: known already."""
    row = levels_rows.known(conn, referral_id)
    if row is None or row.state != _S.SENT.value:
        return False
    change = {"id": row.id, "state": _S.REFUSED.value, "decided_at": iso(at), "decision": why}
    payload = {"name": who.name, "update": {"referral": [change]}}
    append(conn, at, [Entry("referral_refused", payload, who.actor, why, row.incident_id)])
    return True


def answered(
    conn: Connection, at: datetime, who: Neighbour, said: Mapping[str, Any], rules_for: RulesFor
) -> Row[Any] | None:
    """Their people's word on what we sent; None when it was known. Raises NotAllowed.

    Accepted: the clocks that run there end here. Returned: whatever had ended so runs again, from the same start.
    """
    row = _ours(conn, str(said["referral"]), who)
    decided = parse_iso(said["at"])
    if row.decided_at is not None and decided <= row.decided_at:
        return None
    state = _answer(row, str(said["state"]))
    if state is _S.ACCEPTED:
        _is_theirs(conn, row)
    taken = _taken(row, said["taken"]) if state is _S.ACCEPTED else []
    ended = _handed_on(conn, at, row, taken, f"已移交 {who.name}，回执 {said['receipt']}")
    change = {
        "id": row.id,
        "state": state.value,
        "delivered_at": iso(row.delivered_at or at),
        "decided_at": iso(decided),
        "decided_by": said["by"],
        "decision": said["reason"],
        "receipt": said["receipt"],
        "their_incident": said["incident"],
        "their_ref": said["ref"],
        "taken": taken,
    }
    payload = {
        "name": who.name,
        "state": state.value,
        "receipt": said["receipt"],
        "by": said["by"],
        "clocks": [change["id"].split(":")[1] for change in ended],
        "update": {"referral": [change], "clock": ended},
    }
    append(conn, at, [Entry("referral_answered", payload, who.actor, said["reason"], row.incident_id)])
    if row.state == _S.ACCEPTED.value and row.incident_id:
        planning.replan(
            conn, at, incidents.get(conn, row.incident_id), rules_for, f"{who.name} 退回，时钟续走"
        )
    return levels_rows.known(conn, row.id)


def _ours(conn: Connection, referral_id: str, who: Neighbour) -> Row[Any]:
    row = levels_rows.known(conn, referral_id)
    if row is None or row.way != Way.OUT.value or row.neighbour != who.id:
        raise NotAllowed(f"我方没有移送过编号为 {referral_id[:60]} 的事件给 {who.name}；请核对")
    return row


def _answer(row: Row[Any], said: str) -> ReferralState:
    """What may be said to it: a transfer is accepted or returned, what is for information is read. What was returned or
    read is over: a transfer that came back may be with a third by now."""
    fits = (_S.ACCEPTED, _S.RETURNED) if row.purpose == Purpose.TRANSFER.value else (_S.NOTED, _S.RETURNED)
    state = ReferralState(said)
    if state not in fits:
        raise NotAllowed(f"对{Purpose(row.purpose).zh}不能答复“{state.zh}”；请核对对方系统的版本")
    if row.state in (_S.RETURNED.value, _S.NOTED.value):
        now = ReferralState(row.state).zh
        raise NotAllowed(f"这一件{now}，不能再答复“{state.zh}”；要对方办理，请移送方另行移送")
    return state


def _is_theirs(conn: Connection, row: Row[Any]) -> None:
    """Two cannot take over one incident: what they would not have at first may be with another by now."""
    held = levels_rows.held_by(conn, row.incident_id) if row.incident_id else None
    if held is not None and held.id != row.id:
        raise NotAllowed(f"这一件已改为移交 {held.neighbour}，不能再接收；请退回，或电话联系移送方")


def _taken(row: Row[Any], said: Collection[str]) -> list[str]:
    """No more than we offered: what had ended here runs nowhere."""
    offered = taken_over(levels_rows.parcel_of(row)["clocks"], said, ())
    return [rule for rule in said if rule in offered]


def _handed_on(
    conn: Connection, at: datetime, row: Row[Any], taken: Collection[str], why: str
) -> list[dict[str, Any]]:
    """The ends of our running clocks of these rules; limits that the work here set go on."""
    live = clocks.live_clocks(conn, row.incident_id) if row.incident_id else []
    ours = [clock for clock in live if clock.rule_id in taken and clock.subject is None]
    return [clocks.ending(clock.id, ClockState.SUPERSEDED, at, why) for clock in ours]


def progressed(conn: Connection, at: datetime, who: Neighbour, said: Mapping[str, Any]) -> bool:
    """How it stands there now; what is older than what we know changes nothing."""
    row = _ours(conn, str(said["referral"]), who)
    told = parse_iso(said["at"])
    if row.progress_at is not None and told <= row.progress_at:
        return False
    kept = {key: said[key] for key in ("ref", "title", "grade", "stage", "closed_at", "clocks")}
    change = {"id": row.id, "progress": kept, "progress_at": iso(told)}
    payload = {
        "name": who.name,
        "stage": said["stage"],
        "closed": said["closed_at"] is not None,
        "open": sum(clock["ended_at"] is None for clock in said["clocks"]),
        "update": {"referral": [change]},
    }
    append(conn, at, [Entry("referral_progress", payload, who.actor, "", row.incident_id)])
    return True


# ── at the receiver ───────────────────────────────────────────────────────────────────────────


def receive(conn: Connection, at: datetime, who: Neighbour, parcel: Wrapped, rules_for: RulesFor) -> Row[Any]:
    """A parcel has come: what is to be taken over opens an incident of ours on the sender's starts, so that what is
    overdue says so at once. The same parcel again changes nothing. Raises NotAllowed."""
    before = levels_rows.known(conn, parcel.id)
    if before is not None:
        return _same(before, who, parcel)
    taking = parcel.content["purpose"] == Purpose.TRANSFER.value
    incident_id = acts.open_incident(conn, at, _opening(parcel, who), rules_for) if taking else None
    left = _bring(conn, at, incident_id, parcel.content, who, rules_for) if incident_id else []
    subject = parcel.content["incident"]
    made = _row(parcel, Way.IN, who, _S.WAITING, at, who.actor, parcel.content["reason"])
    made |= {"incident_id": incident_id, "their_incident": subject["id"], "their_ref": subject["ref"]}
    payload = {
        "from": who.id,
        "name": who.name,
        "word": called(parcel.content["purpose"], mirrored(who.relation)),
        "ref": subject["ref"],
        "sha256": parcel.sha256,
        "head": parcel.content["journal"]["head"],
        "left": left,
        "insert": {"referral": [made]},
    }
    append(conn, at, [Entry("referral_received", payload, who.actor, parcel.content["reason"], incident_id)])
    row = levels_rows.known(conn, parcel.id)
    assert row is not None
    return row


def _same(before: Row[Any], who: Neighbour, parcel: Wrapped) -> Row[Any]:
    ours = before.way == Way.IN.value and before.neighbour == who.id
    if not ours or before.sha256 != parcel.sha256:
        raise NotAllowed(f"编号 {parcel.id} 的移送件此前已收到，内容不同；请移送方另发一件")
    return before


def _opening(parcel: Wrapped, who: Neighbour) -> acts.Opening:
    said = parcel.content["incident"]
    why = f"由 {who.name} 移交，原编号 {said['ref']}"
    times = _times(parcel.content)
    return acts.Opening(
        title=said["title"],
        grade=Grade(said["grade"]),
        times={event: value for event, (value, _) in times.items()},
        by=who.actor,
        reason=f"{why}：{parcel.content['reason']}",
        provisional=said["provisional"],
        grade_parts=[part for part in said["grade_parts"] if _is_part(part)],
        kind=OpinionKind(said["kind"]) if said["kind"] else None,
        event_type=EventType(said["event_type"]) if said["event_type"] else None,
        place=said["place"],
        medium=said["medium"],
        domain=Domain(said["domain"]) if said["domain"] else None,
        why={event: f"{why}：{reason}" if reason else why for event, (_, reason) in times.items()},
    )


def _is_part(part: Mapping[str, Any]) -> bool:
    """One that is known here: a newer sender may weigh more."""
    return part["part"] in (*PART_ZH, "person")


def _times(content: Mapping[str, Any]) -> dict[StartEvent, tuple[datetime, str]]:
    """The newest word on each time; without a discovery the sender's opening is one."""
    found: dict[StartEvent, tuple[datetime, str]] = {}
    for one in sorted(content["times"], key=lambda time: str(time["recorded_at"])):
        event = StartEvent(one["event"])
        if event.stated:
            found[event] = (parse_iso(one["value"]), one["reason"])
    found.setdefault(StartEvent.DISCOVERY, (parse_iso(content["incident"]["opened_at"]), ""))
    return found


def _bring(
    conn: Connection,
    at: datetime,
    incident_id: str,
    content: Mapping[str, Any],
    who: Neighbour,
    rules_for: RulesFor,
) -> list[str]:
    """What was published before is published: it stops our clocks too. Which proofs could not be taken, and why."""
    left = []
    for one in content["evidence"]:
        if one["kind"] not in PUBLICATIONS:
            continue
        reason = f"随 {who.name} 移交，对方存档 SHA-256 {one['sha256'][:16]}…：{one['reason']}"
        try:
            proving.stop(conn, at, incident_id, _proof(one, at), who.actor, reason, rules_for)
        except NotAllowed as error:
            left.append(f"{one['publisher']}: {error}")
    return left


def _proof(one: Mapping[str, Any], at: datetime) -> proving.Proof:
    url = one["url"] or ""
    web = url.startswith(("http://", "https://"))
    return proving.Proof(
        kind=EvidenceKind(one["kind"]),
        publisher=one["publisher"],
        published_at=parse_iso(one["published_at"]),
        seen_at=at,
        url=url if web else None,
        document=None if web else url or f"对方凭据 {one['sha256'][:16]}",
    )


def accept(
    conn: Connection, at: datetime, row: Row[Any], word: Word, only: Collection[str] = ()
) -> list[str]:
    """接收: from now on it is ours. Returns the rules whose clocks we take over."""
    _waiting(row, Purpose.TRANSFER)
    content, ours = levels_rows.parcel_of(row), _rules(conn, row.incident_id)
    taken = taken_over(content["clocks"], ours, only)
    strange = [rule for rule in only if rule not in taken]
    if strange:
        raise NotAllowed(f"没有可以接过来的时钟 {'、'.join(strange)}；可接的有: {'、'.join(taken) or '无'}")
    _decide(conn, at, row, word, _S.ACCEPTED, taken)
    return taken


def note(conn: Connection, at: datetime, row: Row[Any], word: Word) -> None:
    """已阅: what was for information has been read; its sender gets a receipt."""
    _waiting(row, Purpose.INFORM)
    _decide(conn, at, row, word, _S.NOTED)


def give_back(conn: Connection, at: datetime, row: Row[Any], word: Word) -> None:
    """退回, with its reason: our incident of it is closed with all its clocks, and the sender goes on."""
    if row.way != Way.IN.value or row.state not in (_S.WAITING.value, _S.ACCEPTED.value):
        raise NotAllowed(f"这一件{ReferralState(row.state).zh}，不能退回；只有待接收或已接收的可以退回")
    if not word.reason.strip():
        raise NotAllowed("退回必须写明理由(reason)")
    more = _closing(conn, at, row, f"退回 {word.who.name}：{word.reason}")
    _decide(conn, at, row, word, _S.RETURNED, more=more)


def _waiting(row: Row[Any], purpose: Purpose) -> None:
    if row.way != Way.IN.value:
        raise NotAllowed("这一件是我方移送的，须由对方接收；请等待对方")
    if row.purpose != purpose.value:
        way = "登记已阅(note)" if row.purpose == Purpose.INFORM.value else "接收(accept)或退回(return)"
        raise NotAllowed(f"这一件是{Purpose(row.purpose).zh}，请{way}")
    if row.state != _S.WAITING.value:
        raise NotAllowed(f"这一件{ReferralState(row.state).zh}，无须再办")


def _rules(conn: Connection, incident_id: str) -> list[str]:
    """The rules that this incident, or the one that it went into, has clocks for."""
    query = select(CLOCK.c.rule_id).where(
        CLOCK.c.incident_id == whole(conn, incident_id).id,
        CLOCK.c.subject.is_(None),
        CLOCK.c.state != ClockState.SUPERSEDED.value,
    )
    return list(conn.execute(query).scalars())


def whole(conn: Connection, incident_id: str) -> Row[Any]:
    """The incident, or the one that it was merged into."""
    row = incidents.get(conn, incident_id)
    for _ in range(20):  # nobody merges in circles, and if they did we would not go round with them
        if row.merged_into is None:
            return row
        row = incidents.get(conn, row.merged_into)
    return row


def _closing(conn: Connection, at: datetime, row: Row[Any], why: str) -> dict[str, list[View]]:
    """What ends with a return: our own incident of it, unless it was merged into another or is closed."""
    ours = incidents.get(conn, row.incident_id) if row.incident_id else None
    if ours is None or ours.closed_at is not None:
        return {}
    ended = [clocks.ending(c.id, ClockState.SUPERSEDED, at, why) for c in clocks.live_clocks(conn, ours.id)]
    return {
        "incident": [{"id": ours.id, "stage": Stage.CLOSED.value, "closed_at": iso(at)}],
        "clock": ended,
    }


def _decide(
    conn: Connection,
    at: datetime,
    row: Row[Any],
    word: Word,
    state: ReferralState,
    taken: Sequence[str] = (),
    more: Mapping[str, list[View]] | None = None,
) -> None:
    """Our people's word on what came: it goes back to the sender for as long as it takes."""
    decided = {
        "id": row.id,
        "state": state.value,
        "decided_at": iso(at),
        "decided_by": word.name,
        "decision": word.reason,
        "receipt": word.number,
        "answered_at": None,
        "taken": list(taken),
    }
    payload = {
        "name": word.who.name,
        "ref": row.their_ref,
        "receipt": word.number,
        "taken": list(taken),
        "update": {"referral": [decided], **(more or {})},
    }
    append(conn, at, [Entry(f"referral_{state.value}", payload, word.by, word.reason, row.incident_id)])


def receipted(conn: Connection, at: datetime, row: Row[Any], who: Neighbour) -> None:
    """The sender has our word, and signed that it has."""
    now = levels_rows.known(conn, row.id)
    if now is None or now.decided_at != row.decided_at or now.answered_at is not None:
        return
    change = {"id": row.id, "answered_at": iso(at)}
    payload = {"name": who.name, "update": {"referral": [change]}}
    append(conn, at, [Entry("referral_receipted", payload, who.actor, "对方系统已签收回执", row.incident_id)])


def unheard(conn: Connection, at: datetime, row: Row[Any], who: Neighbour, what: str, why: str) -> None:
    """Their side would not have what we wrote, or somebody between us said so: they may know nothing of it, and it is
    written again."""
    payload = {"name": who.name, "what": what, "receipt": row.receipt}
    append(conn, at, [Entry("referral_unheard", payload, who.actor, why, row.incident_id)])


def told(
    conn: Connection, at: datetime, row: Row[Any], who: Neighbour, said: Mapping[str, Any], seen_at: datetime
) -> None:
    """The sender knows how it stood here when we looked: what happened since is still to be told."""
    change = {"id": row.id, "progress": dict(said), "progress_at": iso(seen_at)}
    payload = {"name": who.name, "update": {"referral": [change]}}
    append(conn, at, [Entry("referral_told", payload, who.actor, "", row.incident_id)])
