"""One-use links: what a link from a message is worth, and its one use, without signing in.

Looking changes nothing: scanners of mail and previews of chats fetch every address that they see.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.console.desk import View
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core import access, onelink
from models.core.moment import clock_face, iso
from models.core.onelink import Forged, Grant, LinkState
from models.core.vocabulary import Grade
from models.ledger import accounts, onelinks
from models.ledger.store import Connection, Row

_FORGED = (
    "这个链接不是本系统发出的，或在转发时被截断、改动了。请从原消息完整打开；也可打开值班台，在“我的”页签收。"
)


class OneLinks:
    """The desk's room for links. Implements `connectors.console.desks.onelinks.OneLinksDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, token: str, visitor: str) -> View:
        grant = self._read(token)
        with in_words(), reachable(), self._desk.house.store.read() as conn:
            return self._seen(conn, grant, visitor)

    def use(self, token: str, visitor: str) -> View:
        grant, now = self._read(token), self._desk.now()
        with in_words(), self._desk.writing() as conn:
            row, state = self._judged(conn, grant, visitor, now)
            ready = grant is not None and row is not None and state is LinkState.READY
            if ready:
                onelinks.use(conn, now, grant, row, self._desk.house.rules_for)  # type: ignore[arg-type]
            return self._seen(conn, grant, visitor) | {"used": ready}

    def _read(self, token: str) -> Grant | None:
        try:
            return onelink.read(self._desk.house.link_key, token)
        except Forged:
            return None

    def _judged(
        self, conn: Connection, grant: Grant | None, visitor: str, now: datetime
    ) -> tuple[Row[Any] | None, LinkState]:
        row = onelinks.about(conn, grant.alert) if grant else None
        if grant is None or row is None:
            return None, LinkState.FORGED
        known = onelinks.known(conn, row, grant.act, self._counts(conn, grant))
        return row, onelink.judge(grant, known, now, visitor)

    def _counts(self, conn: Connection, grant: Grant) -> bool:
        """Still on the roster, and, where there are accounts, with one of theirs that is in use and may do this;
        whoever never had one is let in by the link alone."""
        site = self._desk.house.site
        if site.roster.person(grant.person) is None:
            return False
        if site.access.mode != "accounts":
            return True
        own = [row for row in accounts.listed(conn) if row.person == grant.person]
        return not own or any(row.disabled_at is None and _may(row, grant) for row in own)

    def _seen(self, conn: Connection, grant: Grant | None, visitor: str) -> View:
        now = self._desk.now()
        row, state = self._judged(conn, grant, visitor, now)
        if grant is None or row is None or state is LinkState.FORGED:
            return {"state": LinkState.FORGED.value, "words": _FORGED}
        done_at = onelinks.known(conn, row, grant.act, True).done_at
        return {
            "state": state.value,
            "words": self._words(state, grant, row, done_at, visitor),
            "site": self._desk.house.site.name,
            "act": grant.act.value,
            "act_zh": grant.act.zh,
            "name": row.person_name,
            "now": iso(now),
            "until": iso(grant.until),
            "done_at": iso(done_at) if done_at else None,
            "ref": row.ref,
            "reason": row.reason,
            "incident": _incident(row),
            "clock": _clock(row, now),
        }

    def _words(
        self, state: LinkState, grant: Grant, row: Row[Any], done_at: datetime | None, visitor: str
    ) -> str:
        name, ref, act = row.person_name, row.incident_ref, grant.act.zh
        named = self._desk.house.names.get(visitor, visitor)
        gone_into = (
            f"已并入 舆-{row.merged_into}，请打开该事件{act}" if row.merged_into else "已办结，无须签收"
        )
        return {
            LinkState.READY: f"将以 {name} 的名义{act}；时钟照走，只是不再向您重复提醒。",
            LinkState.DONE: f"{name} 已于 {clock_face(done_at or grant.until)} {act}，无须再按。",
            LinkState.EXPIRED: f"这个链接已于 {clock_face(grant.until)} 过期。请打开值班台，在事件页{act}。",
            LinkState.CLOSED: f"{ref} {gone_into}。",
            LinkState.GONE: f"{name} 已不在值班表，或账号已停用、不能签收，链接作废。请与值班表负责人联系。",
            LinkState.OTHER: f"这条提醒是发给 {name} 的，而这台设备上是 {named}。请 {name} 本人打开；"
            f"您可打开事件页，以自己的名义{act}。",
        }[state]


def _may(account: Row[Any], grant: Grant) -> bool:
    return access.may(accounts.roles_of(account), f"act.{grant.act.value}") is None


def _incident(row: Row[Any]) -> View:
    grade = Grade(row.grade)
    return {
        "id": row.incident_id,
        "ref": row.incident_ref,
        "title": row.title,
        "grade": grade.value,
        "grade_zh": grade.zh,
        "colour": grade.colour,
    }


def _clock(row: Row[Any], now: datetime) -> View | None:
    if row.due_at is None:
        return None
    return {"name": row.clock, "due_at": iso(row.due_at), "left_s": (row.due_at - now).total_seconds()}
