"""What the manager's board asks beyond the incidents themselves; `flows.office.board` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class BoardDesk(Protocol):
    """SUM: key, name, total, met, late, open_late, waived, on_time (0..1 | None), incidents, mtta_s, first_s,
    first_in, first_all, response_s, response_in, response_all (medians in seconds or None; how many were within
    5 and 48 hours, of how many)."""

    def numbers(self, units: frozenset[str] | None = None) -> View:
        """at, spans [{key (day|month|year), name, since, received, opened, on_time, late, ack_s}]; up to 20
        seconds old. `units` bounds what is counted."""
        ...

    def trends(self, params: Mapping[str, str], units: frozenset[str] | None = None) -> View:
        """from, to, at, step (week|month), step_zh, unit, grade, units [name], whole SUM, stretches [SUM] in
        the order of time, by_unit [SUM], by_grade [SUM]. params: from, to, step, unit, grade; not given, the
        last half year by week. `units` bounds what may be seen. Raises Refusal."""
        ...
