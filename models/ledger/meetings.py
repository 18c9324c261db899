"""新闻发布会 and its like: booked, announced, held, called off (S-012, S-013, S-021, N-003, N-005, N-013).

Each act is read → decide → append on an open write transaction. A meeting that is held becomes evidence
only when its kind counts as a press conference on this site.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core import meetings as words
from models.core.casework import MeetingKind, MeetingState, Register
from models.core.clock import Basis
from models.core.moment import clock_face, iso
from models.core.vocabulary import ClockState, EvidenceKind, StartEvent
from models.ledger import clocks, incidents, limits, proving
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.planning import EVIDENCE, RulesFor
from models.ledger.store import NotThere
from models.records import Meeting, RegisterEntry

MEETING: Table = Meeting.__table__  # type: ignore[attr-defined]
REGISTER: Table = RegisterEntry.__table__  # type: ignore[attr-defined]
BASIS = (Basis("国办发〔2016〕61号", fact="N-003"), Basis("中办发〔2016〕8号", fact="N-013"))
OPEN = (MeetingState.BOOKED.value, MeetingState.NOTICED.value)
SERVING = (MeetingKind.MEDIA_MEETING.value, MeetingKind.INTERVIEW.value)
"""What is a service to the media and stands in its register."""
MOST_QUESTIONS = 200
Names = Mapping[str, str]


class NoSuchMeeting(NotThere):
    """There is no meeting of that number."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked. `speaker` is a person's id, or a name that stands in no roster."""

    kind: MeetingKind
    starts_at: datetime
    place: str
    speaker: str = ""
    post: str = ""
    principal: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What is said of a meeting that was held; `url` or `document` is its proof."""

    at: datetime
    publisher: str
    url: str | None = None
    document: str | None = None
    transcript: str | None = None


def book(
    conn: Connection,
    at: datetime,
    incident_id: str,
    booking: Booking,
    by: str,
    reason: str,
    people: Sequence[str] = (),
    remind: Sequence[timedelta] = words.REMIND,
) -> str:
    """预约; returns the meeting's id. `people` of the roster are reminded by a limit of its own."""
    row = incidents.still_open(incidents.get(conn, incident_id))
    if not booking.place.strip():
        raise NotAllowed("缺少地点；请写明在哪里举行(place)")
    meeting_id = uuid4().hex[:12]
    made = _meeting_row(meeting_id, row.id, booking, at, by)
    reminder = _reminder(conn, row.id, meeting_id, booking, at, people, remind)
    payload = {"meeting": meeting_id, **_shown(booking), "insert": {"meeting": [made], "clock": reminder}}
    append(conn, at, [Entry("meeting_booked", payload, by, reason, row.id)])
    return meeting_id


def _shown(booking: Booking) -> dict[str, Any]:
    """What the timeline says of it."""
    return {"kind": booking.kind.value, "starts_at": iso(booking.starts_at), "place": booking.place}


def _meeting_row(
    meeting_id: str, incident_id: str, booking: Booking, at: datetime, by: str
) -> dict[str, Any]:
    return {
        "id": meeting_id,
        "incident_id": incident_id,
        "kind": booking.kind.value,
        "state": MeetingState.BOOKED.value,
        "place": booking.place.strip(),
        "starts_at": iso(booking.starts_at),
        "speaker": booking.speaker or None,
        "speaker_post": booking.post or None,
        "principal": booking.principal,
        "questions": [],
        "booked_at": iso(at),
        "booked_by": by,
    }


def _reminder(
    conn: Connection,
    incident_id: str,
    meeting_id: str,
    booking: Booking,
    at: datetime,
    people: Sequence[str],
    remind: Sequence[timedelta],
) -> list[dict[str, Any]]:
    """The clock row of its reminder; none for a meeting whose time has passed already."""
    if booking.starts_at <= at:
        return []
    limit = limits.Limit(
        subject=f"meeting.{meeting_id}",
        name=f"{clock_face(booking.starts_at)} {booking.kind.zh}，会后登记",
        started_at=at,
        due_at=booking.starts_at + words.RECORD_WITHIN,
        reason=f"{booking.kind.zh} {clock_face(booking.starts_at)} 在{booking.place}开始，会后一小时内登记是否举行",
        people=tuple(people),
        steps=words.reminders(at, booking.starts_at, remind),
        basis=BASIS,
    )
    return [_named(row) for row in limits.rows(conn, incident_id, [limit], at)]


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Steps are named by how long before the meeting's start they fall: -24h, -2h, -30m, 0m."""
    keys = {step["key"]: _key(step["key"]) for step in row["steps"]}
    steps = [{**step, "key": keys[step["key"]]} for step in row["steps"]]
    return row | {"steps": steps, "next_key": keys.get(row["next_key"], row["next_key"])}


