"""A desk without a database over an invented night, for the console's tests.

`FakeDesk()` speaks the port of connectors.console.desk: acts change it, its revision grows,
rules refuse. Time stands still unless `running=True`; then `speed` seconds pass in one.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import RLock

from connectors.console.desk import Refusal, Unknown, View
from models.core.boards import EVERYTHING, Wanted
from models.core.moment import iso, parse_iso
from models.core.vocabulary import ClockState, Grade
from support.fake_access import FakeAccess
from support.fake_audit import FakeAuditing
from support.fake_board import FakeBoards, fits, pressing, told
from support.fake_incident import FakeDutyLog, FakeIncidentRoom
from support.fake_night import (
    LADDER,
    NIGHT,
    PEOPLE,
    alerts,
    coverage,
    draft,
    handovers,
    hours,
    incident,
    incidents,
    letter,
    playbook,
    playbooks,
    signal,
    signals,
    signals_list,
    sources,
    tried,
    whole,
)  # fmt: skip
from support.fake_reports import FakeReports


class FakePhone:
    def kit(self) -> View:
        return {"site": "临江市", "publisher": "临江市", "dictation": False}


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
        self.drafts = [draft()]
        self.tried: list[tuple[str, str, dict[str, str]]] = []
        self._incidents = {} if quiet else {i["id"]: i for i in incidents()}
        self._signals = signals()
        self.about = FakeIncidentRoom(self.incident, signals_list())
        self.dutylog = FakeDutyLog()
        self._alerts = [] if quiet else alerts()
        self._handovers = [] if quiet else handovers(NIGHT)
        self.auditing = FakeAuditing()
        self.boards = FakeBoards()
        self.phone = FakePhone()
        self.access = FakeAccess()
        self.reports = FakeReports(incident["id"] for incident in self._incidents.values())

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

    def board(self, wanted: Wanted = EVERYTHING) -> View:
        if self.broken:
            raise RuntimeError(self.broken)
        with self._lock:
            incidents = [self._shown(i) for i in self._incidents.values() if i["stage"] != "closed"]
            fitting = sorted((told(i) for i in incidents if fits(i, wanted)), key=pressing)
            last = None if wanted.limit is None else wanted.offset + wanted.limit
            return {
                "now": iso(self.now()),
                "site": "临江市",
                "speed": self.speed,
                "revision": self._revision,
                "incidents": fitting[wanted.offset : last],
                "found": len(fitting),
                "offset": wanted.offset,
                "units": [{"id": "应急局", "name": "应急局"}],
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
        shown = [self._shown(i) for i in held if i["stage"] != "closed"]
        for one in shown:
            told = {"waits": not one["acked"], "taken": False, "asleep": False, "told_at": iso(self.now())}
            one.update(told, above={"rung": 2, "role": "带班领导", "names": ["李主任"]})
        waiting = sum(one["waits"] for one in shown)
        return {"person": person, "waiting": waiting, "total": len(shown), "left_off": 0, "incidents": shown}

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
        turns = [
            {"from": hours(2 - 12 * n), "to": hours(-10 - 12 * n), "people": [name]}
            for n, name in enumerate(("陈值班", "李主任"))
        ]
        hole = {"from": hours(-22), "to": hours(-34), "people": []}
        return {
            "ladder": rungs,
            "at": iso(self.now()),
            "owner": ["李主任"],
            "absences": [away],
            "week": [{"rung": 1, "role_zh": "值班员", "turns": [*turns, hole]}],
            "overrides": [
                {"rung": 1, "people": ["李主任"], "from": hours(-46), "to": hours(-58), "reason": "对调"}
            ],
            "sensitive": [{"name": "两会", "rungs": [1, 2], "from": hours(-46), "to": hours(-200)}],
            "reach": {
                "at": "16:00",
                "words": "联络测试 2/3 人可达",
                "checked_at": hours(10),
                "people": [
                    {"name": "陈值班", "ok": True, "why": ""},
                    {"name": "赵副", "ok": False, "why": "slack: 查无此人"},
                ],
            },
        }

    def handover(self) -> View:
        with self._lock:
            shown = copy.deepcopy(self._handovers)
        return {
            "at": iso(self.now()),
            "handovers": shown,
            "waiting": [h["id"] for h in shown if h["waiting"]],
        }

    def hand(self, name: str, handover_id: str, params: dict[str, str], by: str) -> View:
        with self._lock:
            self.acts.append((name, handover_id, params, by))
            found = next((h for h in self._handovers if h["id"] == handover_id), None)
            if found is None:
                raise Unknown(f"没有编号为 {handover_id} 的交接")
            if name == "note":
                found["note"] = params["text"]
            elif by not in [person["id"] for person in found["to"]]:
                raise Refusal("接班人是李主任，不能代签")
            else:
                found.update(waiting=False, accepted_at=iso(self.now()), accepted_by="李主任")
            self.touch()
        return self.handover()

    def playbooks(self) -> list[View]:
        return playbooks()

    def playbook(self, playbook_id: str) -> View | None:
        return playbook(self.drafts) if playbook_id == "major_emergency" else None

    def playbook_try(self, playbook_id: str, text: str, params: Mapping[str, str]) -> View:
        self.tried.append((playbook_id, text, dict(params)))
        return tried(text)

    def playbook_act(self, name: str, playbook_id: str, params: Mapping[str, str], by: str) -> View:
        draft = self.drafts[0]
        if name == "approve" and by == draft["author_id"]:
            raise Refusal("送审的人不能审定自己的草案；请另一个人审定")
        if name not in ("submit", "approve"):
            raise Unknown(f"预案没有这个操作: {name}")
        self.acts.append((name, playbook_id, dict(params), by))
        return {
            "id": draft["id"],
            "playbook": playbook_id,
            "version": draft["version"],
            "said": "已送审，请另一个人审定",
        }

    def receipts(self, headers: Mapping[str, str], body: bytes) -> View:
        return {"recorded": 1, "known": 0}

    def snapshot(self, sha256: str) -> tuple[bytes, str] | None:
        return (b"WARC/1.1", "application/warc") if sha256 == "0" * 64 else None

    def push(self, source: str, headers: Mapping[str, str], body: bytes) -> View:
        raise Unknown(f"没有可以推送的信源 “{source}”")

    def letters(self, source: str, after: int, settled: bool) -> View:
        waiting = [{"id": "hotline", "name": "12345 热线", "waiting": 2}]
        return {"sources": waiting, "letters": [letter(1), letter(2, row={})], "more": True}

    def letter(self, number: int) -> View | None:
        return {1: letter(1), 2: letter(2, row={}), 3: letter(3, state="replayed")}.get(number)

    def letter_act(self, name: str, number: int | None, params: View, by: str) -> View:
        with self._lock:
            self.acts.append((name, str(number), params, by))
        return {"said": "收下 1，重复 0，仍读不了 0"}

    def ready(self) -> tuple[bool, list[str]]:
        return (False, [self.broken]) if self.broken else (True, [])

    def metrics(self) -> str:
        return "# TYPE huiying_open_clocks gauge\nhuiying_open_clocks 9\n"

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str, once: str = "") -> View:
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

    def _take(self, incident: View, params: dict[str, str], name: str) -> None:
        incident["acked"].append({"person": name, "name": name, "at": iso(self.now())})
        incident["holder"] = name

    def _escalate(self, incident: View, params: dict[str, str], name: str) -> None:
        incident["told"] = params.get("to", "2")

    def _snooze(self, incident: View, params: dict[str, str], name: str) -> None:
        until = iso(self.now() + timedelta(minutes=int(params.get("minutes", "30"))))
        incident["snoozed"].append({"person": name, "name": name, "until": until})

    def _grade(self, incident: View, params: dict[str, str], name: str) -> None:
        grade = Grade(params["grade"])
        incident.update(grade=grade.value, grade_zh=grade.zh, colour=grade.colour, provisional=False)

    def _stop(self, incident: View, params: dict[str, str], name: str) -> None:
        for clock in incident["clocks"]:
            if clock["state"] in ("running", "at_risk", "breached") and clock["id"] != "acknowledge":
                clock.update(_stopped(ClockState.MET, params["published_at"]), evidence_url=params["url"])
                return

    def _adopt(self, incident: View, params: dict[str, str], name: str) -> None:
        self._stop(incident, {"published_at": iso(self.now()), "url": "https://www.example.gov.cn/1"}, name)

    def _dismiss(self, incident: View, params: dict[str, str], name: str) -> None:
        if not params.get("reason"):
            raise Refusal("请写明为什么不采信")

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
