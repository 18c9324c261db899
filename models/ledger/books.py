"""Playbooks in the ledger: drafts and their review, and the versions that an incident is held to.

What a playbook says is not read here: content is text, named by the version that the playbooks' side
gives it. An incident keeps the version by which its clocks were first planned, until somebody moves it
to another with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, select

from models.core.moment import clock_face, iso
from models.core.situation import Situation
from models.core.vocabulary import BookState
from models.ledger.clocks import BoundRule
from models.ledger.entry import Entry
from models.ledger.incidents import NotAllowed
from models.ledger.journal import append
from models.ledger.store import LedgerError
from models.records import FrozenPlaybook, IncidentPlaybook, PlaybookVersion

VERSION: Table = PlaybookVersion.__table__  # type: ignore[attr-defined]
FROZEN: Table = FrozenPlaybook.__table__  # type: ignore[attr-defined]
HELD: Table = IncidentPlaybook.__table__  # type: ignore[attr-defined]
RulesFor = Callable[[Situation], Sequence[BoundRule]]


class NoSuchVersion(LedgerError):
    """There is no version of that number."""


# ── versions frozen on incidents ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Current:
    """A playbook as it is in force now."""

    version: str
    content: str


@runtime_checkable
class Rulebook(Protocol):
    """Rules that can also be those of older versions. A plain function of a situation has no versions."""

    def __call__(self, situation: Situation) -> Sequence[BoundRule]: ...

    def current(self) -> Mapping[str, Current]:
        """Every playbook that is in force now, by its id."""
        ...

    def keeping(self, held: Mapping[str, str], content: Callable[[str], str | None]) -> RulesFor:
        """The same with these playbooks (id → version) as they were; `content` finds what one said."""
        ...


def rules_of(conn: Connection, incident_id: str, rules_for: RulesFor) -> RulesFor:
    """The rules that this incident is held to: frozen versions, and today's for all else."""
    if not isinstance(rules_for, Rulebook):
        return rules_for
    held = versions(conn, incident_id)
    return rules_for.keeping(held, lambda version: content(conn, version)) if held else rules_for


def versions(conn: Connection, incident_id: str) -> dict[str, str]:
    """playbook → the version that the incident is held to."""
    query = select(HELD).where(HELD.c.incident_id == incident_id).order_by(HELD.c.at, HELD.c.id)
    return {row.playbook: row.version for row in conn.execute(query)}


def content(conn: Connection, version: str) -> str | None:
    """What a frozen version says; None when it was never used."""
    return conn.execute(select(FROZEN.c.content).where(FROZEN.c.version == version)).scalar()


def freezing(
    conn: Connection, at: datetime, incident_id: str, bound: Sequence[BoundRule], rules_for: RulesFor
) -> list[Entry]:
    """Hold the incident to the playbooks that it is planned by for the first time."""
    if not isinstance(rules_for, Rulebook):
        return []
    held = versions(conn, incident_id)
    fresh = {each.playbook: each.version for each in bound if each.playbook not in held}
    if not fresh:
        return []
    rows = [
        _held_row(incident_id, name, version, at, "huiying", "首次设钟") for name, version in fresh.items()
    ]
    payload = {
        "playbooks": [f"{name}@{version}" for name, version in fresh.items()],
        "insert": {"frozenplaybook": _unknown(conn, fresh, rules_for.current()), "incidentplaybook": rows},
    }
    return [Entry("playbooks_frozen", payload, "huiying", "按首次设钟时的版本", incident_id)]


def _unknown(
    conn: Connection, fresh: Mapping[str, str], current: Mapping[str, Current]
) -> list[dict[str, str]]:
    """The contents that the ledger does not hold yet."""
    known = set(conn.execute(select(FROZEN.c.version).where(FROZEN.c.version.in_(fresh.values()))).scalars())
    return [
        {"version": version, "playbook": name, "content": current[name].content}
        for name, version in fresh.items()
        if version not in known and name in current and current[name].version == version
    ]


def _held_row(
    incident_id: str, playbook: str, version: str, at: datetime, by: str, reason: str
) -> dict[str, Any]:
    return {
        "id": f"{incident_id}:{playbook}:{uuid4().hex[:8]}",
        "incident_id": incident_id,
        "playbook": playbook,
        "version": version,
        "at": iso(at),
        "by": by,
        "reason": reason,
    }


