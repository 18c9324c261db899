"""Levels 上下级, as people see and do it: the lower installations side by side, what came and what was sent.

An act takes plain texts, goes to the ledger and answers with a view, `said` being the sentence of what came of it;
the letters themselves are the couriers' work (`flows.telling.couriers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from connectors.console.desk import Refusal, Unknown, Unsigned, View
from connectors.parcels import Unsigned as NotSigned
from flows.office import tasking
from flows.office.asked import Params, choice, needed
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from flows.telling import arriving, couriers, lines
from models.core.levels import (
    Purpose,
    ReferralState,
    Relation,
    Way,
    called,
    mirrored,
    silent_since,
    worst_first,
)
from models.core.moment import iso, parse_iso
from models.core.vocabulary import ClockState, EvidenceKind, Grade, StartEvent
from models.ledger import acts, duties, incidents, levels, levels_board, levels_parcel, levels_rows
from models.ledger.levels import Word
from models.ledger.levels_parcel import Sender
from models.ledger.store import Connection, Row
from models.ledger.words import KINDS
from playbooks.levels_paper import NeighbourSource
from playbooks.problem import did_you_mean

SHOWN: Final = 100
"""Referrals of a page; what waits for somebody here comes first, so that none of it is cut off."""
_WAITING = ReferralState.WAITING.value


class Levels:
    """The desk's room for the levels. Implements `connectors.console.desks.levels.LevelsDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def overview(self) -> View:
        house, now = self._desk.house, self._desk.now()
        with reachable(), house.store.read() as conn:
            heard = levels_board.lower(conn)
            told = {row.name: row for row in duties.all_duties(conn)}
            rows = [
                self._lower(one, heard.get(one.id), now)
                for one in house.site.neighbours
                if one.relation is Relation.LOWER
            ]
            return {
                "now": iso(now),
                "id": house.site.levels.id,
                "own": couriers.how_we_stand(conn, house, now),
                "rows": sorted(rows, key=worst_first),
                "neighbours": [self._line(conn, one, told, now) for one in house.site.neighbours],
                "referrals": [self._referral(row) for row in levels_rows.listed(conn, SHOWN)],
            }

    def _lower(self, one: NeighbourSource, row: Row[Any] | None, now: datetime) -> View:
        """A lower installation by its last word; what it said long ago is shown as long ago."""
        house = self._desk.house
        patience = house.site.levels.silent_after * house.time.speed
        heard_at = row.heard_at if row else None
        body = row.body if row else {}
        return {
            "id": one.id,
            "name": one.name,
            "url": str(one.url),
            "silent": silent_since(heard_at, now, patience),
            "heard_at": iso(heard_at) if heard_at else None,
            "age_s": (now - heard_at).total_seconds() if heard_at else None,
            "grades": body.get("grades", {}),
            "open": body.get("open"),
            "unacked": body.get("unacked"),
            "clocks": body.get("clocks", {}),
            "nearest": [_near(near, now) for near in body.get("nearest", ())],
            "coverage": body.get("coverage"),
            "journal": body.get("journal"),
            "version": body.get("version"),
        }

    def _line(
        self, conn: Connection, one: NeighbourSource, told: Mapping[str, Row[Any]], now: datetime
    ) -> View:
        """How our letters get there."""
        at, row = lines.standing(conn, one), told.get(lines.duty(one))
        good = row.last_good_at if row else None
        return {
            "id": one.id,
            "name": one.name,
            "relation": one.relation.value,
            "relation_zh": one.relation.zh,
            "url": str(one.url),
            "tries": at.tries,
            "why": at.why or (row.error if row else None),
            "next_at": iso(at.next_at) if at.next_at else None,
            "last_good_at": iso(good) if good else None,
        }

    def of_incident(self, conn: Connection, incident_id: str) -> list[View]:
        return [self._referral(row) for row in levels_rows.of_incident(conn, incident_id)]

    def neighbours(self) -> list[View]:
        return [
            {"id": one.id, "name": one.name, "relation": one.relation.value, "relation_zh": one.relation.zh}
            for one in self._desk.house.site.neighbours
        ]

    def _referral(self, row: Row[Any]) -> View:
        house = self._desk.house
        who, found = lines.named(house, row.neighbour), lines.of_id(house, row.neighbour)
        coming = row.way == Way.IN.value
        relation = mirrored(who.relation) if coming else who.relation
        url = str(found.url).rstrip("/") if found else None
        return {
            "id": row.id,
            "way": row.way,
            "way_zh": "来件" if coming else "去件",
            "neighbour": who.id,
            "neighbour_name": who.name,
            "purpose": row.purpose,
            "purpose_zh": called(row.purpose, relation),
            "state": row.state,
            "state_zh": ReferralState(row.state).zh,
            "waits": coming and row.state == _WAITING,
            "incident_id": row.incident_id,
            "title": row.title,
            "their_ref": row.their_ref,
            "their_url": f"{url}/incidents/{row.their_incident}" if url and row.their_incident else None,
            "at": iso(row.at),
            "by": house.names.get(row.by, who.name if coming else row.by),
            "reason": row.reason,
            "sha256": row.sha256,
            "delivered_at": _iso(row.delivered_at),
            "decided_at": _iso(row.decided_at),
            "decided_by": row.decided_by,
            "decision": row.decision,
            "receipt": row.receipt,
            "taken": row.taken,
            "answered_at": _iso(row.answered_at),
            "progress": _progress(row.progress),
            "progress_at": _iso(row.progress_at),
        }

    def one(self, referral_id: str) -> View:
        """A referral with its parcel, as its sender signed it."""
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            row = levels_rows.get(conn, referral_id)
        content = levels_rows.parcel_of(row)
        return self._referral(row) | {"now": iso(self._desk.now()), "parcel": _story(content)}

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str, referral_id: str, params: Params, by: str) -> View:
        """accept {reason?, clocks?}, return {reason}, note {reason?}. Raises Refusal and Unknown."""
        act = _ACTS.get(name)
        if act is None:
            raise Unknown(f"移送没有这个操作: {name[:40]}{did_you_mean(name, list(_ACTS))}")
        self._known(by)
        with in_words(), self._desk.writing() as conn:
            row = levels_rows.get(conn, referral_id)
            said = act(self, conn, row, params, by)
            if row.incident_id:
                tasking.settle(self._desk.house, conn, row.incident_id)
        return self.one(row.id) | {"said": said}

    def of_ours(self, name: str, conn: Connection, incident_id: str, params: Params, by: str) -> str:
        """The same from an incident's own page, on the referral by which it came."""
        row = levels_rows.incoming(conn, incident_id)
        if row is None:
            raise Refusal("这起事件不是移送来的，没有可接收或退回的；移交别的系统用 refer")
        return _ACTS[name](self, conn, row, params, by)

    def refer(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        """移交、抄报、通报 an incident of ours to a neighbour {to, purpose?, reason}."""
        now = self._desk.now()
        to = self._neighbour(needed(params, "to", "移送给谁"))
        purpose = choice(Purpose, params, "purpose", "用途") if params.get("purpose") else Purpose.TRANSFER
        reason = needed(params, "reason", "移送理由")
        levels.may_refer(conn, row, purpose.value)
        content = levels_parcel.compose(conn, row, now, self._sender(), purpose.value, by, reason)
        parcel = arriving.wrapped(uuid4().hex, content)
        levels.refer(conn, now, row, lines.known(to), parcel, by, reason)
        word = called(purpose.value, to.relation.value)
        after = "；对方接收以前时钟照走" if purpose is Purpose.TRANSFER else ""
        return f"已{word} {to.name}，编号 {parcel.id[:8]}，正在送达{after}"

    def _sender(self) -> Sender:
        site = self._desk.house.site
        words = site.levels.personal_data == "mask"
        names = self._desk.house.names
        return Sender(site.levels.id or "", site.name, site.region, site.levels.signals, words, names)

    def _neighbour(self, said: str) -> NeighbourSource:
        found = lines.meant(self._desk.house, said)
        if found is None:
            names = [one.id for one in self._desk.house.site.neighbours]
            hint = did_you_mean(said, names)
            raise Refusal(
                f"没有邻居 “{said[:40]}”{hint}；site.yaml 的 neighbours 里有: {'、'.join(names) or '无'}"
            )
        return found

    def _accept(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        now, word = self._desk.now(), self._word(row, by, params.get("reason") or "由本单位办理")
        only = [one.strip() for one in params.get("clocks", "").replace("，", ",").split(",") if one.strip()]
        taken = levels.accept(conn, now, row, word, only)
        ours = incidents.get(conn, row.incident_id)
        if ours.closed_at is None:  # who takes it over has taken notice of it
            acts.acknowledge(conn, now, ours.id, by, word.name, word.reason, self._desk.house.rules_for)
        return f"已接收 {word.who.name} 的 {row.their_ref}，回执 {word.number}，接过 {len(taken)} 个时钟"

    def _return(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        word = self._word(row, by, needed(params, "reason", "退回理由"))
        levels.give_back(conn, self._desk.now(), row, word)
        return f"已退回 {word.who.name}，回执 {word.number}"

    def _note(self, conn: Connection, row: Row[Any], params: Params, by: str) -> str:
        word = self._word(row, by, params.get("reason") or "已阅")
        levels.note(conn, self._desk.now(), row, word)
        return f"已登记已阅，回执 {word.number} 将送 {word.who.name}"

    def _word(self, row: Row[Any], by: str, reason: str) -> Word:
        """What this person says to it; the receipt's number is ours, and once."""
        house = self._desk.house
        number = f"{house.site.levels.id}-{row.id[:8]}"
        return Word(lines.named(house, row.neighbour), by, house.names[by], reason, number)

    def _known(self, by: str) -> None:
        names = self._desk.house.names
        if by not in names or by == "huiying":
            raise Unknown(f"值班表里没有 {by}{did_you_mean(by, list(names))}；请写 roster.yaml 中的人员标识")

    # ── what neighbours send ──────────────────────────────────────────────────────────────────

    def take(self, raw: bytes) -> bytes:
        """A letter that came to our door; the signed answer. Raises Unsigned, Refusal, Unknown, Unavailable."""
        with in_words(), reachable():
            try:
                return arriving.take(self._desk.house, raw)
            except NotSigned as error:
                raise Unsigned(str(error)) from None


_ACTS: Final[Mapping[str, Callable[[Levels, Connection, Row[Any], Params, str], str]]] = {
    "accept": Levels._accept,
    "return": Levels._return,
    "note": Levels._note,
}


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def _near(near: Mapping[str, Any], now: datetime) -> View:
    left = (parse_iso(near["due_at"]) - now).total_seconds()
    state = ClockState.BREACHED.value if left <= 0 else near["state"]
    return {**near, "state": state, "state_zh": ClockState(state).zh, "left_s": left}


def _progress(said: Mapping[str, Any] | None) -> View | None:
    """How it stands there, its clocks in words."""
    if not said:
        return None
    clocks = [{**clock, "state_zh": ClockState(clock["state"]).zh} for clock in said["clocks"]]
    return {**said, "grade_zh": Grade(said["grade"]).zh, "clocks": clocks}


def _story(content: View) -> View:
    """The parcel as a page shows it: clocks and entries in words."""
    clocks = [{**clock, "state_zh": ClockState(clock["state"]).zh} for clock in content["clocks"]]
    times = [{**one, "event_zh": StartEvent(one["event"]).zh} for one in content["times"]]
    proofs = [{**one, "kind_zh": EvidenceKind(one["kind"]).zh} for one in content["evidence"]]
    journal = content["journal"]
    lines_ = [{**entry, "kind_zh": KINDS.get(entry["kind"], entry["kind"])} for entry in journal["entries"]]
    said = {"times": times, "evidence": proofs, "clocks": clocks}
    return {**content, **said, "journal": {**journal, "entries": lines_}}
