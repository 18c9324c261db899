"""Letters to neighbouring installations 上下级: parcels, receipts, progress, and each minute how we stand.

Read (what the rows say the neighbour has not got) → send one letter, signed → append (their signed word that they
have it). A kill between the two sends it again under the same number, which changes nothing there. A neighbour that
does not answer is asked again for ever, after ever longer pauses, by a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog

from connectors import neighbours
from connectors.neighbours import Unwanted
from connectors.ports import ConnectorError, Unreachable
from flows import machine, timekeeping
from flows.holders import ME
from flows.office import coverage
from flows.telling import lines
from flows.telling.lines import duty, keep, known, line, notice, standing
from flows.telling.tries import Tries, pause
from flows.tireless import follow
from flows.wiring import House
from models.core.levels import EVERY, Kind, Neighbour, Relation, called, letter, silent_since
from models.core.moment import clock_face, iso, parse_iso, span
from models.ledger import duties, levels, levels_board, levels_rows, notices
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row
from playbooks.levels_paper import NeighbourSource

log = structlog.get_logger()

LEASE = timedelta(seconds=150)
IDLE_S, BEAT_S, FAULT_S = 0.5, 10.0, 3.0
"""A province has a hundred neighbours, each with a thread: one that has nothing to say writes seldom."""
LONGEST = timedelta(seconds=30)
"""The longest pause of our own: somebody's clocks run while a parcel waits."""
SLOWLY = timedelta(minutes=10)
"""How long a word that they would not have waits for its next try: what refused it may be mended, or a proxy."""
SENT = "levels:summary:"
"""Before a neighbour's id: the setting that says when we last told it how we stand, or it would not have it."""
View = dict[str, Any]


def follow_neighbour(house: House, neighbour: NeighbourSource, stopped: threading.Event) -> None:
    """Carry letters to one neighbour until told to stop."""
    courier = Courier(house, neighbour, stopped)
    follow(house, duty(neighbour), courier.step, stopped, idle_s=IDLE_S, fault_s=FAULT_S)


@dataclass(frozen=True, slots=True)
class Errand:
    """One letter to be sent: `had` writes down that they have it, `refused` that they would not have it."""

    id: str
    kind: Kind
    body: View
    had: Callable[[Connection, datetime, View], object]
    refused: Callable[[Connection, datetime, str], object]


