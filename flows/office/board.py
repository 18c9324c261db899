"""态势: the board in stretches, why clocks are late, the numbers since midnight, and how things go over months.

Implements `connectors.console.desks.board.BoardDesk`, and `Desk.board` for the desk. What is dear and the same
for everybody who looks is worked out once: the counts for each revision, the self-check every other second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.console.desk import Refusal, View
from flows.office import coverage
from flows.office.handling import Desk
from flows.office.plainly import reachable
from flows.office.registers import moment
from flows.office.tasking import unit_name
from flows.wiring import House
from models.core.boards import UNGIVEN, Wanted
from models.core.lateness import Course, why_late
from models.core.moment import iso, local, parse_iso
from models.core.trends import Ended, Noticed, Stretch, Sum, by_time, grouped
from models.core.vocabulary import ClockState, EvidenceKind, Grade
from models.ledger import board_view, scopes, trends, views
from models.ledger.store import Connection

CHECKED = timedelta(seconds=2)
"""How old the self-check beside the board may be."""
SUMMED = timedelta(seconds=20)
"""How old the numbers since midnight, month and year may be."""
HEARD = timedelta(seconds=5)
"""How old the count of all signals may be; the newest lines are never old."""
COUNTED = timedelta(seconds=1)
"""How old the counts of a revision may be: a limit passes without an entry."""
MOST_SHOWN = 500
LINES = 30
"""Newest signals beside the board."""
HALF_A_YEAR = timedelta(days=182)
LONGEST = timedelta(days=366 * 3)
_LATE = ClockState.BREACHED.value
_SIGNED = [EvidenceKind.ACKNOWLEDGEMENT.value]


@dataclass(frozen=True, slots=True)
class Kept:
    mark: Hashable
    at: datetime
    taken: float
    answer: Any


class Keeper:
    """Answers that may be a little old, each worked out by one who asks while the others wait for it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Kept] = {}
        self._locks: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(
        self, key: Hashable, mark: Hashable, now: datetime, age: timedelta, make: Callable[[], Any]
    ) -> Any:
        """The answer kept under `key` for `mark` when it is no older than `age`, by the site's time and by
        this machine's; else a new one."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            kept = self._kept.get(key)
            if kept is None or kept.mark != mark or not _fresh(kept, now, age):
                kept = Kept(mark, now, time.monotonic(), make())
                self._kept[key] = kept
            return kept.answer


def _fresh(kept: Kept, now: datetime, age: timedelta) -> bool:
    passed = time.monotonic() - kept.taken
    return timedelta(0) <= now - kept.at <= age and passed <= age.total_seconds()


class Boards:
    """The desk's room for the board."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._house = desk, desk.house
        self._keeper = Keeper()

    # ── the board ─────────────────────────────────────────────────────────────────────────────

    def view(self, wanted: Wanted) -> View:
        """`Desk.board`: exact when everything is wanted, with shared parts when a stretch is."""
        now = self._desk.now()
        with reachable(), self._house.store.read() as conn:
            revision = views.revision(conn)
            shown = board_view.window(conn, wanted, now, self._house.called)
            self._explain(conn, shown, now)
            parts = self._shared if wanted.limit is not None else self._exact
            view = {
                "now": now.isoformat(timespec="milliseconds"),
                "site": self._house.site.name,
                "speed": self._house.time.speed,
                "revision": revision,
                "incidents": shown,
                **parts(conn, wanted, now, revision, shown),
            }
            return view if wanted.units is None else view | _bounded(conn, view, wanted.units - {UNGIVEN})

    def _exact(
        self, conn: Connection, wanted: Wanted, now: datetime, revision: int, shown: list[View]
    ) -> View:
        return self._sides(conn, wanted, now) | {
            "coverage": coverage.report(conn, self._house, now),
            "signals": views.recent_signals(conn, now, 0) | {"last": self._newest(conn)},
            "counts": board_view.counts(conn, wanted, now),
            "found": wanted.offset + len(shown),
        }

    def _shared(
        self, conn: Connection, wanted: Wanted, now: datetime, revision: int, shown: list[View]
    ) -> View:
        keep, speed = self._keeper.get, self._house.time.speed
        counts = partial(board_view.counts, conn, wanted, now)
        found = partial(board_view.found, conn, wanted, now)
        check = partial(coverage.report, conn, self._house, now)
        filtered = (wanted.unit, wanted.grades, wanted.standings, wanted.kinds, wanted.text, wanted.ids)
        return self._sides(conn, wanted, now) | {
            "coverage": keep("coverage", None, now, CHECKED * speed, check),
            "signals": self._signals(conn, now),
            "counts": {}
            if wanted.ids
            else keep(("counts", wanted.units), revision, now, COUNTED * speed, counts),
            "found": keep(("found", wanted.units), (revision, filtered), now, COUNTED * speed, found),
        }

    def _sides(self, conn: Connection, wanted: Wanted, now: datetime) -> View:
        alerts = views.recent_alerts(conn, 30)
        if wanted.units is not None:
            told = frozenset(str(alert["incident_id"]) for alert in alerts)
            seen = set(board_view.ranked(conn, Wanted(units=wanted.units, ids=told), now))
            alerts = [alert for alert in alerts if alert["incident_id"] in seen]
        return {"recent_alerts": alerts, "units": self._units(conn), "offset": wanted.offset}

    def _signals(self, conn: Connection, now: datetime) -> View:
        """The newest lines fresh, the sums of all as they were counted a little ago."""
        count = partial(views.recent_signals, conn, now, 0)
        sums: View = self._keeper.get("signals", local(now).date(), now, self._age(HEARD), count)
        return sums | {"last": self._newest(conn)}

    def _newest(self, conn: Connection) -> list[View]:
        """The newest lines, their sources named."""
        names = self._house.source_names
        return [
            one | {"source_name": names.get(one["source"], one["source"])}
            for one in views.newest_signals(conn, LINES)
        ]

    def _age(self, age: timedelta) -> timedelta:
        return age * self._house.time.speed

    def _units(self, conn: Connection) -> list[View]:
        known = {unit.id: unit.name for unit in self._house.site.roster.units}
        return [{"id": unit, "name": known.get(unit, unit)} for unit in board_view.owners(conn)]

    def _explain(self, conn: Connection, shown: list[View], now: datetime) -> None:
        """Name the unit that leads, who holds each clock's next step, and why a clock is late."""
        late = [c["key"] for one in shown for c in one["clocks"] if c["state"] == _LATE]
        told, planned = board_view.undelivered(conn, late), board_view.planned(conn, late)
        for one in shown:
            one["owner_zh"] = unit_name(self._house, one["owner"]) if one["owner"] else None
            for clock in name_steps(self._house, one)["clocks"]:
                clock["why_late"] = (
                    why_late(_course(one, clock, planned[clock["key"]], told.get(clock["key"], (0, 0))))
                    if clock["state"] == _LATE
                    else []
                )

    # ── numbers ───────────────────────────────────────────────────────────────────────────────

    def numbers(self, units: frozenset[str] | None = None) -> View:
        """What came and how it was answered since midnight, since the first of the month and of the year."""
        now = self._desk.now()
        make = partial(self._numbers, units)
        return dict(self._keeper.get(("numbers", units), local(now).date(), now, self._age(SUMMED), make))

    def _numbers(self, units: frozenset[str] | None) -> View:
        now = self._desk.now()
        with reachable(), self._house.store.read() as conn:
            spans = list(trends.since(conn, {key: start for key, _, start in _starts(now)}, now, units))
        names = {key: name for key, name, _ in _starts(now)}
        return {"at": iso(now), "spans": [one | {"name": names[one["key"]]} for one in spans]}

    # ── trends ────────────────────────────────────────────────────────────────────────────────

    def trends(self, params: Mapping[str, str], units: frozenset[str] | None = None) -> View:
        """Raises Refusal."""
        now = self._desk.now()
        since, until = _span(params, now)
        stretch, grade = _stretch(params), _grade(params)
        called = partial(unit_name, self._house)
        with reachable(), self._house.store.read() as conn:
            clocks = trends.ended(conn, since, until, now, units, called)
            incidents = trends.noticed(conn, since, until, units, called)
        named = sorted({one.unit for one in clocks} | {one.unit for one in incidents})
        wanted = partial(_fits, params.get("unit", ""), grade)
        clocks = [one for one in clocks if wanted(one)]
        incidents = [one for one in incidents if wanted(one)]
        return {
            "from": iso(since),
            "to": iso(until),
            "at": iso(now),
            "step": stretch.value,
            "step_zh": stretch.zh,
            "unit": params.get("unit", ""),
            "grade": grade.value if grade else "",
            "units": named,
            "whole": Sum("whole", "合计", clocks, incidents).told(),
            "stretches": [one.told() for one in by_time(clocks, incidents, since, until, stretch)],
            "by_unit": [one.told() for one in grouped(clocks, incidents, lambda one: (one.unit, one.unit))],
            "by_grade": [one.told() for one in grouped(clocks, incidents, _by_grade)],
        }


