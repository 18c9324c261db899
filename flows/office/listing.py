"""The API's lists, read page by page."""

from __future__ import annotations

from connectors.console.desk import View
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core.text import storable
from models.core.vocabulary import ProposalState
from models.ledger import listing, proposals, views


class Listing:
    """The desk's room for lists. Implements `connectors.console.desks.listing.ListingDesk`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def incidents(self, state: str, before: str, limit: int, units: frozenset[str] | None = None) -> View:
        """Raises Unknown for a `before` that is no incident."""
        house, known = self._desk.house, storable(before).removeprefix("舆-")
        with in_words(), reachable(), house.store.read() as conn:
            shown, following = listing.page(conn, state, known, limit, self._desk.now(), house.called, units)
        return {"incidents": shown, "next": following}

    def proposals(self, everything: bool) -> View:
        """What waits for a person's word, or everything."""
        state = None if everything else ProposalState.PENDING
        with reachable(), self._desk.house.store.read() as conn:
            rows = proposals.listed(conn, state)
        return {"proposals": [views.proposal(row, self._desk.house.names) for row in rows]}
