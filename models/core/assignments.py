"""任务: what the playbooks ask to be done, when it is due, and what proof stands for it.

黔财办〔2017〕14号 (七)2–3 (S-013, S-030…S-041), 大理州2022年要点 五(四) (S-130).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.core.clock import Amount
from models.core.vocabulary import EvidenceKind, OpinionKind, StartEvent
from models.core.workdays import Calendar, NoCalendar, WorkingDays, deadline

FIRST_SPOKESPERSON = frozenset({"S-012", "S-013"})
"""The facts that ask for the first spokesperson 第一新闻发言人."""
OWNER_WORDS = ("涉事责任部门", "涉事责任处室", "承办单位", "牵头部门", "涉事单位")
"""What playbooks call whichever unit leads the incident."""


def whose(unit: str | None, owner: str | None) -> str | None:
    """Whose a task is: what a playbook leaves open, or leaves to whoever is concerned, is the owner's."""
    return owner if not unit or unit in OWNER_WORDS else unit


@dataclass(frozen=True, slots=True)
class Want:
    """One task as a playbook states it. `key` makes it once in its incident; `owner`: a unit in the document's
    words, or a role's; `must`: the incident does not close before it is done or struck off; `party`: who is
    to be told, for a notification."""

    key: str
    name: str
    source: str
    basis: tuple[str, ...] = ()
    owner: str = ""
    due: Amount | None = None
    since: StartEvent | None = None
    evidence: EvidenceKind | None = None
    must: bool = False
    party: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """通报: parties who are told at the same time, and by how much they may differ (S-041). `evidence`: the
    receipt that each leaves, None where none is asked for."""

    playbook: str
    number: int
    parties: tuple[str, ...]
    skew: timedelta | None
    evidence: EvidenceKind | None
    basis: tuple[str, ...] = ()

    def key(self, party: str) -> str:
        return f"{self.playbook}:notify{self.number}:{party}"


def due_at(
    want: Want, times: Mapping[StartEvent, datetime], began: datetime, calendar: Calendar
) -> datetime | None:
    """When it is due, counted from its own start, else from `began`. None: no limit, or no calendar."""
    start = times.get(want.since, began) if want.since else began
    if isinstance(want.due, WorkingDays):
        try:
            return deadline(start, want.due, calendar)
        except NoCalendar:
            return None
    return start + want.due if want.due is not None else None


_STANDS_FOR = {EvidenceKind.RESPONSE: frozenset({EvidenceKind.STATEMENT})}
"""The 48 hours of 国办发〔2016〕61号 end on either."""
_INTERIM = frozenset({EvidenceKind.UPDATE, EvidenceKind.INVESTIGATION})
"""A major problem may be answered by what is known so far (the study's 1.1, S-032)."""


def accepted(wanted: EvidenceKind, kind: OpinionKind | None) -> frozenset[EvidenceKind]:
    """The kinds of proof that stand for the wanted one in an incident of this kind of opinion."""
    interim = kind is OpinionKind.MAJOR_PROBLEM and wanted is EvidenceKind.STATEMENT
    return frozenset({wanted}) | _STANDS_FOR.get(wanted, frozenset()) | (_INTERIM if interim else frozenset())


@dataclass(frozen=True, slots=True)
class Skew:
    """How far apart the parties were told. `within` None: not all have been told, or no bound is set."""

    first: datetime | None
    last: datetime | None
    within: bool | None

    @property
    def apart(self) -> timedelta:
        return self.last - self.first if self.first and self.last else timedelta(0)


def skew(told: Mapping[str, datetime], parties: Iterable[str], allowed: timedelta | None) -> Skew:
    """The receipts of the parties judged against the allowed skew (S-041)."""
    wanted = tuple(parties)
    moments = sorted(told[party] for party in wanted if party in told)
    if not moments:
        return Skew(None, None, None)
    whole = len(moments) == len(wanted) and allowed is not None
    apart = moments[-1] - moments[0]
    return Skew(moments[0], moments[-1], apart <= allowed if whole and allowed is not None else None)
