"""Hand-over: at a change of shift write down what is open and tell who comes on; remind whoever asked
to be reminded later. Safe to run twice and to be killed: everything has its occasion."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from flows.office import sources_seen
from flows.telling import leaving
from flows.wiring import House
from models.core.escalate import next_reachable
from models.core.moment import clock_face, iso, parse_iso, span
from models.core.roster import Change, Roster, each_once
from models.core.vocabulary import AlertState
from models.ledger import clocks, duties, handovers, notices, snoozing, views, words
from models.ledger.entry import Entry
from models.ledger.notices import Notice
from models.ledger.store import Connection, Row

KEY = "handover"
LOOK_BACK = timedelta(days=8)
"""How far back a change of shift is looked for: a week's turn, and a day of outage."""
PATIENCE = timedelta(minutes=15)
"""How long a hand-over may wait for its acceptance before the rung above hears of it (a proposal)."""
PATIENCE_REAL = timedelta(seconds=10)
"""The same in real time, for demonstrations that run a day in a minute."""
SHIFT = timedelta(days=1)
MOST = 40
LATE = timedelta(minutes=1)


def hand_over(house: House) -> str:
    """Write the hand-overs that are due, remind of those that nobody accepted; in words what was done."""
    now = house.time.now()
    made = sum(_write(house, change, now) for change in _fresh(house, now))
    due = _untold(house, [*_waiting(house, now), *_snoozed_out(house, now)])
    told = _tell(house, now, due) if due else 0
    return f"新交接 {made} 次，提醒 {told} 人" if made or told else "没有换班"


def _fresh(house: House, now: datetime) -> list[Change]:
    """The newest change of each rung that is not written down yet. After an outage only that one is
    handed over: who came and went in between has nothing to give any more."""
    since = _since(house, now)
    newest = [_newest(house.site.roster, rung, since, now) for rung in house.site.roster.rungs()]
    with house.store.read() as conn:
        return [
            change for change in newest if change and not handovers.known(conn, handovers.name_of(change))
        ]


def _since(house: House, now: datetime) -> datetime:
    """Changes before the duty first ran are nobody's to hand over."""
    with house.store.read() as conn:
        kept = duties.get_setting(conn, KEY)
    if kept is None:
        with house.store.write() as conn:
            duties.put_setting(conn, KEY, {"since": iso(now)})
        return now
    return max(parse_iso(kept["since"]), now - LOOK_BACK)


def _newest(roster: Roster, rung: int, since: datetime, now: datetime) -> Change | None:
    """The last change that brought on somebody who is still on duty."""
    present = {person.id for person in roster.on_duty(rung, now)}
    changes = [c for c in roster.changes(rung, since, now) if present & {p.id for p in c.incoming}]
    return changes[-1] if changes else None


def _write(house: House, change: Change, now: datetime) -> bool:
    with house.store.read() as conn:  # before the write lock: a summary of a bad night takes its time
        made = summary(conn, house, now, change)
    with house.store.write() as conn:
        fresh = handovers.write(conn, now, change, made)
        notices.tell(conn, now, [_invitation(house, change, made)] if fresh else [])
    return fresh


def _invitation(house: House, change: Change, made: dict[str, Any]) -> Notice:
    before = "、".join(person.name for person in change.before) or "无人"
    reason = f"自 {clock_face(change.at)} 起由您值班，上一班：{before}。{in_words(made)}请打开 {link(house)} 签收交接"
    return Notice(
        KEY, handovers.name_of(change), f"接班 · {_role(house, change.rung)}", reason, change.incoming
    )


def link(house: House) -> str:
    return f"{house.public_url}/handover"


def _role(house: House, rung: int) -> str:
    role = house.site.roster.role(rung)
    return role.zh if role else f"第 {rung} 级"


def in_words(made: dict[str, Any]) -> str:
    """The summary's numbers in one line."""
    late = sum(clock["left_s"] < 0 for one in made["incidents"] for clock in one["clocks"])
    parts = [f"未结事件 {made['open']} 起"]
    parts += [f"已逾期时钟 {late} 个"] if late else []
    parts += [f"待审稿件 {len(made['drafts'])} 件"] if made["drafts"] else []
    parts += [f"待兑现承诺 {len(made['promises'])} 项"] if made["promises"] else []
    parts += [f"未送达提醒 {len(made['alerts'])} 条"] if made["alerts"] else []
    parts += [f"沉默信源 {len(made['sources'])} 个"] if made["sources"] else []
    return "，".join(parts) + "。"