def _bounded(conn: Connection, view: View, units: frozenset[str]) -> View:
    """What stands beside the incidents, for one who sees those of these units: the newest signals without those of
    others' incidents, and in the filter no unit but these."""
    last = view["signals"]["last"]
    theirs = scopes.among(conn, {one["incident_id"] for one in last if one["incident_id"]}, units)
    kept = [one for one in last if one["incident_id"] is None or one["incident_id"] in theirs]
    named = [one for one in view["units"] if one["id"] in units]
    return {"signals": {**view["signals"], "last": kept}, "units": named}


def name_steps(house: House, incident: View) -> View:
    """Name who holds each clock's next step: the role of its rung."""
    roster = house.site.roster
    for step in (clock["next_step"] for clock in incident["clocks"]):
        if step:
            role = roster.role(min(step["rung"], roster.top()))
            step["role"] = role.zh if role else f"第 {step['rung']} 级"
    return incident


def _course(incident: View, clock: View, planned_at: datetime, alerts: tuple[int, int]) -> Course:
    acked = [parse_iso(one["at"]) for one in incident["acked"]]
    return Course(
        parse_iso(clock["started_at"]),
        parse_iso(clock["due_at"]),
        planned_at,
        min(acked, default=None),
        str(incident["holder"] or ""),
        *alerts,
        sum(bool(step["skipped"]) for step in clock["steps"]),
        clock["evidence"] == _SIGNED,
    )


