"""The desk: what people see and do, the same for the console and the command line.

Implements `connectors.console.desk.Desk`. Acts go straight to the ledger; no Prefect is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from connectors import inbound
from connectors.console.desk import Unknown, Unsigned, View
from flows.collecting import filing, letters
from flows.office import authors, coverage, handling, mine, people_seen, sources_seen, tasking
from flows.office.access import Access
from flows.office.aftermath import Aftermath
from flows.office.assessment import Assessment
from flows.office.auditing import Auditing
from flows.office.board import Boards, name_steps
from flows.office.dossiers import Dossiers
from flows.office.dutylog import DutyLog
from flows.office.files import Files
from flows.office.gauges import Gauges
from flows.office.handling import ACTS, HANDS, Params
from flows.office.incident_seen import IncidentSeen
from flows.office.levels import Levels
from flows.office.listing import Listing
from flows.office.meetings import Meetings
from flows.office.mood import Moods
from flows.office.once import Repeated, as_said, keyed
from flows.office.onelinks import OneLinks
from flows.office.phone import Phone
from flows.office.plainly import in_words, reachable
from flows.office.preferences import Preferences
from flows.office.registers import Registers
from flows.office.reports import Reports
from flows.office.statements import Statements
from flows.office.work import Work
from flows.telling import receiving
from flows.wiring import House
from models.core.boards import EVERYTHING, Wanted
from models.core.vocabulary import ProposalState
from models.ledger import books, captures, incidents, proposals, views
from models.ledger.incidents import NoSuchIncident
from models.ledger.store import Connection
from playbooks.problem import did_you_mean

if TYPE_CHECKING:
    from flows.office.slack import Slacks
    from flows.telling.chats import Chats

UNFOLLOWED = frozenset({"ack", "take", "escalate", "snooze", "update"})
"""The acts that no task hangs on."""


class Desk:
    """A House seen from the desk of a person."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.access = Access(self)
        self.registers, self.assessment = Registers(self), Assessment(self)
        self.aftermath = Aftermath(self)
        self.meetings, self.dossiers = Meetings(self), Dossiers(self)
        self.mood, self.files = Moods(self), Files(self)
        self.phone = Phone(self)
        self.onelinks, self.preferences = OneLinks(self), Preferences(self)
        self.about, self.dutylog = IncidentSeen(self), DutyLog(self)
        self.statements = Statements(self)
        self.levels = Levels(self)
        self.work = Work(self)
        self.auditing, self.listing = Auditing(self), Listing(self)
        self.boards = Boards(self)
        self.reports = Reports(self)
        self.gauges = Gauges(house)

    @cached_property
    def slack(self) -> Slacks:
        from flows.office.slack import Slacks  # Slack's client is loaded for those who have a Slack

        return Slacks(self)

    @cached_property
    def chats(self) -> Chats:
        from flows.telling.chats import Chats

        return Chats(self)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with reachable(), self.house.store.read() as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with reachable(), self.house.store.write() as conn:
            yield conn

    def preparing(self) -> AbstractContextManager[Connection]:
        return self.writing()

    # ── seeing ────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self.house.time.now()

    def revision(self) -> int:
        with self._reading() as conn:
            return views.revision(conn)

    def board(self, wanted: Wanted = EVERYTHING) -> View:
        return self.boards.view(wanted)

    def _with_roles(self, incident: View) -> View:
        return name_steps(self.house, incident)

    def incident(self, incident_id: str) -> View | None:
        try:
            with self._reading() as conn:
                shown = views.incident(conn, incident_id, self.now(), self.house.called)
        except NoSuchIncident:
            return None
        return self._with_roles(shown)

    def face(self, incident_id: str) -> View:
        """The incident without its timeline and signals. Raises NoSuchIncident."""
        with self._reading() as conn:
            shown = views.face(conn, incident_id, self.now(), self.house.called)
        return self._with_roles(shown)

    def mine(self, person_id: str) -> View:
        person = next((p for p in self.people() if p["id"] == person_id), None)
        if person is None:
            raise Unknown(f"值班表里没有 {person_id}")
        with self._reading() as conn:
            view = mine.overview(conn, self.house, person, self.now())
        view["incidents"] = [self._with_roles(one) for one in view["incidents"]]
        return view

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
        with reachable():
            return authors.attempt(self.house, playbook_id, text, params)

    def playbook_act(self, name: str, playbook_id: str, params: Mapping[str, str], by: str) -> View:
        self._known(by)
        with in_words(), reachable():
            return authors.act(self.house, name, playbook_id, params, by)

    def receipts(self, headers: Mapping[str, str], body: bytes) -> View:
        """What a channel tells of its alerts. Raises Unsigned, Unknown, Refusal."""
        with in_words(), reachable():
            try:
                return receiving.take(self.house, headers, body)
            except inbound.Unsigned as error:
                raise Unsigned(str(error)) from None

    def push(self, source: str, headers: Mapping[str, str], body: bytes) -> View:
        """Tickets from another system. Raises Unsigned, Unknown, Unavailable."""
        with reachable():
            return filing.push(self.house, source, headers, body)

    def letters(self, source: str, after: int, settled: bool) -> View:
        with reachable():
            return letters.overview(self.house, source or None, after, settled=settled)

    def letter(self, number: int) -> View | None:
        with reachable():
            return letters.one(self.house, number)

    def letter_act(self, name: str, number: int | None, params: View, by: str) -> View:
        with reachable():
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
            return self.gauges.text(conn, self.now())

    # ── doing ─────────────────────────────────────────────────────────────────────────────────

    def act(self, name: str, incident_id: str, params: Params, by: str, once: str = "") -> View:
        """Carry out one human act; with `once`, a key, the same act a second time changes nothing (`repeated`).
        Raises Refusal with the rule in words, Unknown for what is not."""
        act = ACTS.get(name)
        if act is None:
            raise Unknown(f"没有这个动作: {name}{did_you_mean(name, list(ACTS))}")
        return self.carried_out(name, incident_id, params, by, once, act)

    def carried_out(
        self, name: str, incident_id: str, params: Params, by: str, once: str, act: handling.Act
    ) -> View:
        self._known(by)
        try:
            with in_words():
                desk = keyed(self, once, by, name, incident_id)
                said = as_said(name, params, self.now(), self.house.time.speed)
                done = act(desk, incident_id, said, by)
        except Repeated as again:
            return self.seen(again.incident_id) | {"repeated": True}
        self._follow(name, str(done["id"]))
        return done

    def _follow(self, name: str, incident_id: str) -> None:
        """What a grade, a proof or a waiver asks for or finishes is in the list of tasks at once."""
        if name not in UNFOLLOWED:
            with self.writing() as conn:
                tasking.settle(self.house, conn, incident_id)

    def hand(self, name: str, handover_id: str, params: Params, by: str) -> View:
        """Accept a hand-over, or write a note on it. Raises Refusal and Unknown as `act` does."""
        act = HANDS.get(name)
        if act is None:
            raise Unknown(f"交接没有这个动作: {name}{did_you_mean(name, list(HANDS))}")
        self._known(by)
        with in_words():
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
