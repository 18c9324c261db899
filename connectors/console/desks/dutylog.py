"""What the log of duty asks; `flows.office.dutylog` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class DutyLogDesk(Protocol):
    """SHIFT: id, since, until, over (it has ended), people [name], ladder [{rung, role_zh, people [name]}], counts
    {signals, media [[zh, n]], opened and closed [{id, ref, title, grade, grade_zh}], late [{incident_id, ref, clock,
    due_at}], evidence, alerts, dead}, handover {id, accepted_by, accepted_at, note} | None, lines [{at, kind, kind_zh,
    text, by, incident_id, ref}], more (lines that are not shown), notes [{at, by, text, after}], signed {by, at, words,
    head {seq, hash}} | None."""

    def log(self, day: str = "") -> View:
        """day (2026-11-21; without one today), before and after (the days beside it; after is None for tomorrow), now,
        shifts [SHIFT] that have begun, oldest first. Raises Refusal."""
        ...

    def act(self, name: str, params: Mapping[str, str], by: str) -> View:
        """note {shift?, text}, sign {shift, reason?}; a note without a shift is the running one's. The answer is the
        day's `log` with `said`. Raises Refusal, Unknown."""
        ...