def moving(
    conn: Connection,
    at: datetime,
    incident_id: str,
    by: str,
    reason: str,
    rules_for: RulesFor,
    playbook: str | None = None,
) -> list[Entry]:
    """Move the incident to the versions that are in force now, of one playbook or of all."""
    current = rules_for.current() if isinstance(rules_for, Rulebook) else {}
    held = versions(conn, incident_id)
    if playbook is not None and playbook not in held:
        raise NotAllowed(f"本事件没有用到预案 {playbook}；用到的有 {'、'.join(held) or '无'}")
    wanted = {name: held[name] for name in held if playbook in (None, name)}
    stale = {name: old for name, old in wanted.items() if name in current and current[name].version != old}
    if not stale:
        gone = [name for name in wanted if name not in current]
        why = f"预案 {'、'.join(gone)} 已停用，没有新版本" if gone else "本事件的预案已是现行版本"
        raise NotAllowed(f"{why}；无须更换")
    return [_moved(conn, at, incident_id, name, old, current, by, reason) for name, old in stale.items()]


def _moved(
    conn: Connection,
    at: datetime,
    incident_id: str,
    name: str,
    old: str,
    current: Mapping[str, Current],
    by: str,
    reason: str,
) -> Entry:
    new = current[name].version
    payload = {
        "playbook": name,
        "from": old,
        "to": new,
        "insert": {
            "frozenplaybook": _unknown(conn, {name: new}, current),
            "incidentplaybook": [_held_row(incident_id, name, new, at, by, reason)],
        },
    }
    return Entry("playbook_moved", payload, by, reason, incident_id)


def held_by(conn: Connection, playbook: str) -> dict[str, list[str]]:
    """version → the incidents that are held to it, of one playbook."""
    query = select(HELD).where(HELD.c.playbook == playbook).order_by(HELD.c.at, HELD.c.id)
    newest = {row.incident_id: row.version for row in conn.execute(query)}
    found: dict[str, list[str]] = {}
    for incident_id, version in newest.items():
        found.setdefault(version, []).append(incident_id)
    return found


# ── from a draft to being in force ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked draft: what its author hands in. `content` "" takes the site's own playbook out of use."""

    playbook: str
    name: str
    version: str
    content: str


def submit(conn: Connection, at: datetime, draft: Draft, by: str, reason: str) -> str:
    """Hand in a draft for review; returns its number. The same content waits once."""
    _said(reason, "送审")
    same = conn.execute(
        select(VERSION.c.id).where(
            VERSION.c.playbook == draft.playbook,
            VERSION.c.version == draft.version,
            VERSION.c.state == BookState.DRAFT.value,
        )
    ).scalar()
    if same is not None:
        raise NotAllowed(f"同样内容的草案 {same} 已在待审；请另一个人审定它")
    row = {
        **_row(draft, BookState.DRAFT, by, at, reason),
        "reviewer": None,
        "reviewed_at": None,
        "opinion": None,
        "active_from": None,
    }
    payload = {"playbook": draft.playbook, "version": draft.version, "insert": {"playbookversion": [row]}}
    append(conn, at, [Entry("playbook_submitted", payload, by, reason)])
    return str(row["id"])


def _row(draft: Draft, state: BookState, by: str, at: datetime, reason: str) -> dict[str, Any]:
    return {
        "id": uuid4().hex[:12],
        "playbook": draft.playbook,
        "name": draft.name,
        "version": draft.version,
        "content": draft.content,
        "state": state.value,
        "author": by,
        "submitted_at": iso(at),
        "reason": reason,
    }


def _said(reason: str, what: str) -> None:
    if not reason.strip():
        raise NotAllowed(f"{what}须说明理由(--reason)")


def settle(
    conn: Connection,
    at: datetime,
    version_id: str,
    state: BookState,
    by: str,
    opinion: str,
    active_from: datetime | None = None,
) -> Row[Any]:
    """A second person approves or returns a draft; its author may withdraw it. Returns it as it was.

    `active_from`: from when it is in force, now when None.
    """
    row = find(conn, version_id)
    _may_settle(row, state, by)
    _said(opinion, "处理草案")
    since = max(active_from or at, at) if state is BookState.REVIEWED else None
    change = {
        "id": row.id,
        "state": state.value,
        "reviewer": by,
        "reviewed_at": iso(at),
        "opinion": opinion,
        "active_from": iso(since) if since else None,
    }
    payload = {
        "playbook": row.playbook,
        "version": row.version,
        "state": state.value,
        "update": {"playbookversion": [change]},
    }
    append(conn, at, [Entry("playbook_settled", payload, by, opinion)])
    return row