def _key(key: str) -> str:
    if not key.startswith("-"):
        return key
    number, unit = int(key[1:-1]), key[-1]
    minutes = number * (60 if unit == "h" else 1) - 60
    if not minutes:
        return "0m"
    return f"-{minutes // 60}h" if minutes % 60 == 0 else f"-{minutes}m"


def move(
    conn: Connection,
    at: datetime,
    meeting_id: str,
    starts_at: datetime,
    place: str,
    by: str,
    reason: str,
    people: Sequence[str] = (),
    remind: Sequence[timedelta] = words.REMIND,
) -> None:
    """改期或改地点, with its reason; the reminder is set anew and a notice must be given again."""
    row = _open(conn, meeting_id)
    _needs(reason, "改期必须写明理由(--reason)")
    booking = Booking(
        MeetingKind(row.kind), starts_at, place or row.place, row.speaker or "", row.speaker_post or ""
    )
    ended = limits.ended(_limits(conn, row), ClockState.SUPERSEDED, at, f"改期: {reason}")
    change = {
        "id": row.id,
        "starts_at": iso(starts_at),
        "place": booking.place,
        "state": MeetingState.BOOKED.value,
        "notice": None,
    }
    payload = {
        "meeting": row.id,
        "from": iso(row.starts_at),
        **_shown(booking),
        "insert": {"clock": _reminder(conn, row.incident_id, row.id, booking, at, people, remind)},
        "update": {"meeting": [change], "clock": ended},
    }
    append(conn, at, [Entry("meeting_moved", payload, by, reason, row.incident_id)])


def speak(
    conn: Connection, at: datetime, meeting_id: str, speaker: str, post: str, principal: bool, by: str
) -> None:
    """定发言人; whether it is the principal is told by the roster, not by whoever writes it."""
    row = _open(conn, meeting_id)
    _needs(speaker, "缺少发言人；请写 roster.yaml 中的人员标识或姓名")
    change = {"id": row.id, "speaker": speaker, "speaker_post": post or None, "principal": principal}
    payload = {
        "meeting": row.id,
        "speaker": speaker,
        "principal": principal,
        "update": {"meeting": [change]},
    }
    append(conn, at, [Entry("meeting_speaker", payload, by, "", row.incident_id)])


def announce(
    conn: Connection, at: datetime, meeting_id: str, text: str, media: Sequence[str], by: str
) -> None:
    """通知媒体: the text as it went out, and to whom."""
    row = _open(conn, meeting_id)
    _needs(text, "通知内容不能为空")
    change = {"id": row.id, "notice": text, "state": MeetingState.NOTICED.value}
    payload = {
        "meeting": row.id,
        "kind": row.kind,
        "media": list(media),
        "update": {"meeting": [change]},
    }
    append(conn, at, [Entry("meeting_noticed", payload, by, "", row.incident_id)])


def ask(conn: Connection, at: datetime, meeting_id: str, question: str, answer: str, by: str) -> int:
    """A question of the sheet, expected or put, with its answer if there is one; returns its number."""
    row = _standing(conn, meeting_id)
    _needs(question, "缺少问题(ask)")
    if len(row.questions) >= MOST_QUESTIONS:
        raise NotAllowed(f"问答清单最多 {MOST_QUESTIONS} 条；请合并相近的问题")
    made = [*row.questions, {"ask": question, "answer": answer, "by": by}]
    _question(conn, at, row, made, len(made), by)
    return len(made)


def answer(conn: Connection, at: datetime, meeting_id: str, number: int, text: str, by: str) -> None:
    """The answer to question `number` (from 1); an earlier one stays in the journal."""
    row = _standing(conn, meeting_id)
    _needs(text, "缺少答复(answer)")
    if not 1 <= number <= len(row.questions):
        raise NotAllowed(f"没有第 {number} 个问题；问答清单现有 {len(row.questions)} 条")
    made = [dict(one) for one in row.questions]
    made[number - 1] |= {"answer": text, "by": by}
    _question(conn, at, row, made, number, by)


