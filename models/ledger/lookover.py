"""Which incidents are worth looking at again: a province has ten thousand open at once, of which few have changed.

What an incident asks for follows from its row, from what was journaled of it, from the playbooks and calendar in
force, and from the hours that have passed. Held in memory alone: a process that starts anew looks at all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.ledger import incidents, journal
from models.ledger.store import Connection, Row

HOUR = timedelta(hours=1)
Face = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Glance:
    """An incident as it is now."""

    id: str
    face: Face


@dataclass
class Lookover:
    """`changed` says which incidents may stand otherwise than when they were last `settled`. `lately`: so long after
    its closing an incident is looked at as well. `there`: all that were looked over, oldest first."""

    lately: timedelta | None = None
    there: Sequence[str] = ()
    _upto: int = 0
    _rules: tuple[object, ...] = ()
    _faces: dict[str, Face] = field(default_factory=dict)

    def changed(self, conn: Connection, at: datetime, *rules: object) -> Sequence[Glance]:
        """All but those that nothing has touched. `rules`: the objects that everything follows from; another one and
        all are looked at. Call it in a read transaction."""
        upto = journal.length(conn)[0]
        if not self._same(rules):
            self._faces.clear()
        for incident_id in journal.touched(conn, self._upto) if self._faces else ():
            self._faces.pop(incident_id, None)
        self._upto, self._rules = upto, rules
        rows = incidents.faces(conn, at - self.lately if self.lately else None)
        there = {row.id: _face(row, at) for row in rows}
        self.there = tuple(there)
        self._faces = {name: face for name, face in self._faces.items() if name in there}
        return [Glance(name, face) for name, face in there.items() if self._faces.get(name) != face]

    def settled(self, one: Glance) -> None:
        """It was looked at, and what was wrong has been mended."""
        self._faces[one.id] = one.face

    def _same(self, rules: tuple[object, ...]) -> bool:
        return len(rules) == len(self._rules) and all(
            a is b or (isinstance(a, int) and a == b) for a, b in zip(rules, self._rules, strict=True)
        )


def _face(row: Row[Any], at: datetime) -> Face:
    """What changes without an entry of its own: its number of signals, and the hours since each of its times."""
    since = (row.opened_at, row.last_signal_at, row.closed_at)
    return row.signal_count, *((at - moment) // HOUR if moment else None for moment in since)
