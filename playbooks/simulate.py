"""Who would be told what, when, over which channel: a rehearsal on paper that sends nothing.

Time moves from happening to happening (a step falls due, somebody acknowledges, a grade is set, a proof is
seen); at each the clocks are planned anew by the same core that plans them in the ledger. So the paper shows
what the night would: clocks on the same start after a raised grade, only the latest of several passed
steps, no step after the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from models.core.clock import (
    NO_CALENDAR,
    ClockPlan,
    ClockRule,
    PlannedStep,
    Times,
    met,
    plan,
    steps,
)
from models.core.clock import state as state_of
from models.core.escalate import Telling, escalate
from models.core.roster import Roster
from models.core.situation import Situation
from models.core.vocabulary import ClockState, EvidenceKind, Grade, OpinionKind, StartEvent
from models.core.workdays import Calendar, NoCalendar
from playbooks.book import Library, Playbook

EVERYBODY = "*"
"""In `Scene.answers`: whoever is not named."""

PUBLISHED = frozenset(
    {EvidenceKind.STATEMENT, EvidenceKind.PRESS_CONFERENCE, EvidenceKind.RESPONSE, EvidenceKind.UPDATE}
)
"""What begins the next round of a clock that counts from the last publication (S-024)."""

KNOWN_AT_FIRST = tuple(
    event for event in StartEvent if event.stated and event not in (StartEvent.ACK, StartEvent.GRADED)
)
"""The times that may be known when an incident opens; the others come of our own doing."""

DONE = frozenset({ClockState.MET, ClockState.MET_LATE})


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happens at `at`: a grade or a kind is set, a time becomes known, a proof is seen.

    `clock` with or without `proof`: only this clock is stopped, by what it asks for.
    """

    at: datetime
    grade: Grade | None = None
    kind: OpinionKind | None = None
    known: StartEvent | None = None
    proof: EvidenceKind | None = None
    clock: str | None = None

    @property
    def words(self) -> str:
        """定级 I；凭据 权威信息发布 …"""
        parts = (
            self.grade and f"定级 {self.grade.value}",
            self.kind and f"类别 {self.kind.zh}",
            self.known and f"得知{self.known.zh}时间",
            self.proof and f"凭据 {self.proof.zh}",
            self.clock and f"{self.clock} 有了凭据" if not self.proof else None,
        )
        return "，".join(part for part in parts if part) or "无"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rehearsed. `opens` is when the incident is opened (its times may lie before); `answers` maps
    person id → how long after being told they acknowledge (None: never; nobody named: never). `repeats`
    False: what comes again and again after a limit is left out."""

    situation: Situation
    times: Times
    opens: datetime
    until: datetime
    answers: Mapping[str, timedelta | None] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    playbook: str | None = None
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """One person as a step would reach them: by their first contact."""

    person: str
    name: str
    rung: int
    channel: str
    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One step of one clock on the time line. `late`: how long after its time it is raised, where
    the incident opens, or the clock is planned, after it has passed."""

    at: datetime
    clock: str
    clock_name: str
    step: str
    rung: int
    due_at: datetime
    told: tuple[Told, ...]
    quiet: tuple[str, ...]
    unfilled: tuple[int, ...]
    late: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Span:
    """One clock from its planning to its end, or to the end of the rehearsal."""

    clock: str
    name: str
    playbook: str
    rule: ClockRule
    plan: ClockPlan
    created_at: datetime
    ended_at: datetime | None
    state: ClockState

    @property
    def statutory(self) -> bool:
        return self.rule.statutory


