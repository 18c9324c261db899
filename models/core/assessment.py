"""考核: from clocks and register entries to scores, ranks and drafts of accountability. Pure sums.

On time is what was met by its limit; what was waived by then is counted apart. A part in which a unit had nothing
to do brings its full points. Sources: S-120 … S-128, S-133. Points of deductions are proposals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from statistics import median

from models.core.casework import Register
from models.core.vocabulary import ClockState, EvidenceKind

NOBODY = "未定责任单位"
"""The unit of a clock whose incident had no owner."""


class Part(StrEnum):
    """考核部分: what is scored. Response and disclosure together are 政务公开 (S-121)."""

    RESPONSE = "response"
    DISCLOSURE = "disclosure"
    WEBSITE = "website"

    @property
    def zh(self) -> str:
        return {"response": "舆情回应", "disclosure": "政务公开", "website": "网站与新媒体"}[self.value]


class Trigger(StrEnum):
    """问责情形: the four of S-125, and two more that a person alone may state (S-126, S-127)."""

    NOT_PUBLISHED = "not_published"
    NOT_INTERPRETED = "not_interpreted"
    LATE_RESPONSE = "late_response"
    NO_REPLY = "no_reply"
    FALSIFIED = "falsified"
    INACTION = "inaction"

    @property
    def zh(self) -> str:
        return {
            "not_published": "重要信息不发布",
            "not_interpreted": "重大政策不解读",
            "late_response": "热点回应不及时",
            "no_reply": "依申请公开不回复",
            "falsified": "弄虚作假、隐瞒实情",
            "inaction": "不作为、慢作为、乱作为",
        }[self.value]

    @property
    def basis(self) -> str:
        return {
            "falsified": "黔财办〔2017〕14号 (十九)4 S-126",
            "inaction": "西政办发〔2016〕55号 通知五 S-127",
        }.get(self.value, "黔财办〔2017〕14号 (十九)4 S-125")


class Finding(StrEnum):
    """问责建议: what a person has said to a draft."""

    DRAFT = "draft"
    UPHELD = "upheld"
    DROPPED = "dropped"

    @property
    def zh(self) -> str:
        return {"draft": "待决定", "upheld": "予以追究", "dropped": "不予追究"}[self.value]


PART_OF = {
    Register.DISCLOSURE_REQUEST: Part.DISCLOSURE,
    Register.PLAN: Part.DISCLOSURE,
    Register.FINDING: Part.WEBSITE,
    Register.SITE_ERROR: Part.WEBSITE,
}
"""To which part the entries with a limit belong; those of other kinds are not scored."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One clock whose limit fell into the time that is judged."""

    rule_id: str
    name: str
    unit: str
    state: ClockState
    incident: str
    ref: str
    evidence: frozenset[EvidenceKind] = frozenset()
    statutory: bool = False
    took_s: float | None = None
    own: bool = False
    """A limit that the work itself set, or an acknowledgement: shown, not scored."""
    waived_late: bool = False
    """BREACHED because the waiver came when the limit had passed: it excuses, it does not undo."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One register entry with a limit: was it done by it? `ended` None: it is open still."""

    kind: Register
    unit: str
    ref: str
    title: str
    due_at: datetime
    ended: datetime | None
    incident: str | None = None

    @property
    def on_time(self) -> bool:
        return self.ended is not None and self.ended <= self.due_at


