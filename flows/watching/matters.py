"""What is open, as publications are compared with it: kept in memory, and made anew of what something has touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.core.answers import OpenIncident
from models.core.keywords import common_words
from models.core.text import canonical
from models.ledger import incidents, judgements
from models.ledger.lookover import Lookover
from models.ledger.store import Connection, Row

TITLES = 60


@dataclass
class Matters:
    """One for each process (`House.matters`): a province has ten thousand of them open, and publishes every few
    minutes."""

    over: Lookover = field(default_factory=Lookover)
    known: dict[str, OpenIncident] = field(default_factory=dict)

    def open(self, conn: Connection, now: datetime) -> list[OpenIncident]:
        """Every open incident, oldest first."""
        changed = self.over.changed(conn, now)
        for one in changed:
            self.known[one.id] = _matter(conn, incidents.get(conn, one.id))
            self.over.settled(one)
        self.known = {name: self.known[name] for name in self.over.there}
        return list(self.known.values())


def _matter(conn: Connection, row: Row[Any]) -> OpenIncident:
    times = incidents.known_times(conn, row.id)
    titles = [canonical(title) for title in judgements.titles(conn, row.id, TITLES)]
    return OpenIncident(
        id=row.id,
        title=row.title,
        started_at=min(times.values(), default=row.opened_at),
        terms=common_words(titles),  # they name what the incident's own title may leave out
        place=row.place,
        reports=" ".join(titles),
    )
