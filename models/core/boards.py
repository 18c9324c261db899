"""What somebody wants of the board: whose incidents, which of them, and which stretch of the list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from models.core.vocabulary import Grade

UNGIVEN = "-"
"""As a unit: the incidents that nobody was given yet."""
NO_KIND = "-"
"""As a kind: the incidents whose kind nobody knows yet."""


class Standing(StrEnum):
    """状态筛选: how an incident stands, by its open clocks and by who has taken notice."""

    BREACHED = "breached"
    AT_RISK = "at_risk"
    RUNNING = "running"
    UNACKED = "unacked"
    UNTIMED = "untimed"

    @property
    def zh(self) -> str:
        return {
            "breached": "有逾期",
            "at_risk": "有临期",
            "running": "计时中",
            "unacked": "未签收",
            "untimed": "没有在走的时钟",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter of the board; the empty one wants everything.

    `units` bounds what an account may see at all (None: everything; `UNGIVEN` in it: also what nobody was
    given); the other fields are what a person chose. `standings` are alternatives, as are grades and kinds.
    """

    units: frozenset[str] | None = None
    unit: str = ""
    grades: frozenset[Grade] = frozenset()
    standings: frozenset[Standing] = frozenset()
    kinds: frozenset[str] = frozenset()
    text: str = ""
    ids: frozenset[str] | None = None
    offset: int = 0
    limit: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether a person chose anything."""
        return bool(self.unit or self.grades or self.standings or self.kinds or self.text)


EVERYTHING = Wanted()