def _starts(now: datetime) -> Iterator[tuple[str, str, datetime]]:
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    yield "day", "今日", midnight
    yield "month", "本月", midnight.replace(day=1)
    yield "year", "今年", midnight.replace(month=1, day=1)


def _span(params: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    """[from, to): a day as `to` is meant whole. Raises Refusal."""
    until = moment(dict(params), "to", "止") or now
    until += timedelta(days=1) if len(params.get("to", "").strip()) == len("2026-01-01") else timedelta(0)
    since = moment(dict(params), "from", "起") or until - HALF_A_YEAR
    if until <= since:
        raise Refusal(f"止 {iso(until)} 不晚于起 {iso(since)}；请核对 from 和 to")
    if until - since > LONGEST:
        raise Refusal("一次最多看三年；请分段查看")
    return since, until


def _stretch(params: Mapping[str, str]) -> Stretch:
    said = params.get("step", "").strip() or Stretch.WEEK.value
    if said not in set(Stretch):
        raise Refusal(f"没有 “{said[:20]}” 这种步长；step 可写 week(按周) 或 month(按月)")
    return Stretch(said)


def _grade(params: Mapping[str, str]) -> Grade | None:
    said = params.get("grade", "").strip()
    if said and said not in set(Grade):
        raise Refusal(f"没有 “{said[:20]}” 这个级别；grade 可写 {'、'.join(Grade)}")
    return Grade(said) if said else None


def _fits(unit: str, grade: Grade | None, one: Ended | Noticed) -> bool:
    return unit in ("", one.unit) and grade in (None, one.grade)


def _by_grade(one: Ended | Noticed) -> tuple[str, str]:
    return one.grade.value, f"{one.grade.value} 级（{one.grade.zh}）"