@dataclass
class Courier:
    """One neighbour being written to."""

    house: House
    neighbour: NeighbourSource
    stopped: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    beaten: float = float("-inf")
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.since = self.house.time.now()

    def step(self) -> int:
        """One round if it is time and the duty is ours; how many letters were taken."""
        regular = time.monotonic() - self.beaten > BEAT_S
        if not regular and not self._waits():
            return 0
        with self.house.store.write() as conn:
            ours = duties.take(conn, duty(self.neighbour), self._now(), LEASE * self._pace, ME)
        if not ours:  # another process carries: we ask again as seldom as it beats
            self.beaten = time.monotonic()
            return 0
        if regular:
            self._watch()
        count = 0
        while not self.stopped.is_set() and (errand := self._next()) is not None:
            if not self._carry(errand):
                break
            count += 1
        self.sent += count
        self._beat()
        return count

    def _now(self) -> datetime:
        return self.house.time.now()

    @property
    def _pace(self) -> float:
        return self.house.time.speed

    @property
    def _who(self) -> Neighbour:
        return known(self.neighbour)

    def _waits(self) -> bool:
        """Whether a parcel or a receipt could go now (cheap: a few indexed reads)."""
        now = self._now()
        with self.house.store.read() as conn:
            at = standing(conn, self.neighbour).next_at
            if at is not None and at > now:
                return False
            return (levels_rows.unsent(conn, self.neighbour.id) or self._unreceipted(conn, now)) is not None

    def _unreceipted(self, conn: Connection, now: datetime) -> Row[Any] | None:
        return levels_rows.unreceipted(conn, self.neighbour.id, lines.waiting(conn, self.neighbour, now))

    def _next(self) -> Errand | None:
        """What goes next: receipts first, for somebody's clocks wait for them."""
        now = self._now()
        with self.house.store.read() as conn:
            at = standing(conn, self.neighbour).next_at
            if at is not None and at > now:
                return None
            if (row := self._unreceipted(conn, now)) is not None:
                return self._receipt(row)
            if (row := levels_rows.unsent(conn, self.neighbour.id)) is not None:
                return self._parcel(row)
            return self._progress(conn, now) or self._summary(conn, now)

    def _parcel(self, row: Row[Any]) -> Errand:
        return Errand(
            row.id,
            Kind.PARCEL,
            levels_rows.parcel_of(row),
            lambda conn, at, said: levels.delivered(conn, at, row.id, self._who, said),
            lambda conn, at, why: self._refused(conn, at, row, why),
        )

    def _refused(self, conn: Connection, at: datetime, row: Row[Any], why: str) -> None:
        """Their installation will never take it: the people on duty must do something else."""
        if levels.refused(conn, at, row.id, self._who, why):
            title = f"{self.neighbour.name} 的系统拒收移送：{row.title}"
            notices.tell(
                conn, at, [self._notice(f"refused {row.id}", title, f"{why}；时钟照走", row.incident_id)]
            )

    def _receipt(self, row: Row[Any]) -> Errand:
        ours = f"舆-{row.incident_id}" if row.incident_id else None
        body = {
            "referral": row.id,
            "state": row.state,
            "at": iso(row.decided_at),
            "by": row.decided_by,
            "reason": row.decision or "",
            "receipt": row.receipt,
            "incident": row.incident_id,
            "ref": ours,
            "taken": row.taken,
        }
        number = f"{row.id}.{row.state}"

        def had(conn: Connection, at: datetime, _: View) -> None:
            levels.receipted(conn, at, row, self._who)
            lines.got_through(conn, self.neighbour, row.id)

        return Errand(number, Kind.RECEIPT, body, had, self._unheard("回执", row, number))

    def _progress(self, conn: Connection, now: datetime) -> Errand | None:
        put_off = lines.waiting(conn, self.neighbour, now)
        for row in levels_rows.followed(conn, self.neighbour.id):
            said = levels_board.standing(conn, row.incident_id)
            if said != row.progress and _progress_of(row) not in put_off:
                return self._told(row, said, now)
        return None

    def _told(self, row: Row[Any], said: View, now: datetime) -> Errand:
        body = {"referral": row.id, "at": iso(now), **said}

        def had(conn: Connection, at: datetime, _: View) -> None:
            levels.told(conn, at, row, self._who, said, now)
            lines.got_through(conn, self.neighbour, row.id)

        refused = self._unheard("进展", row, _progress_of(row))
        return Errand(f"{row.id}.p{uuid4().hex[:12]}", Kind.PROGRESS, body, had, refused)

    def _unheard(
        self, what: str, row: Row[Any], letter_id: str
    ) -> Callable[[Connection, datetime, str], None]:
        """What they would not take: a refusal bears no signature, so they may know nothing of it, and whoever stands
        between may have said it. It is journalled and told once, and tried again slowly for as long as it takes."""

        def put_off(conn: Connection, at: datetime, why: str) -> None:
            self._tell_of_refusal(conn, at, what, why, letter_id, row.incident_id)
            if lines.put_off(conn, self.neighbour, letter_id, at + SLOWLY * self._pace):
                levels.unheard(conn, at, row, self._who, what, why)

        return put_off

    def _tell_of_refusal(
        self, conn: Connection, at: datetime, what: str, why: str, occasion: str, incident_id: str | None
    ) -> None:
        log.error("a neighbour refused a letter", neighbour=self.neighbour.id, what=what, reason=why)
        title = f"{self.neighbour.name} 的系统没有接受{what}"
        reason = f"{why}；会隔一会儿再送，要紧的请电话告知对方"
        notices.tell(conn, at, [self._notice(f"refused {occasion}", title, reason, incident_id)])

    def _summary(self, conn: Connection, now: datetime) -> Errand | None:
        """How we stand, each minute, to the level above."""
        if self.neighbour.relation is not Relation.UPPER:
            return None
        kept = duties.get_setting(conn, SENT + self.neighbour.id)
        if kept is not None and now - parse_iso(kept["at"]) < EVERY * self._pace:
            return None
        body = how_we_stand(conn, self.house, now)

        def tried(conn: Connection) -> None:
            duties.put_setting(conn, SENT + self.neighbour.id, {"at": iso(now)})

        def refused(conn: Connection, at: datetime, why: str) -> None:
            self._tell_of_refusal(conn, at, "态势", why, f"态势 {why[:80]}", None)
            tried(conn)

        return Errand(f"s{uuid4().hex}", Kind.SUMMARY, body, lambda conn, at, said: tried(conn), refused)

    def _carry(self, errand: Errand) -> bool:
        """Send one letter and write down what came of it; True when they have it, or would not have it."""
        us = self.house.site.levels.id or ""
        stamp = timekeeping.world(self.house.time)()
        message = letter(errand.id, errand.kind, us, self.neighbour.id, stamp, errand.body)
        try:
            answer = neighbours.send(self.house.guard, line(self.house, self.neighbour), message)
        except Unwanted as error:
            with self.house.store.write() as conn:
                errand.refused(conn, self._now(), str(error))
            return True
        except ConnectorError as error:
            self._failed(str(error), error.retry_after if isinstance(error, Unreachable) else None)
            return False
        with self.house.store.write() as conn:
            errand.had(conn, self._now(), answer.model_dump())
            if standing(conn, self.neighbour).tries:
                keep(conn, self.neighbour, Tries())
        return True

    def _failed(self, why: str, asked: float | None) -> None:
        now = self._now()
        with self.house.store.write() as conn:
            tries = standing(conn, self.neighbour).tries
            later = now + (pause(tries, asked) if asked else min(LONGEST, pause(tries, None))) * self._pace
            keep(conn, self.neighbour, Tries(tries + 1, later, why))
            duties.beat(conn, duty(self.neighbour), now, error=why)

    def _beat(self) -> None:
        with self.house.store.write() as conn:
            if not standing(conn, self.neighbour).tries:
                words = f"本次启动以来已送 {self.sent} 封"
                duties.beat(conn, duty(self.neighbour), self._now(), words)
        self.beaten = time.monotonic()

    # ── what nobody answers ───────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        """A lower one that is silent, and what nobody there takes over: told to the people on duty."""
        now = self._now()
        with self.house.store.read() as conn:
            due = [*self._silence(conn, now), *self._unanswered(conn, now)]
        if due:
            with self.house.store.write() as conn:
                notices.tell(conn, now, due)

    def _silence(self, conn: Connection, now: datetime) -> list[Notice]:
        if self.neighbour.relation is not Relation.LOWER:
            return []
        found = levels_board.lower(conn).get(self.neighbour.id)
        patience = self.house.site.levels.silent_after
        since = found.heard_at if found else self.since
        if not silent_since(since, now, patience * self._pace):
            return []
        words = f"最近一次 {clock_face(found.heard_at)}" if found else "从未收到"
        mend = f"{words}；不等于平安无事，请电话核实并核对对方系统、网络和公钥"
        occasion = f"silent {self.neighbour.id} {iso(found.heard_at) if found else 'never'}"
        return [self._notice(occasion, f"下级 {self.neighbour.name} 没有消息", mend, None)]

    def _unanswered(self, conn: Connection, now: datetime) -> list[Notice]:
        patience = self.house.site.levels.answer_within * self._pace
        late = [row for row in levels_rows.unanswered(conn, self.neighbour.id) if now - row.at > patience]
        why = standing(conn, self.neighbour).why
        return [self._late(row, now, why) for row in late]

    def _late(self, row: Row[Any], now: datetime, why: str) -> Notice:
        waited = span((now - row.at).total_seconds())
        there = "已送达，无人接收" if row.delivered_at else f"还没有送达{f'（{why}）' if why else ''}"
        word = called(row.purpose, self.neighbour.relation.value)
        title = f"{word} {self.neighbour.name} 已 {waited}：{row.title}"
        reason = f"{there}；时钟仍在本单位走，请电话联系对方，或继续自办"
        return self._notice(f"unanswered {row.id}", title, reason, row.incident_id)

    def _notice(self, occasion: str, title: str, reason: str, incident_id: str | None) -> Notice:
        return notice(self.house, occasion, title, reason, incident_id)


def _progress_of(row: Row[Any]) -> str:
    """Its progress by one name, whatever the letter's number: where it is put off, news of it wait too."""
    return f"{row.id}.progress"


def how_we_stand(conn: Connection, house: House, now: datetime) -> View:
    """The summary that goes to the level above, by the shape of `connectors.parcels.Summary`."""
    report = coverage.report(conn, house, now)
    bad = [
        f"{one['label']}: {one['detail']}"[:300]
        for one in report["items"]
        if one["state"] in ("late", "down")
    ]
    return levels_board.summary(conn, now, house.site.levels.titles) | {
        "site": house.site.name,
        "version": machine.version(),
        "coverage": {"ok": not bad, "bad": bad[:20]},
    }
