"""A desk without a database over an invented night, for the console's tests.

`FakeDesk()` speaks the port of connectors.console.desk: acts change it, its revision grows,
rules refuse. Time stands still unless `running=True`; then `speed` seconds pass in one.
"""

from __future__ import annotations

import copy
import time
from datetime import datetime, timedelta
from threading import RLock

from connectors.console.desk import Refusal, Unknown, View
from models.core.moment import iso, parse_iso
from models.core.vocabulary import ClockState, Grade
from support.fake_night import (
    LADDER,
    NIGHT,
    PEOPLE,
    alerts,
    coverage,
    entry,
    hours,
    incident,
    incidents,
    playbooks,
    signal,
    signals,
    sources,
    whole,
)  # fmt: skip


class FakeDesk:
    def __init__(
        self, *, speed: float = 1, running: bool = False, quiet: bool = False, healthy: bool = False
    ) -> None:
        self.speed, self._running, self._began = speed, running, time.monotonic()
        self._lock = RLock()
        self._revision = 7
        self.broken: str | None = None
        self.acts: list[tuple[str, str, dict[str, str], str]] = []
        self._healthy = healthy
        self._incidents = {} if quiet else {i["id"]: i for i in incidents()}
        self._signals = signals()
        self._alerts = [] if quiet else alerts()

    def now(self) -> datetime:
        passed = (time.monotonic() - self._began) * self.speed if self._running else 0
        return NIGHT + timedelta(seconds=passed)

    def revision(self) -> int:
        if self.broken:
            raise RuntimeError(self.broken)
        return self._revision

    def touch(self) -> None:
        with self._lock:
            self._revision += 1

    def arrive(self, title: str, source: str = "临江论坛") -> None:
        """One more signal comes in."""
        with self._lock:
            self._signals.insert(0, signal(0, title, "论坛", source, "neg"))
            self.touch()

    def board(self) -> View:
        if self.broken:
            raise RuntimeError(self.broken)
        with self._lock:
            incidents = [self._shown(i) for i in self._incidents.values() if i["stage"] != "closed"]
            return {
                "now": iso(self.now()),
                "site": "临江市",
                "speed": self.speed,
                "revision": self._revision,
                "incidents": incidents,
                "coverage": self._coverage(),
                "recent_alerts": copy.deepcopy(self._alerts[:7]),
                "signals": {
                    "total": 18_264,
                    "today": 340 + len(self._signals),
                    "last": copy.deepcopy(self._signals[:9]),
                },
                "counts": _counts(incidents),
            }

    def incident(self, incident_id: str) -> View | None:
        found = self._incidents.get(incident_id)
        return whole(self._shown(found)) if found else None

    def mine(self, person_id: str) -> View:
        person = next((p for p in PEOPLE if p["id"] == person_id), None)
        if person is None:
            raise Unknown(f"没有 {person_id} 这个人")
        held = [i for i in self._incidents.values() if i["holder"] in ("", person["name"])]
        return {"person": person, "incidents": [self._shown(i) for i in held if i["stage"] != "closed"]}

    def people(self) -> list[View]:
        return copy.deepcopy(PEOPLE)

    def sources(self) -> list[View]:
        return sources(self._healthy)

    def roster(self) -> View:
        rungs: list[View] = []
        for rung, role in LADDER:
            on = [{**p, "channels": ["slack", "短信"], "note": ""} for p in PEOPLE if p["rung"] == rung]
            rungs.append({"rung": rung, "role_zh": role, "people": on})
        away = {"name": "王秘书长", "reason": "出差", "from": hours(-46), "to": hours(-94)}
        return {"ladder": rungs, "at": iso(self.now()), "absences": [away]}

    def playbooks(self) -> list[View]:
        return playbooks()

    def audit(self, limit: int, before_seq: int | None) -> View:
        last = before_seq or 213
        entries = [entry(seq) for seq in range(last - 1, max(0, last - 1 - limit), -1)]
        return {"entries": entries, "verified_at": iso(NIGHT - timedelta(minutes=13)), "ok": True}

    def ready(self) -> tuple[bool, list[str]]:
        return (False, [self.broken]) if self.broken else (True, [])

    def metrics(self) -> str:
        return "# TYPE huiying_open_clocks gauge\nhuiying_open_clocks 9\n"

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        with self._lock:
            self.acts.append((name, incident_id, params, by))
            if name == "open":
                return self._open(params)
            incident = self._incidents.get(incident_id)
            if incident is None:
                raise Unknown(f"没有编号为 {incident_id} 的事件")
            getattr(self, f"_{name}")(incident, params, next(p["name"] for p in PEOPLE if p["id"] == by))
            self.touch()
            return {"id": incident_id, "revision": self._revision}

    def _open(self, params: dict[str, str]) -> View:
        made = incident(f"inc-{len(self._incidents) + 1}", params["title"], Grade(params["grade"]), 0)
        self._incidents[made["id"]] = made
        self.touch()
        return {"id": made["id"]}

    def _ack(self, incident: View, params: dict[str, str], name: str) -> None:
        if incident["acked"]:
            raise Refusal(f"{incident['acked'][0]['name']} 已经签收，不用再签。")
        incident["acked"].append({"person": name, "name": name, "at": iso(self.now())})
        incident["holder"] = name
        for clock in incident["clocks"]:
            if clock["id"] == "acknowledge":
                clock.update(_stopped(ClockState.MET, iso(self.now())))

    def _grade(self, incident: View, params: dict[str, str], name: str) -> None:
        grade = Grade(params["grade"])
        incident.update(grade=grade.value, grade_zh=grade.zh, colour=grade.colour, provisional=False)

    def _stop(self, incident: View, params: dict[str, str], name: str) -> None:
        for clock in incident["clocks"]:
            if clock["state"] in ("running", "at_risk", "breached") and clock["id"] != "acknowledge":
                clock.update(_stopped(ClockState.MET, params["published_at"]), evidence_url=params["url"])
                return

    def _waive(self, incident: View, params: dict[str, str], name: str) -> None:
        for clock in incident["clocks"]:
            if clock["id"] == params["clock"]:
                clock.update(_stopped(ClockState.WAIVED, iso(self.now())))

    def _close(self, incident: View, params: dict[str, str], name: str) -> None:
        running = [c["name"] for c in incident["clocks"] if c["state"] in ("running", "at_risk", "breached")]
        if running:
            raise Refusal(f"还有时钟没有停：{'、'.join(running)}。请先加凭据或免除，再办结。")
        incident.update(stage="closed", stage_zh="办结")

    def _shown(self, incident: View) -> View:
        view = copy.deepcopy(incident)
        for clock in view["clocks"]:
            _at(clock, self.now())
        return view

    def _coverage(self) -> View:
        items = coverage(self._healthy)
        return {"ok": all(i["state"] in ("ok", "off") for i in items), "items": items}


def _stopped(state: ClockState, at: str) -> View:
    return {"state": state.value, "state_zh": state.zh, "met_at": at, "next_step": None}


def _counts(incidents: list[View]) -> View:
    states = [c["state"] for i in incidents for c in i["clocks"]]
    return {
        "open": len(incidents),
        "unacked": sum(not i["acked"] for i in incidents),
        **{name: states.count(name) for name in ("breached", "at_risk", "met", "met_late")},
    }


def _at(clock: View, now: datetime) -> None:
    start, due = parse_iso(clock["started_at"]), parse_iso(clock["due_at"])
    clock["left_s"] = (due - now).total_seconds()
    clock["fraction"] = (now - start) / (due - start)