def summary(conn: Connection, house: House, now: datetime, change: Change) -> dict[str, Any]:
    """What the old shift leaves: late first; no more than `MOST` of a kind, the rest as a number."""
    shown = views.board(conn, now, house.names)
    chosen = shown[:MOST]
    since = change.at - SHIFT
    done = handovers.progress(conn, [one["id"] for one in chosen], since)
    silent = [s for s in sources_seen.states(conn, house, now) if s["state"] not in ("ok", "new")]
    return {
        "written_at": iso(now),
        "late_s": round((now - change.at).total_seconds()) if now - change.at > LATE else 0,
        "open": len(shown),
        "more": len(shown) - len(chosen),
        "incidents": [_incident(house, one, done.get(one["id"], [])) for one in chosen],
        "alerts": [_alert(row) for row in handovers.unsent(conn, now - LATE * house.time.speed, MOST)],
        "sources": [{"name": s["name"], "why": s["error"] or s["state"]} for s in silent[:MOST]],
        **leaving.parts(conn, house, now, change, shown),
    }


def _incident(house: House, shown: dict[str, Any], done: list[Row[Any]]) -> dict[str, Any]:
    kept = {key: shown[key] for key in ("id", "ref", "title", "grade", "colour", "provisional")}
    return kept | {
        "owner": house.called.get(shown["owner"], shown["owner"]),
        "acked": [one["name"] for one in shown["acked"]],
        "clocks": [_clock(house, clock) for clock in shown["clocks"] if clock["state"] in clocks.OPEN],
        "progress": [_progress(house, row) for row in done],
    }


def _clock(house: House, clock: dict[str, Any]) -> dict[str, Any]:
    kept = {key: clock[key] for key in ("id", "name", "state", "state_zh", "due_at", "left_s")}
    step = clock["next_step"]
    if step is None:
        return kept | {"next": None}
    role = _role(house, min(step["rung"], house.site.roster.top()))
    return kept | {"next": {"key": step["key"], "due_at": step["due_at"], "role": role}}


def _progress(house: House, row: Row[Any]) -> dict[str, Any]:
    entry = Entry(row.kind, json.loads(row.payload), row.actor)
    return {
        "at": iso(row.at),
        "by": words.acting(row.actor, house.names),
        "text": words.told(entry, house.called),
    }


def _alert(row: Row[Any]) -> dict[str, Any]:
    state = AlertState(row.state)
    return {"ref": row.ref, "name": row.person_name, "state": state.value, "why": row.last_error or state.zh}


# ── what nobody has answered ──────────────────────────────────────────────────────────────────


def _waiting(house: House, now: datetime) -> list[Notice]:
    """Hand-overs that nobody accepted in time: those who came on again, and the rung above."""
    with house.store.read() as conn:
        return [_reminder(house, row, now) for row in unaccepted(conn, now, house.time.speed)]


def unaccepted(conn: Connection, now: datetime, pace: float) -> list[Row[Any]]:
    """The hand-overs of this shift that have waited too long for their acceptance, counted from when they
    were written down: before that nobody could accept them."""
    patience = max(PATIENCE, PATIENCE_REAL * pace)
    return [row for row in handovers.standing(conn, now - SHIFT) if _written(row) + patience <= now]


def _written(row: Row[Any]) -> datetime:
    return parse_iso(row.summary["written_at"])


def _reminder(house: House, row: Row[Any], now: datetime) -> Notice:
    roster = house.site.roster
    incoming = [person for name in row.to_people if (person := roster.person(name))]
    above = next_reachable(roster, row.rung, now, {*row.to_people, *row.from_people})
    waited = span((now - _written(row)).total_seconds())
    names = "、".join(person.name for person in incoming)
    reason = (
        f"{names} 应于 {clock_face(row.at)} 接班，通知已过 {waited}仍未签收；请核实人在不在。{link(house)}"
    )
    title = f"交接未签收 · {_role(house, row.rung)}"
    return Notice("handover-late", row.id, title, reason, each_once([*incoming, *above]))


def _snoozed_out(house: House, now: datetime) -> list[Notice]:
    """ "Later" has come for those who asked for it."""
    with house.store.read() as conn:
        rows = snoozing.over(conn, now)
    found = [(row, house.site.roster.person(row.person_id)) for row in rows]
    return [
        Notice("snooze", row.id, f"稍后提醒 · {row.ref} {row.title}", snoozing.told(row), [person],
               incident_id=row.incident_id)
        for row, person in found
        if person is not None
    ]  # fmt: skip


def _untold(house: House, due: list[Notice]) -> list[Notice]:
    """What nobody has been told yet, so that a quiet beat takes no write lock."""
    with house.store.read() as conn:
        return [one for one in due if not notices.of_topic(conn, one.topic, one.occasion)]


def _tell(house: House, now: datetime, due: list[Notice]) -> int:
    with house.store.write() as conn:
        return notices.tell(conn, now, due)