def _question(
    conn: Connection, at: datetime, row: Row[Any], made: list[dict[str, str]], number: int, by: str
) -> None:
    payload = {
        "meeting": row.id,
        "number": number,
        **{name: made[number - 1][name] for name in ("ask", "answer")},
        "update": {"meeting": [{"id": row.id, "questions": made}]},
    }
    append(conn, at, [Entry("meeting_question", payload, by, "", row.incident_id)])


def hold(
    conn: Connection,
    at: datetime,
    meeting_id: str,
    held: Held,
    by: str,
    reason: str,
    rules_for: RulesFor,
    counted: Collection[MeetingKind] = words.COUNTED,
) -> list[str]:
    """已举行: evidence where its kind counts; returns the rule ids of the clocks that it stopped."""
    row = _open(conn, meeting_id)
    incidents.still_open(incidents.get(conn, row.incident_id))
    incidents.not_future(held.at, at, "举行")
    stopped, evidence_id = [], None
    if MeetingKind(row.kind) in counted:
        _provable(held)
        proof = _proof(row, held, at)
        stopped = proving.stop(conn, at, row.incident_id, proof, by, reason or "已举行", rules_for)
        evidence_id = _evidence_of(conn, row.incident_id, proof)
    change: dict[str, Any] = {
        "id": row.id,
        "state": MeetingState.HELD.value,
        "held_at": iso(held.at),
        "evidence_id": evidence_id,
    }
    change |= {"transcript": held.transcript} if held.transcript else {}
    ended = limits.ended(_limits(conn, row), ClockState.MET, at, f"已举行 {clock_face(held.at)}")
    payload = {
        "meeting": row.id,
        "kind": row.kind,
        "held_at": iso(held.at),
        "counts": evidence_id is not None,
        "update": {"meeting": [change], "clock": ended},
    }
    append(conn, at, [Entry("meeting_held", payload, by, reason, row.incident_id)])
    return stopped


def _proof(row: Row[Any], held: Held, at: datetime) -> proving.Proof:
    return proving.Proof(
        kind=EvidenceKind.PRESS_CONFERENCE,
        publisher=held.publisher,
        published_at=held.at,
        seen_at=at,
        url=held.url,
        document=None if held.url else held.document,
    )


def _provable(held: Held) -> None:
    """What stops a clock of the law can be looked at by others."""
    if not held.url and not held.document:
        raise NotAllowed("已举行的发布会停下时钟须有凭据；请写报道或实录的网址(url)，或文件名称(document)")


def _evidence_of(conn: Connection, incident_id: str, proof: proving.Proof) -> str | None:
    return conn.execute(
        select(EVIDENCE.c.id).where(
            EVIDENCE.c.incident_id == incident_id,
            EVIDENCE.c.kind == proof.kind.value,
            EVIDENCE.c.sha256 == proof.sha256,
            EVIDENCE.c.standing.is_(None),
        )
    ).scalar()


def transcribe(conn: Connection, at: datetime, meeting_id: str, text: str, by: str) -> None:
    """文字实录, once the meeting was held; an earlier one stays in the journal."""
    row = _standing(conn, meeting_id)
    _needs(text, "文字实录不能为空")
    if row.state != MeetingState.HELD.value:
        raise NotAllowed("尚未举行，还没有文字实录；请先登记已举行(held)")
    payload = {"meeting": row.id, "update": {"meeting": [{"id": row.id, "transcript": text}]}}
    append(conn, at, [Entry("meeting_transcribed", payload, by, "", row.incident_id)])


def cancel(conn: Connection, at: datetime, meeting_id: str, by: str, reason: str) -> None:
    """取消, with its reason; no clock of the law stops for it."""
    row = _open(conn, meeting_id)
    _needs(reason, "取消必须写明理由(--reason)")
    ended = limits.ended(_limits(conn, row), ClockState.SUPERSEDED, at, f"取消: {reason}")
    change = {"id": row.id, "state": MeetingState.CANCELLED.value}
    payload = {"meeting": row.id, "kind": row.kind, "update": {"meeting": [change], "clock": ended}}
    append(conn, at, [Entry("meeting_cancelled", payload, by, reason, row.incident_id)])


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def find(conn: Connection, meeting_id: str) -> Row[Any]:
    """The meeting of that id, which may be cut short. Raises NoSuchMeeting."""
    wanted = meeting_id.strip()
    found = conn.execute(select(MEETING).where(MEETING.c.id.startswith(wanted, autoescape=True))).all()
    if not wanted or len(found) != 1:
        said = f"有 {len(found)} 场" if len(found) > 1 and wanted else "没有"
        raise NoSuchMeeting(
            f"{said}编号为 {meeting_id[:40]} 的发布会；编号见事件的“发布会”页或 huiying meeting list"
        )
    return found[0]