@dataclass(frozen=True, slots=True)
class Points:
    """A deduction or a bonus, and where it comes from."""

    unit: str
    why: str
    points: float
    ref: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How the clocks of one rule ended."""

    rule_id: str
    name: str
    met: int = 0
    met_late: int = 0
    breached: int = 0
    waived: int = 0
    waived_late: int = 0
    """Of `breached`: how many were waived when the limit had passed."""

    @property
    def total(self) -> int:
        return self.met + self.met_late + self.breached + self.waived

    @property
    def on_time(self) -> float | None:
        """The share that was met in time, 0..1; None when none counts."""
        return share(self.met, self.met + self.met_late + self.breached)


def share(good: int, all_: int) -> float | None:
    """For showing: what is worked out further starts from the two numbers."""
    return half_up(Decimal(good) / all_, 4) if all_ else None


def half_up(value: Decimal | float, places: int) -> float:
    """As people and workbooks round: 4.465 → 4.47. A float's last bits are no reason to round down."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(round(value, 9)))
    return float(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def tallies(clocks: Iterable[Judged]) -> list[Tally]:
    """One line for each rule, in the order of its id."""
    grouped: dict[str, list[Judged]] = {}
    for clock in clocks:
        grouped.setdefault(clock.rule_id, []).append(clock)
    return [_tally(rule_id, grouped[rule_id]) for rule_id in sorted(grouped)]


def _tally(rule_id: str, clocks: Sequence[Judged]) -> Tally:
    states = [clock.state for clock in clocks]
    return Tally(
        rule_id,
        clocks[-1].name,
        met=states.count(ClockState.MET),
        met_late=states.count(ClockState.MET_LATE),
        breached=states.count(ClockState.BREACHED),
        waived=states.count(ClockState.WAIVED),
        waived_late=sum(clock.waived_late for clock in clocks),
    )


@dataclass(frozen=True, slots=True)
class Weight:
    """A part's share of the year's performance, and its full points out of a hundred."""

    part: Part
    weight: float
    full: float
    basis: tuple[str, ...] = ()


def full_points(weights: dict[Part, float], basis: dict[Part, tuple[str, ...]]) -> tuple[Weight, ...]:
    """Weights → points that sum to 100, as each part's share of all of them."""
    whole = sum(weights.values())
    return tuple(
        Weight(part, weight, round(100 * weight / whole, 4), basis.get(part, ()))
        for part, weight in weights.items()
    )


@dataclass(frozen=True, slots=True)
class Scored:
    """A unit's parts, deductions and bonuses, and what they come to (0..100, bonuses may pass it)."""

    unit: str
    clocks: tuple[Tally, ...]
    own: tuple[Tally, ...]
    parts: tuple[tuple[Part, float, int], ...]
    """part, points, number of cases"""
    deductions: tuple[Points, ...] = ()
    bonuses: tuple[Points, ...] = ()
    score: float = 0.0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Matter:
    """All that is judged."""

    clocks: tuple[Judged, ...] = ()
    kept: tuple[Kept, ...] = ()
    deductions: tuple[Points, ...] = ()
    bonuses: tuple[Points, ...] = ()
    most_bonus: float = field(default=5.0)


def scored(matter: Matter, weights: Sequence[Weight]) -> list[Scored]:
    """Every unit that had anything to do, best first; equal scores share a rank."""
    units = sorted(
        {
            one.unit
            for group in (matter.clocks, matter.kept, matter.deductions, matter.bonuses)
            for one in group
        }
    )
    found = sorted((_unit(unit, matter, weights) for unit in units), key=lambda one: (-one.score, one.unit))
    return [_ranked(one, found) for one in found]


def _ranked(one: Scored, all_: Sequence[Scored]) -> Scored:
    better = sum(other.score > one.score for other in all_)
    return Scored(
        one.unit, one.clocks, one.own, one.parts, one.deductions, one.bonuses, one.score, better + 1
    )


def _unit(unit: str, matter: Matter, weights: Sequence[Weight]) -> Scored:
    clocks = [clock for clock in matter.clocks if clock.unit == unit]
    judged = [clock for clock in clocks if not clock.own]
    kept = [entry for entry in matter.kept if entry.unit == unit]
    parts = tuple(_part(weight, judged, kept) for weight in weights)
    off = tuple(each for each in matter.deductions if each.unit == unit)
    more = tuple(each for each in matter.bonuses if each.unit == unit)
    bonus = min(sum(each.points for each in more), matter.most_bonus)
    score = sum(points for _, points, _ in parts) - sum(each.points for each in off) + bonus
    own = tallies(clock for clock in clocks if clock.own)
    return Scored(unit, tuple(tallies(judged)), tuple(own), parts, off, more, half_up(max(score, 0.0), 2))


def _part(weight: Weight, clocks: Sequence[Judged], kept: Sequence[Kept]) -> tuple[Part, float, int]:
    """The part's points: its full ones times the share that was on time; all of them without a case."""
    if weight.part is Part.RESPONSE:
        counted = [clock.state is ClockState.MET for clock in clocks if clock.state is not ClockState.WAIVED]
    else:
        counted = [entry.on_time for entry in kept if PART_OF.get(entry.kind) is weight.part]
    full = Decimal(repr(weight.full))
    points = full * sum(counted) / len(counted) if counted else full
    return weight.part, half_up(points, 2), len(counted)


def first_statement_median(clocks: Iterable[Judged]) -> float | None:
    """How long the first word took, in seconds: the median of those that were said."""
    took = [
        clock.took_s for clock in clocks if clock.rule_id == "first_statement" and clock.took_s is not None
    ]
    return median(took) if took else None


# ── accountability ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Draft:
    """What looks like one of the four cases; a person decides. `ref` names it once for ever."""

    trigger: Trigger
    unit: str
    ref: str
    why: str
    incident: str | None = None


_WORD = frozenset({EvidenceKind.STATEMENT, EvidenceKind.PRESS_CONFERENCE})
_ANSWER = frozenset({EvidenceKind.RESPONSE, EvidenceKind.CLARIFICATION})


def drafts(clocks: Iterable[Judged], kept: Iterable[Kept]) -> list[Draft]:
    """The four cases of S-125, as far as clocks and entries show them."""
    found = [_draft(clock) for clock in clocks if not clock.own]
    unanswered = [
        Draft(Trigger.NO_REPLY, entry.unit, entry.ref, f"{entry.title}：逾期未答复", entry.incident)
        for entry in kept
        if entry.kind is Register.DISCLOSURE_REQUEST and entry.ended is None
    ]
    return [draft for draft in found if draft is not None] + unanswered


def _draft(clock: Judged) -> Draft | None:
    trigger = _trigger(clock)
    if trigger is None:
        return None
    missed = "逾期后免除" if clock.waived_late else "逾期未完成"
    how = "逾期完成" if clock.state is ClockState.MET_LATE else missed
    return Draft(trigger, clock.unit, clock.ref, f"{clock.name}{how}", clock.incident)


def _trigger(clock: Judged) -> Trigger | None:
    """Statutory limits alone: a site's own stricter ones are no ground."""
    if not clock.statutory or clock.state not in (ClockState.MET_LATE, ClockState.BREACHED):
        return None
    missed = clock.state is ClockState.BREACHED
    if EvidenceKind.INTERPRETATION in clock.evidence:
        return Trigger.NOT_INTERPRETED if missed else None
    if EvidenceKind.REPLY_RECEIPT in clock.evidence and clock.rule_id == "disclosure_reply":
        return Trigger.NO_REPLY if missed else None
    if clock.evidence & _WORD:
        return Trigger.NOT_PUBLISHED if missed else Trigger.LATE_RESPONSE
    return Trigger.LATE_RESPONSE if clock.evidence & _ANSWER else None