def _may_settle(row: Row[Any], state: BookState, by: str) -> None:
    if row.state != BookState.DRAFT.value:
        raise NotAllowed(f"草案 {row.id} {BookState(row.state).zh}，不能再处理；要改请另送一份")
    if state is BookState.WITHDRAWN and by != row.author:
        raise NotAllowed("只有送审的人可以撤回草案；不同意请退回并说明")
    if state is not BookState.WITHDRAWN and by == row.author:
        raise NotAllowed("送审的人不能审定自己的草案；请另一个人审定")


def roll_back(
    conn: Connection, at: datetime, playbook: str, version_id: str | None, by: str, reason: str
) -> str:
    """Put an earlier reviewed version back in force at once, or (None) take the site's own out of use.

    One person may: what is put back has had its second pair of eyes. Returns the new row's number.
    """
    _said(reason, "回退")
    now = next((row for row in in_force(conn, at) if row.playbook == playbook), None)
    if version_id is None:
        return _take_out(conn, at, playbook, now, by, reason)
    row = find(conn, version_id)
    if row.playbook != playbook:
        raise NotAllowed(f"版本 {row.id} 是预案 {row.playbook} 的，不是 {playbook} 的；请核对版本编号")
    if row.state != BookState.REVIEWED.value:
        raise NotAllowed(f"版本 {row.id} {BookState(row.state).zh}，未经审定不能回退到它；请送审")
    if now is not None and now.version == row.version:
        raise NotAllowed(f"版本 {row.version} 就是现行的；无须回退")
    return _put(conn, at, Draft(playbook, row.name, row.version, row.content), row.reviewer, by, reason)


def _take_out(
    conn: Connection, at: datetime, playbook: str, now: Row[Any] | None, by: str, reason: str
) -> str:
    if now is None:
        raise NotAllowed(f"预案 {playbook} 没有站点自己的现行版本；无须停用")
    return _put(conn, at, Draft(playbook, now.name, "", ""), None, by, reason)


def _put(conn: Connection, at: datetime, draft: Draft, reviewer: str | None, by: str, reason: str) -> str:
    row = {
        **_row(draft, BookState.REVIEWED, by, at, reason),
        "reviewer": reviewer,
        "reviewed_at": iso(at),
        "opinion": f"回退于 {clock_face(at)}",
        "active_from": iso(at),
    }
    payload = {"playbook": draft.playbook, "version": draft.version, "insert": {"playbookversion": [row]}}
    append(conn, at, [Entry("playbook_rolled_back", payload, by, reason)])
    return str(row["id"])


def find(conn: Connection, version_id: str) -> Row[Any]:
    """One version by its number, which may be cut short. Raises NoSuchVersion."""
    wanted = version_id.strip()
    query = select(VERSION).where(VERSION.c.id.startswith(wanted, autoescape=True))
    rows = conn.execute(query).all() if wanted else []
    if len(rows) != 1:
        said = "没有" if not rows else f"有 {len(rows)} 份"
        raise NoSuchVersion(f"{said}编号为 {version_id} 的预案版本；编号见 huiying playbook list")
    return rows[0]


def listed(conn: Connection, playbook: str | None = None) -> Sequence[Row[Any]]:
    """Every version, newest first; of one playbook or of all."""
    query = select(VERSION).order_by(VERSION.c.submitted_at.desc(), VERSION.c.id)
    return conn.execute(query if playbook is None else query.where(VERSION.c.playbook == playbook)).all()


def in_force(conn: Connection, at: datetime) -> list[Row[Any]]:
    """The site's own playbooks at `at`: of each the newest that is reviewed and has begun."""
    query = (
        select(VERSION)
        .where(VERSION.c.state == BookState.REVIEWED.value, VERSION.c.active_from <= at)
        .order_by(VERSION.c.active_from, VERSION.c.reviewed_at, VERSION.c.id)
    )
    newest = {row.playbook: row for row in conn.execute(query)}
    return [row for row in newest.values() if row.content]
