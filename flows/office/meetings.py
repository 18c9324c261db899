"""Press conferences and promised updates as people see and do them.

An act takes plain texts, goes to the ledger and answers with the incident's page of meetings, `said` being
the one sentence of what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from connectors.console.desk import Refusal, Unknown, View
from flows.office import asked
from flows.office.asked import Params
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core import meetings as words
from models.core.casework import MeetingKind
from models.core.moment import clock_face, iso
from models.core.vocabulary import Grade, Role
from models.ledger import incidents, meetings, promises
from models.ledger.meetings import Booking, Held
from models.ledger.store import Connection, Row
from playbooks.problem import did_you_mean

Done = tuple[str, str]
"""What an act came to in one sentence, and the id of what it was done to."""


class Meetings:
    """The desk's room for meetings. Implements `connectors.console.desks.meetings.MeetingsDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def overview(self, incident_id: str) -> View:
        """The incident's meetings and promises. Raises Unknown."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            return self._view(conn, incidents.get(conn, incident_id).id)

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """book, move, speaker, notice, ask, answer, held, transcript, cancel; promise, drop. Raises Refusal
        and Unknown."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"发布会没有这个操作: {name[:40]}{did_you_mean(name, list(ACTS))}")
        with in_words(), self._desk.writing() as conn:
            found = incidents.get(conn, incident_id).id
            said, acted_on = act(self, conn, found, params, by)
            return self._view(conn, found) | {"said": said, "acted_on": acted_on}

    # ── acts, each with the sentence that it ends in ──────────────────────────────────────────

    def book(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        speaker = self._speaker(params.get("speaker", ""))
        booking = Booking(
            asked.choice(MeetingKind, params, "kind", "种类"),
            asked.moment(params, "starts_at", "开始时间"),
            asked.needed(params, "place", "地点"),
            speaker,
            params.get("post", ""),
            self._principal(speaker),
        )
        made = meetings.book(
            conn, self._now, incident_id, booking, by, params.get("reason") or "预约",
            self._people(by, speaker), self._desk.house.site.meetings.remind,
        )  # fmt: skip
        doubts = self._doubts(conn, incident_id, booking.kind, booking.starts_at)
        return "；".join(["已预约", *doubts]), made

    def move(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        starts_at = asked.moment_or(params, "starts_at", "开始时间", row.starts_at)
        meetings.move(
            conn, self._now, row.id, starts_at, params.get("place", ""), by, params.get("reason", ""),
            self._people(row.booked_by, row.speaker or ""), self._desk.house.site.meetings.remind,
        )  # fmt: skip
        doubts = self._doubts(conn, incident_id, MeetingKind(row.kind), starts_at)
        return "；".join(["已改期", *doubts]), row.id

    def speak(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        speaker = self._speaker(asked.needed(params, "speaker", "发言人"))
        principal = self._principal(speaker)
        meetings.speak(conn, self._now, row.id, speaker, params.get("post", ""), principal, by)
        grave = Grade(incidents.get(conn, incident_id).grade) >= Grade.II
        return f"已定发言人；{self._not_principal()}" if grave and not principal else "已定发言人", row.id

    def announce(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        media = meetings.press_contacts(conn)
        text = params.get("text") or self._notice(conn, row.id, media)
        meetings.announce(conn, self._now, row.id, text, media, by)
        told = f"送 {'、'.join(media)}" if media else "媒体联系人台账是空的，请自行送达各媒体(S-043)"
        return f"通知已存；{told}", row.id

    def ask(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        question = asked.needed(params, "ask", "问题")
        number = meetings.ask(conn, self._now, row.id, question, params.get("answer", ""), by)
        return f"已加入问答清单第 {number} 条", row.id

    def answer(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        number, said = asked.number(params, "number", "问题序号"), asked.needed(params, "answer", "答复")
        meetings.answer(conn, self._now, row.id, number, said, by)
        return f"第 {number} 条已答", row.id

    def hold(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        held = Held(
            asked.moment_or(params, "held_at", "举行时间", row.starts_at),
            params.get("publisher") or self._desk.house.site.name,
            params.get("url"),
            params.get("document"),
            params.get("transcript"),
        )
        stopped = meetings.hold(
            conn, self._now, row.id, held, by, params.get("reason", ""), self._desk.house.rules_for, self._counted
        )  # fmt: skip
        if MeetingKind(row.kind) not in self._counted:
            return f"已登记；{words.why_not_counted(MeetingKind(row.kind))}", row.id
        return f"已登记；{asked.stopped(stopped)}", row.id

    def transcribe(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        meetings.transcribe(conn, self._now, row.id, asked.needed(params, "text", "文字实录"), by)
        return "已存文字实录", row.id

    def cancel(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = self._meant(conn, incident_id, params)
        meetings.cancel(conn, self._now, row.id, by, params.get("reason", ""))
        return "已取消；法定时限不因取消而停", row.id

    def promise(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        due_at = asked.moment(params, "due_at", "下次发布的时间")
        said, name = asked.needed(params, "text", "对公众的说法"), self._desk.house.names[by]
        made = promises.give(conn, self._now, incident_id, due_at, said, by, name, self._people(by))
        return f"已记下承诺，{clock_face(due_at)} 前须再次发布", made

    def drop(self, conn: Connection, incident_id: str, params: Params, by: str) -> Done:
        row = promises.find(conn, params.get("promise", ""))
        if row.incident_id != incident_id:
            raise Refusal(f"这一承诺属于 舆-{row.incident_id}；请到那个事件上操作")
        promises.drop(conn, self._now, params["promise"], by, params.get("reason", ""))
        return "承诺已撤回，另行统计", str(row.subject).removeprefix(promises.SUBJECT)

    # ── what they need ────────────────────────────────────────────────────────────────────────

    def _meant(self, conn: Connection, incident_id: str, params: Params) -> Row[Any]:
        """The meeting that is named, which must be the incident's own."""
        row = meetings.find(conn, params.get("meeting", ""))
        if row.incident_id != incident_id:
            raise Refusal(f"这场发布会属于 舆-{row.incident_id}；请到那个事件上操作")
        return row

    @property
    def _now(self) -> datetime:
        return self._desk.now()

    @property
    def _counted(self) -> tuple[MeetingKind, ...]:
        return self._desk.house.site.meetings.counts

    def _principals(self) -> dict[str, str]:
        """id → name of whoever may be 第一新闻发言人: as the site says, else the ladder's 主要领导."""
        roster, names = self._desk.house.site.roster, self._desk.house.names
        said = self._desk.house.site.meetings.principals
        rungs = (one for one in roster.ladder if one.role is Role.PRINCIPAL)
        found = said or tuple(person for rung in rungs for person in rung.everybody())
        return {one: names.get(one, one) for one in found}

    def _principal(self, speaker: str) -> bool:
        return words.is_principal(speaker, self._desk.house.names.get(speaker, speaker), self._principals())

    def _not_principal(self) -> str:
        who = "、".join(self._principals().values())
        return f"重大突发事件应由主要负责人当“第一新闻发言人”(中办发〔2016〕8号 N-013){f'：{who}' if who else ''}"

    def _speaker(self, named: str) -> str:
        """A person's id where one is meant: by id, by name, or as written for somebody of outside."""
        names = {name: one for one, name in self._desk.house.names.items()}
        known = self._desk.house.names
        if named and named.isascii() and named not in known and did_you_mean(named, list(known)):
            raise Refusal(f"没有人员 “{named}”{did_you_mean(named, list(known))}；也可直接写姓名")
        return names.get(named, named)

    def _people(self, *wanted: str) -> tuple[str, ...]:
        """Those of them whom the roster knows."""
        known = {person.id for person in self._desk.house.site.roster.people}
        return tuple(dict.fromkeys(one for one in wanted if one in known))

    def _doubts(
        self, conn: Connection, incident_id: str, kind: MeetingKind, starts_at: datetime
    ) -> list[str]:
        """What a person should know of a time: too late for a clock, or of a kind that stops none."""
        if kind not in self._counted:
            return [words.why_not_counted(kind)]
        return words.too_late(starts_at, meetings.press_limits(conn, incident_id))

    def _notice(self, conn: Connection, meeting_id: str, media: list[str]) -> str:
        row = meetings.find(conn, meeting_id)
        title = incidents.get(conn, row.incident_id).title
        name = self._desk.house.names.get(row.speaker, row.speaker) if row.speaker else ""
        speaker = f"{row.speaker_post or ''}{name}"
        return words.notice(
            self._desk.house.site.name, title, MeetingKind(row.kind), row.starts_at, row.place, speaker, media
        )

    def _view(self, conn: Connection, incident_id: str) -> View:
        now, names = self._now, self._desk.house.names
        due = meetings.press_limits(conn, incident_id)
        media = meetings.press_contacts(conn)
        given = promises.listed(conn, incident_id)
        gone = meetings.retracted(conn, incident_id)
        shown = [
            meetings.view(row, names, due, self._counted)
            | {
                "notice_draft": self._notice(conn, row.id, media),
                "ahead": words.ahead(row.starts_at, now),
                "retracted": row.id in gone,
            }
            for row in meetings.of_incident(conn, incident_id)
        ]
        return {
            "incident_id": incident_id,
            "now": iso(now),
            "meetings": shown,
            "kinds": [
                {"value": kind.value, "zh": kind.zh, "counts": kind in self._counted} for kind in MeetingKind
            ],
            "limits": [{"name": name, "due_at": iso(at)} for name, at in due],
            "principals": [{"id": one, "name": name} for one, name in self._principals().items()],
            "press_contacts": media,
            "principal_spoke": meetings.principal_spoke(conn, incident_id),
            "promises": [promises.view(row, now) for row in given],
            "promised": {**promises.counts(given, now)},
            "promised_everywhere": promises.counts(promises.listed(conn), now),
        }


ACTS: dict[str, Callable[[Meetings, Connection, str, Params, str], Done]] = {
    "book": Meetings.book,
    "move": Meetings.move,
    "speaker": Meetings.speak,
    "notice": Meetings.announce,
    "ask": Meetings.ask,
    "answer": Meetings.answer,
    "held": Meetings.hold,
    "transcript": Meetings.transcribe,
    "cancel": Meetings.cancel,
    "promise": Meetings.promise,
    "drop": Meetings.drop,
}
"""What people do on the page of meetings, by the name that the command line and the API use."""
