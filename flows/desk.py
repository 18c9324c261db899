"""The desk: what people see and do, the same for the console and the command line.

Implements `connectors.console.desk.Desk`. Acts go straight to the ledger; no Prefect is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from connectors.console.desk import Refusal, Unavailable, Unknown, View
from flows import coverage, gauges
from flows.handling import ACTS, Params
from flows.wiring import House
from models.core.moment import span
from models.ledger import incidents, views
from models.ledger.incidents import NoSuchIncident, NotAllowed
from models.ledger.store import Connection, LedgerError
from playbooks.problem import did_you_mean


@contextmanager
def _reachable() -> Iterator[None]:
    """A database that does not answer, in the console's own words."""
    try:
        yield
    except (NoSuchIncident, NotAllowed):
        raise
    except LedgerError as error:
        raise Unavailable(str(error)) from error


class Desk:
    """A House seen from the desk of a person."""

    def __init__(self, house: House) -> None:
        self.house = house

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _reachable(), self.house.store.read() as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with _reachable(), self.house.store.write() as conn:
            yield conn

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self.house.time.now()

    def revision(self) -> int:
        with self._reading() as conn:
            return views.revision(conn)

    def board(self) -> View:
        now = self.now()
        with self._reading() as conn:
            shown = views.board(conn, now, self.house.names)
            return {
                "now": now.isoformat(timespec="milliseconds"),
                "site": self.house.site.name,
                "speed": self.house.time.speed,
                "revision": views.revision(conn),
                "incidents": [self._with_roles(incident) for incident in shown],
                "coverage": coverage.report(conn, self.house, now),
                "recent_alerts": views.recent_alerts(conn, 30),
                "signals": views.recent_signals(conn, now, 30),
                "counts": views.counts(shown),
            }

    def _with_roles(self, incident: View) -> View:
        """Name who holds each clock's next step: the role of its rung."""
        for clock in incident["clocks"]:
            step = clock["next_step"]
            if step:
                role = self.house.site.roster.role(min(step["rung"], self.house.site.roster.top()))
                step["role"] = role.zh if role else f"第 {step['rung']} 级"
        return incident

    def incident(self, incident_id: str) -> View | None:
        try:
            with self._reading() as conn:
                shown = views.incident(conn, incident_id, self.now(), self.house.names)
        except NoSuchIncident:
            return None
        return self._with_roles(shown)

    def mine(self, person_id: str) -> View:
        person = next((p for p in self.people() if p["id"] == person_id), None)
        if person is None:
            raise Unknown(f"值班表里没有 {person_id}")
        asked = {alert["incident_id"] for alert in self._alerts_of(person_id)}
        shown = [i for i in self.board()["incidents"] if i["id"] in asked or self._holds(i, person_id)]
        return {"person": person, "incidents": shown}

    def _alerts_of(self, person_id: str) -> list[View]:
        with self._reading() as conn:
            return [a for a in views.recent_alerts(conn, 500) if a["person"] == person_id]

    @staticmethod
    def _holds(incident: View, person_id: str) -> bool:
        return any(ack["person"] == person_id for ack in incident["acked"])

    def people(self) -> list[View]:
        roster, now = self.house.site.roster, self.now()
        rungs = {
            p.id: r.rung
            for r in sorted(roster.ladder, key=lambda r: -r.rung)
            for p in roster.on_duty(r.rung, now)
        }
        listed = []
        for person in roster.people:
            rung = rungs.get(person.id)
            role = roster.role(rung) if rung else None
            unit = roster.unit(person.unit)
            listed.append(
                {
                    "id": person.id,
                    "name": person.name,
                    "unit": unit.name if unit else person.unit,
                    "role_zh": role.zh if role else "不在班",
                    "rung": rung,
                }
            )
        return sorted(listed, key=lambda p: (p["rung"] is None, p["rung"] or 0))

    def sources(self) -> list[View]:
        with self._reading() as conn:
            return coverage.sources(conn, self.house, self.now())

    def roster(self) -> View:
        roster, now = self.house.site.roster, self.now()
        return {
            "at": now.isoformat(timespec="seconds"),
            "ladder": [
                {
                    "rung": rung.rung,
                    "role_zh": rung.role.zh,
                    "people": [
                        {
                            "id": p.id,
                            "name": p.name,
                            "unit": u.name if (u := roster.unit(p.unit)) else p.unit,
                            "channels": [c.channel for c in p.contacts],
                            "note": "",
                        }
                        for p in roster.on_duty(rung.rung, now)
                    ],
                }
                for rung in sorted(roster.ladder, key=lambda r: r.rung)
            ],
            "absences": [
                {
                    "name": self.house.names.get(a.person, a.person),
                    "from": a.since.isoformat(),
                    "to": a.until.isoformat(),
                    "reason": f"代班 {self.house.names.get(a.substitute, a.substitute)}"
                    if a.substitute
                    else "",
                }
                for a in roster.absences
                if a.until > now
            ],
        }

    def playbooks(self) -> list[View]:
        return [
            {
                "id": book.id,
                "name": book.name,
                "version": book.version,
                "trigger": book.trigger.text,
                "clocks": [
                    {
                        "id": clock.rule.id,
                        "name": clock.rule.name,
                        "amount_zh": span(clock.rule.amount.total_seconds()),
                        "start_zh": clock.rule.start.zh,
                        "statutory": clock.rule.statutory,
                        "basis": [str(basis) for basis in clock.rule.basis],
                        "steps": [f"{step.key} → 第 {step.rung} 级" for step in clock.rule.steps],
                        "evidence_zh": [kind.zh for kind in sorted(clock.rule.evidence)],
                    }
                    for clock in book.clocks
                ],
            }
            for book in self.house.site.library.playbooks
        ]

    def audit(self, limit: int, before_seq: int | None) -> View:
        from flows.audit import last_verification

        with self._reading() as conn:
            checked = last_verification(conn)
            return {"entries": views.audit(conn, limit, before_seq, self.house.names), **checked}

    def ready(self) -> tuple[bool, list[str]]:
        with self._reading() as conn:
            report = coverage.report(conn, self.house, self.now())
        bad = [item for item in report["items"] if item["state"] in ("down", "late")]
        return not bad, [f"{item['label']}: {item['detail']}" for item in bad]

    def metrics(self) -> str:
        with self._reading() as conn:
            return gauges.text(conn, self.house, self.now())

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str, incident_id: str, params: Params, by: str) -> View:
        """Carry out one human act. Raises Refusal with the rule in words, Unknown for what is not."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"没有这个动作: {name}{did_you_mean(name, list(ACTS))}")
        if by not in self.house.names or by == "huiying":
            raise Unknown(
                f"值班表里没有 {by}{did_you_mean(by, list(self.house.names))}；请写 roster.yaml 中的人员标识"
            )
        try:
            return act(self, incident_id, params, by)
        except NoSuchIncident as error:
            raise Unknown(str(error)) from None
        except (NotAllowed, ValueError) as error:
            raise Refusal(str(error)) from None

    def write(self, what: Callable[..., Any], incident_id: str, *args: Any, **more: Any) -> Any:
        with self.writing() as conn:
            resolved = incidents.get(conn, incident_id).id
            return what(conn, self.now(), resolved, *args, **more)

    def seen(self, incident_id: str) -> View:
        shown = self.incident(incident_id)
        assert shown is not None
        return shown