def _standing(conn: Connection, meeting_id: str) -> Row[Any]:
    row = find(conn, meeting_id)
    if row.state == MeetingState.CANCELLED.value:
        raise NotAllowed("这场已取消；要再办请重新预约(book)")
    return row


def _open(conn: Connection, meeting_id: str) -> Row[Any]:
    row = _standing(conn, meeting_id)
    if row.state not in OPEN:
        raise NotAllowed(f"这场已于 {clock_face(row.held_at)} 举行，不能再改；要补文字实录用 transcript")
    return row


def _limits(conn: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    return limits.live(conn, row.incident_id, f"meeting.{row.id}")


def _needs(text: str, said: str) -> None:
    if not text.strip():
        raise NotAllowed(said)


def of_incident(conn: Connection, incident_id: str) -> Sequence[Row[Any]]:
    """The incident's meetings, the first to begin first."""
    return conn.execute(
        select(MEETING).where(MEETING.c.incident_id == incident_id).order_by(MEETING.c.starts_at)
    ).all()


def served(conn: Connection) -> Sequence[Row[Any]]:
    """媒体通气会 and 集体采访 that were held, of all incidents (S-100)."""
    return conn.execute(
        select(MEETING).where(MEETING.c.kind.in_(SERVING), MEETING.c.state == MeetingState.HELD.value)
    ).all()


def press_limits(conn: Connection, incident_id: str) -> list[tuple[str, datetime]]:
    """(name, due) of the live clocks that ask for a press conference; not of 持续发布, which any word stops."""
    return [
        (row.name, row.due_at)
        for row in clocks.live_clocks(conn, incident_id)
        if EvidenceKind.PRESS_CONFERENCE.value in row.evidence and StartEvent(row.start_event).stated
    ]


def press_contacts(conn: Connection) -> list[str]:
    """The media's people of the register 媒体联系人, each as "临江日报 王记者" (S-043, S-100)."""
    rows = conn.execute(
        select(REGISTER.c.title, REGISTER.c.details)
        .where(REGISTER.c.kind == Register.PRESS_CONTACT.value, REGISTER.c.cancelled_at.is_(None))
        .order_by(REGISTER.c.title)
    )
    return [f"{(row.details or {}).get('outlet') or ''} {row.title}".strip() for row in rows]


def retracted(conn: Connection, incident_id: str) -> set[str]:
    """The meetings whose proof no longer stands."""
    rows = conn.execute(
        select(MEETING.c.id)
        .join(EVIDENCE, EVIDENCE.c.id == MEETING.c.evidence_id)
        .where(MEETING.c.incident_id == incident_id, EVIDENCE.c.standing.is_not(None))
    )
    return set(rows.scalars())


def principal_spoke(conn: Connection, incident_id: str) -> bool:
    """Has a principal spoken at a meeting of this incident that was held (S-013)?"""
    return any(
        row.principal and row.state == MeetingState.HELD.value for row in of_incident(conn, incident_id)
    )


def view(
    row: Row[Any], names: Names, due: Sequence[tuple[str, datetime]], counted: Collection[MeetingKind]
) -> dict[str, Any]:
    """One meeting for people. `due`: the limits that it may be too late for."""
    kind, state = MeetingKind(row.kind), MeetingState(row.state)
    counts = kind in counted
    late = words.too_late(row.starts_at, due) if counts and row.state in OPEN else []
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "kind": kind.value,
        "kind_zh": kind.zh,
        "state": state.value,
        "state_zh": state.zh,
        "open": row.state in OPEN,
        "counts": counts,
        "place": row.place,
        "starts_at": iso(row.starts_at),
        "speaker": row.speaker,
        "speaker_name": names.get(row.speaker, row.speaker) if row.speaker else None,
        "speaker_post": row.speaker_post,
        "principal": row.principal,
        "notice": row.notice,
        "questions": [
            {**one, "number": n, "by": names.get(one["by"], one["by"])}
            for n, one in enumerate(row.questions, 1)
        ],
        "transcript": row.transcript,
        "held_at": iso(row.held_at) if row.held_at else None,
        "booked_at": iso(row.booked_at),
        "booked_by": names.get(row.booked_by, row.booked_by),
        "evidence_id": row.evidence_id,
        "warnings": [*late, *([] if counts else [words.why_not_counted(kind)])],
    }
