"""What the API's lists ask; `flows.office.listing` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class ListingDesk(Protocol):
    """Lists that are read page by page."""

    def incidents(self, state: str, before: str, limit: int, units: frozenset[str] | None = None) -> View:
        """incidents [INCIDENT] opened before incident `before` ("" = the newest), newest first; next (an id | None).
        state: open | closed | all; `units` bounds what may be seen. Raises Unknown for a `before` that is none."""
        ...

    def proposals(self, everything: bool) -> View:
        """proposals [PROPOSAL], newest first: those that wait; with `everything` also what was decided, 500 at most."""
        ...
