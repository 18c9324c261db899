"""A ledger with thousands of open incidents, written straight into the tables: for boards that must not mind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert

from models.core.clock import state
from models.core.vocabulary import ClockState, Grade
from models.ledger.board_view import ACK, CLOCK, INCIDENT, STEP
from models.ledger.entry import Entry
from models.ledger.journal import append
from models.ledger.store import Store

PART = 2_000
RULES = (
    ("acknowledge", "签收", 1.0, ["acknowledgement"]),
    ("first_statement", "首次权威发布", 5.0, ["published_statement"]),
    ("general_response", "回应热点", 48.0, ["published_response"]),
)
"""rule, name, hours, evidence: three clocks of each incident."""
KINDS = ("major_problem", "false_info", "hardship", "constructive")
UNITS = ("office", "应急管理局", "生态环境局", None)
PLACES = ("江东区", "临江新区", "望江路", "老城区")
SHARES = ("50%", "75%", "90%")


def fill(store: Store, now: datetime, wanted: int) -> None:
    """`wanted` open incidents, opened over the last two days; every third is acknowledged."""
    for low in range(0, wanted, PART):
        with store.write() as conn:
            _part(conn, now, range(low, min(low + PART, wanted)))
    with store.write() as conn:
        append(conn, now, [Entry("note", {"text": f"{wanted} 件"}, "huiying", "压力数据", None)])


def _part(conn: Connection, now: datetime, numbers: range) -> None:
    made = [(number, now - timedelta(hours=number * 37 % 4800 / 100)) for number in numbers]
    _put(conn, INCIDENT, [_incident(n, at) for n, at in made])
    _put(conn, CLOCK, [clock for n, at in made for clock in _clocks(n, at, now)])
    _put(conn, STEP, [step for n, at in made for step in _steps(n, at, now)])
    _put(conn, ACK, [_ack(n, at) for n, at in made if n % 3 == 0])


def _put(conn: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        conn.execute(insert(table), rows)


def name(number: int) -> str:
    return f"2026-{number + 1:04d}"


def _incident(n: int, at: datetime) -> dict[str, Any]:
    return {
        "id": name(n), "ref": f"舆-{name(n)}", "title": f"{PLACES[n % 4]}第 {n} 号事件：居民反映夜间异味与噪声",
        "place": PLACES[n % 4], "grade": tuple(Grade)[min(3, n % 11)].value, "provisional": n % 5 == 0,
        "grade_parts": [], "kind": KINDS[n % 4], "stage": "collect", "owner": UNITS[n % 4], "facts": {},
        "reason": "压力数据", "opened_by": "huiying", "opened_at": at, "signal_count": n % 90,
    }  # fmt: skip


def _clocks(n: int, at: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    for rule, called, hours, evidence in RULES:
        due = at + timedelta(hours=hours)
        met = rule == "acknowledge" and n % 3 == 0
        stands = ClockState.MET if met else state(at, due, now, any_raised=_raised(at, due, now) > 0)
        yield {
            "id": f"{name(n)}-{rule}", "incident_id": name(n), "rule_id": rule, "name": called,
            "playbook": "general_opinion", "version": "1", "state": stands.value, "start_event": "discovery",
            "started_at": at, "due_at": due, "reason": "压力数据", "basis": ["国办发〔2016〕61号"],
            "evidence": evidence, "repeat_rung": 2, "ack_valid_s": 7200, "statutory": True, "created_at": at,
            "steps": [{"key": key, "due_at": _at(at, due, key).isoformat(), "rung": 1} for key in SHARES],
            "ended_at": at + timedelta(minutes=9) if met else None,
        }  # fmt: skip


def _at(start: datetime, due: datetime, key: str) -> datetime:
    return start + (due - start) * int(key.rstrip("%")) / 100


def _raised(start: datetime, due: datetime, now: datetime) -> int:
    return sum(_at(start, due, key) <= now for key in SHARES)


def _steps(n: int, at: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    for rule, _, hours, _ in RULES:
        due = at + timedelta(hours=hours)
        for key in SHARES[: _raised(at, due, now)]:
            moment = _at(at, due, key)
            yield {
                "clock_id": f"{name(n)}-{rule}", "key": key, "incident_id": name(n), "rung": 1, "due_at": moment,
                "raised_at": moment, "late_ms": 400, "skipped": False, "reason": "压力数据",
            }  # fmt: skip


def _ack(n: int, at: datetime) -> dict[str, Any]:
    moment = at + timedelta(minutes=9)
    return {
        "id": f"ack-{n}",
        "incident_id": name(n),
        "person_id": "chen",
        "at": moment,
        "until": None,
        "reason": "",
    }
