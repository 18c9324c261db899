"""The desk: what people see and do, the same for the console and the command line.

Implements `connectors.console.desk.Desk`. Acts go straight to the ledger; no Prefect is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from connectors import inbound
from connectors.console.desk import Refusal, Unavailable, Unknown, Unsigned, View
from flows.collecting import filing, letters
from flows.office import authors, coverage, gauges, people_seen, sources_seen
from flows.office.handling import ACTS, HANDS, Params
from flows.telling import receiving
from flows.wiring import House
from models.core.vocabulary import ProposalState
from models.ledger import books, captures, incidents, proposals, views
from models.ledger.books import NoSuchVersion
from models.ledger.handovers import NoSuchHandover
from models.ledger.incidents import NoSuchIncident, NotAllowed
from models.ledger.receipts import NoSuchAlert
from models.ledger.store import Connection, LedgerError
from playbooks.problem import did_you_mean


@contextmanager
def _reachable() -> Iterator[None]:
    """A database that does not answer, in the console's own words."""
    try:
        yield
    except (NoSuchIncident, NoSuchHandover, NoSuchAlert, NoSuchVersion, NotAllowed):
        raise
    except LedgerError as error:
        raise Unavailable(str(error)) from error


@contextmanager
def _in_words() -> Iterator[None]:
    """What a law forbids and what is not there, as the console knows them."""
    try:
        yield
    except (NoSuchIncident, NoSuchHandover, NoSuchAlert, NoSuchVersion) as error:
        raise Unknown(str(error)) from None
    except (NotAllowed, ValueError) as error:
        raise Refusal(str(error)) from None


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
        return people_seen.people(self.house, self.now())

    def sources(self) -> list[View]:
        with self._reading() as conn:
            return sources_seen.sources(conn, self.house, self.now())

    def roster(self) -> View:
        with self._reading() as conn:
            return people_seen.roster(conn, self.house, self.now())

    def handover(self) -> View:
        with self._reading() as conn:
            return people_seen.handover(conn, self.house, self.now())

    def playbooks(self) -> list[View]:
        with self._reading() as conn:
            return authors.overview(self.house, books.listed(conn))

    def playbook(self, playbook_id: str) -> View | None:
        with self._reading() as conn:
            held = books.held_by(conn, playbook_id)
            return authors.one(self.house, playbook_id, books.listed(conn, playbook_id), held)

    def playbook_try(self, playbook_id: str, text: str, params: Mapping[str, str]) -> View:
        with _reachable():
            return authors.attempt(self.house, playbook_id, text, params)

    def playbook_act(self, name: str, playbook_id: str, params: Mapping[str, str], by: str) -> View:
        self._known(by)
        with _in_words(), _reachable():
            return authors.act(self.house, name, playbook_id, params, by)

    def audit(self, limit: int, before_seq: int | None) -> View:
        from flows.audit import last_verification

        with self._reading() as conn:
            checked = last_verification(conn)
            return {"entries": views.audit(conn, limit, before_seq, self.house.names), **checked}

    def receipts(self, headers: Mapping[str, str], body: bytes) -> View:
        """What a channel tells of its alerts. Raises Unsigned, Unknown, Refusal."""
        try:
            with _in_words(), _reachable():
                return receiving.take(self.house, headers, body)
        except inbound.Unsigned as error:
            raise Unsigned(str(error)) from None

    def push(self, source: str, headers: Mapping[str, str], body: bytes) -> View:
        """Tickets from another system. Raises Unsigned, Unknown, Unavailable."""
        with _reachable():
            return filing.push(self.house, source, headers, body)

    def letters(self, source: str, after: int, settled: bool) -> View:
        with _reachable():
            return letters.overview(self.house, source or None, after, settled=settled)

    def letter(self, number: int) -> View | None:
        with _reachable():
            return letters.one(self.house, number)

    def letter_act(self, name: str, number: int | None, params: View, by: str) -> View:
        with _reachable():
            return letters.act(self.house, name, number, params, by)

    def proposals(self, everything: bool = False) -> list[View]:
        """Publications that wait for a person's word; with `everything` also what was decided."""
        state = None if everything else ProposalState.PENDING
        with self._reading() as conn:
            return [views.proposal(row, self.house.names) for row in proposals.listed(conn, state)]

    def snapshot(self, sha256: str) -> tuple[bytes, str] | None:
        with self._reading() as conn:
            return captures.snapshot(conn, sha256)

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
        self._known(by)
        with _in_words():
            return act(self, incident_id, params, by)

    def hand(self, name: str, handover_id: str, params: Params, by: str) -> View:
        """Accept a hand-over, or write a note on it. Raises Refusal and Unknown as `act` does."""
        act = HANDS.get(name)
        if act is None:
            raise Unknown(f"交接没有这个动作: {name}{did_you_mean(name, list(HANDS))}")
        self._known(by)
        with _in_words():
            act(self, handover_id, params, by)
        return self.handover()

    def _known(self, by: str) -> None:
        if by not in self.house.names or by == "huiying":
            raise Unknown(
                f"值班表里没有 {by}{did_you_mean(by, list(self.house.names))}；请写 roster.yaml 中的人员标识"
            )

    def write(self, what: Callable[..., Any], incident_id: str, *args: Any, **more: Any) -> Any:
        with self.writing() as conn:
            resolved = incidents.get(conn, incident_id).id
            return what(conn, self.now(), resolved, *args, **more)

    def seen(self, incident_id: str) -> View:
        shown = self.incident(incident_id)
        assert shown is not None
        return shown