@dataclass(frozen=True, slots=True)
class Happening:
    """What people did or learned, for the line above the clocks. `person` where somebody answers."""

    at: datetime
    words: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The whole answer: lines and clocks in time order, what happened, and why some clocks say nothing.
    `cut`: there would be more lines than were asked for; then the scene ends where they did."""

    scene: Scene
    lines: tuple[Line, ...]
    spans: tuple[Span, ...]
    happenings: tuple[Happening, ...]
    silent: tuple[str, ...]
    cut: bool = False


@dataclass(slots=True)
class _Running:
    """A clock while the rehearsal goes on. `coming`: its steps from `ahead` on; None when no more come."""

    rule: ClockRule
    playbook: Playbook
    plan: ClockPlan
    created_at: datetime
    coming: Iterator[PlannedStep]
    ahead: PlannedStep | None = None
    raised: bool = False
    ended_at: datetime | None = None
    state: ClockState = ClockState.RUNNING

    @property
    def live(self) -> bool:
        return self.ended_at is None

    def owed(self, now: datetime) -> PlannedStep | None:
        """The latest step that has passed by `now`, as `due` decides it in the ledger; each is walked over
        once, so that a long rehearsal takes no longer for each of its steps."""
        latest: PlannedStep | None = None
        while self.ahead is not None and self.ahead.due_at <= now:
            latest, self.ahead = self.ahead, next(self.coming, None)
        return latest

    def end(self, state: ClockState, at: datetime) -> None:
        self.state, self.ended_at, self.ahead = state, at, None

    def stands(self, made: ClockPlan, now: datetime) -> bool:
        """As the ledger decides it (`models.ledger.clocks`): what ended on a start stays ended."""
        if self.state is ClockState.SUPERSEDED or self.plan.started_at != made.started_at:
            return False
        if not self.live:
            return True
        same = self.plan.armed == made.armed or (made.armed and self.plan.due_at <= now)
        return self.plan.due_at == made.due_at and same

    def answers_to(self, proof: EvidenceKind, at: datetime) -> bool:
        """Does such a proof stop it? What a round of 持续发布, or a link of a chain, began with does not."""
        ends_a_round = self.plan.start_event.stated or at > self.plan.started_at
        return self.live and proof in self.plan.evidence and ends_a_round


def rehearse(
    scene: Scene,
    library: Library,
    roster: Roster,
    calendar: Calendar = NO_CALENDAR,
    most: int | None = None,
) -> Rehearsal:
    """Play the scene to its end, or until `most` lines are written. Pure: the same scene gives the same
    answer."""
    return _Night(scene, library, roster, calendar).play(most)


class _Night:
    """The state of one rehearsal; `play` is its only way through."""

    def __init__(self, scene: Scene, library: Library, roster: Roster, calendar: Calendar) -> None:
        self.scene, self.library, self.roster, self.calendar = scene, library, roster, calendar
        self.situation, self.times = scene.situation, dict(scene.times)
        self.clocks: list[_Running] = []
        self.acks: dict[str, datetime] = {}
        self.waiting: dict[str, datetime] = {}
        self.changes = sorted(scene.changes, key=lambda change: change.at)
        self.lines: list[Line] = []
        self.happened: list[Happening] = []
        self.silent: dict[str, str] = {}
        self.refused: set[str] = set()

    def play(self, most: int | None) -> Rehearsal:
        self._replan(self.scene.opens)
        scene, cut = self.scene, False
        while (now := self._next()) is not None and now <= scene.until:
            self._change(now)
            self._acknowledge(now)
            self._raise(now)
            if most is not None and len(self.lines) >= most:
                scene, cut = replace(scene, until=now), True
                break
        return Rehearsal(
            scene,
            tuple(sorted(self.lines, key=lambda line: (line.at, line.due_at, line.clock))),
            tuple(_span(clock, scene.until) for clock in self.clocks),
            tuple(sorted(self.happened, key=lambda each: each.at)),
            tuple(self.silent.values()),
            cut,
        )

    def _next(self) -> datetime | None:
        """When the next thing happens; what lies before the opening happens at it."""
        steps_due = (clock.ahead.due_at for clock in self.clocks if clock.ahead is not None)
        moments = [*(change.at for change in self.changes), *self.waiting.values(), *steps_due]
        return max(self.scene.opens, min(moments)) if moments else None

    # ── what people do ────────────────────────────────────────────────────────────────────────

    def _change(self, now: datetime) -> None:
        while self.changes and self.changes[0].at <= now:
            change = self.changes.pop(0)
            self.happened.append(Happening(now, change.words))
            self._learn(change)
            self._prove(change)
            self._replan(now)

    def _learn(self, change: Change) -> None:
        if change.grade is not None:
            if change.grade > self.situation.grade:  # a graver grade is to be acknowledged anew
                self.times[StartEvent.GRADED] = change.at
            self.situation = replace(
                self.situation, grade=change.grade, event_grade=change.grade, confirmed=True
            )
        if change.kind is not None:
            self.situation = replace(self.situation, kind=change.kind)
        if change.known is not None:
            self.times[change.known] = change.at
            spread = self.situation.spread or change.known is StartEvent.FIRST_PUBLIC
            self.situation = replace(self.situation, spread=spread)

    def _prove(self, change: Change) -> None:
        if change.proof is None and change.clock is None:
            return
        proof = change.proof or self._asked(change.clock)
        for clock in self.clocks:
            meant = change.clock in (None, clock.rule.id)
            if meant and proof is not None and clock.answers_to(proof, change.at):
                clock.end(met(clock.plan.due_at, change.at), change.at)
        if proof in PUBLISHED:
            self.times[StartEvent.LAST_UPDATE] = change.at

    def _asked(self, rule_id: str | None) -> EvidenceKind | None:
        """The first kind of proof that a live clock of this name asks for."""
        asked = [clock.plan.evidence for clock in self.clocks if clock.rule.id == rule_id and clock.live]
        return min(asked[0]) if asked else None

    def _acknowledge(self, now: datetime) -> None:
        for person in [person for person, at in self.waiting.items() if at <= now]:
            del self.waiting[person]
            self.acks[person] = now
            known = self.roster.person(person)
            self.happened.append(Happening(now, f"{known.name if known else person} 签收", person))
            for clock in self.clocks:
                if clock.answers_to(EvidenceKind.ACKNOWLEDGEMENT, now):
                    clock.end(met(clock.plan.due_at, now), now)
            self.times.setdefault(StartEvent.ACK, now)
            self._replan(now)

    # ── what the clocks do ────────────────────────────────────────────────────────────────────

    def _replan(self, now: datetime) -> None:
        self.silent, self.refused = {}, set()
        wanted = dict(self._wanted())
        for rule_id, (book, rule, made) in wanted.items():
            mine = [clock for clock in self.clocks if clock.rule.id == rule_id]
            if not any(clock.stands(made, now) for clock in mine):
                self._supersede(mine, now)
                self.clocks.append(_started(book, rule, made, now, self.scene.repeats))
        kept = {*wanted, *self.refused}
        self._supersede([clock for clock in self.clocks if clock.rule.id not in kept], now)

    def _wanted(self) -> Iterator[tuple[str, tuple[Playbook, ClockRule, ClockPlan]]]:
        for book, rule in self.library.rules(self.situation):
            if self.scene.playbook not in (None, book.id):
                continue
            try:
                made = plan(rule, self.times, self.calendar, self._ends())
            except NoCalendar as lack:
                self.silent[rule.id] = f"{rule.name}: {lack}"
                self.refused.add(rule.id)
                continue
            if made is not None:
                yield rule.id, (book, rule, made)
            if made is None or made.armed:
                self.silent[rule.id] = _why_silent(rule, made)

    def _ends(self) -> dict[str, datetime]:
        """When each clock was met: what the next link of a chain counts from."""
        return {c.rule.id: c.ended_at for c in self.clocks if c.state in DONE and c.ended_at is not None}

    def _supersede(self, clocks: Iterable[_Running], now: datetime) -> None:
        for clock in clocks:
            if clock.live:
                clock.end(ClockState.SUPERSEDED, now)

    def _raise(self, now: datetime) -> None:
        for clock in self.clocks:
            owed = clock.owed(now)
            if owed is not None:
                clock.raised = True
                self._tell(clock, owed, now)

    def _tell(self, clock: _Running, step: PlannedStep, now: datetime) -> None:
        valid = clock.playbook.ack_valid
        repeat = step.key.startswith("+")
        result = escalate(step.rung, self.roster, self.acks, now, repeat=repeat, ack_valid=valid)
        for telling in result.tellings:
            self._will_answer(telling.person.id, clock, now)
        self.lines.append(
            Line(
                at=now,
                clock=clock.rule.id,
                clock_name=clock.rule.name,
                step=step.key,
                rung=step.rung,
                due_at=clock.plan.due_at,
                told=_told(result.tellings),
                quiet=result.quiet,
                unfilled=result.unfilled,
                late=now - step.due_at,
            )
        )

    def _will_answer(self, person: str, clock: _Running, now: datetime) -> None:
        """An answer that is valid still, and given since this clock began, is not given twice."""
        after = self.scene.answers.get(person, self.scene.answers.get(EVERYBODY))
        last = self.acks.get(person)
        given = last is not None and last >= clock.created_at
        fresh = given and last is not None and now - last < clock.playbook.ack_valid
        if after is not None and person not in self.waiting and not fresh:
            self.waiting[person] = now + after


def _started(book: Playbook, rule: ClockRule, made: ClockPlan, now: datetime, repeats: bool) -> _Running:
    coming = steps(made.steps, made.due_at, made.repeat if repeats else None, made.repeat_rung)
    clock = _Running(rule, book, made, now, coming)
    if made.armed:
        clock.state = ClockState.ARMED
    else:
        clock.ahead = next(coming, None)
    return clock


def _told(tellings: Sequence[Telling]) -> tuple[Told, ...]:
    return tuple(
        Told(
            telling.person.id,
            telling.person.name,
            telling.rung,
            telling.person.contacts[0].channel,
            telling.person.contacts[0].address,
            telling.reason,
        )
        for telling in tellings
    )


def _span(clock: _Running, until: datetime) -> Span:
    running = clock.live and clock.state is not ClockState.ARMED
    state = (
        state_of(clock.plan.started_at, clock.plan.due_at, until, clock.raised) if running else clock.state
    )
    return Span(
        clock.rule.id,
        clock.rule.name,
        clock.playbook.id,
        clock.rule,
        clock.plan,
        clock.created_at,
        clock.ended_at,
        state,
    )


def _why_silent(rule: ClockRule, made: ClockPlan | None) -> str:
    if made is None:
        return f"{rule.name}: 自{rule.start.zh}起算，推演中没有这一时间"
    return f"{rule.name}: 预置，尚未传播时不提醒({made.reason})"


def state_at(span: Span, lines: Iterable[Line], at: datetime) -> ClockState | None:
    """The state of a clock at a moment of the rehearsal; None before it is planned."""
    if at < span.created_at:
        return None
    if span.plan.armed and (span.ended_at is None or at < span.ended_at):
        return ClockState.ARMED
    if span.ended_at is not None and span.ended_at <= at:
        return span.state
    raised = any(line.clock == span.clock and line.at <= at for line in lines)
    return state_of(span.plan.started_at, span.plan.due_at, at, raised)


def standing(rehearsal: Rehearsal, clock: str, at: datetime) -> Span | None:
    """The clock of that name as it stood at `at`: the newest that was planned by then."""
    mine = [span for span in rehearsal.spans if span.clock == clock and span.created_at <= at]
    return mine[-1] if mine else None


def moments(lines: Iterable[Line]) -> list[tuple[datetime, list[Line]]]:
    """The lines of each moment together, in time order."""
    found: dict[datetime, list[Line]] = {}
    for line in lines:
        found.setdefault(line.at, []).append(line)
    return list(found.items())


def scene_at(start: datetime, situation: Situation, length: timedelta, playbook: str | None = None) -> Scene:
    """Everything known from `start` on, nobody answers, nothing changes."""
    skipped = (StartEvent.ACK, StartEvent.GRADED)
    times = {event: start for event in StartEvent if event.stated and event not in skipped}
    spread = replace(situation, spread=StartEvent.FIRST_PUBLIC in times)
    return Scene(spread, times, start, start + length, playbook=playbook)
