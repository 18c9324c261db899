"""Watch: our own official channels, seen publishing. What answers an open incident is proposed as
evidence; where the match is safe it stops the clock (law 8), with the snapshot and its hash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from connectors import http
from connectors.feeds import FeedSource, FeedState, poll
from connectors.ports import ConnectorError
from connectors.watch import OpenIncident, Proposal, propose
from flows.ingest import Tally, due_sources, feed_state, good_row, note_failure
from flows.wiring import House
from models.core.keywords import common_words
from models.core.signals import Batch, RawSignal
from models.core.text import canonical, fingerprint
from models.core.vocabulary import Medium
from models.ledger import acts, duties, incidents, judgements, signals
from models.ledger.incidents import NotAllowed
from models.ledger.store import Connection, Row

TITLES = 60


async def watch(house: House) -> Tally:
    """Poll the official channels that are due; a failure of one is named and stops no other."""
    tally = Tally()
    due = list(due_sources(house, house.site.sources.official))
    if not due:
        return tally
    async with http.open_client(house.guard) as client:
        for source, row in due:
            try:
                asked = FeedSource(source.id, source.name, source.url, Medium.OFFICIAL)
                state = FeedState(**feed_state(row))
                found = await poll(asked, state, house.guard, now=house.time.now(), client=client)
            except ConnectorError as error:
                tally.failed.append(f"{source.name}: {error}")
                await asyncio.to_thread(note_failure, house, source, row, "official", error)
                continue
            await asyncio.to_thread(
                _take, house, source, row, found.batch.signals, asdict(found.state), tally
            )
    return tally


def _take(
    house: House,
    source: Any,
    row: Row[Any] | None,
    entries: Sequence[RawSignal],
    state: dict[str, Any],
    tally: Tally,
) -> None:
    """Stop what these entries answer, and note how far we have read, in one transaction."""
    now = house.time.now()
    with house.store.write() as conn:
        about = [_open_incident(conn, row) for row in incidents.open_ones(conn)]
        for proposal in propose(entries, about, source.name):
            _stop(conn, house, proposal, tally)
        official = Batch(tuple(entries))
        tally.add(signals.collect(conn, now, official, source.id, fingerprint))
        duties.put_source(conn, good_row(source, "official", source.url, now, state))


def _open_incident(conn: Connection, row: Row[Any]) -> OpenIncident:
    times = incidents.known_times(conn, row.id)
    return OpenIncident(
        id=row.id,
        title=row.title,
        started_at=min(times.values(), default=row.opened_at),
        terms=_terms(conn, row.id),
        place=row.place,
    )


def _terms(conn: Connection, incident_id: str) -> tuple[str, ...]:
    """The words its signals share: they name what the incident's own title may leave out."""
    rows = judgements.titles(conn, incident_id, TITLES)
    return common_words(canonical(title) for title in rows)


def _stop(conn: Connection, house: House, proposal: Proposal, tally: Tally) -> None:
    now = house.time.now()
    proof = acts.Proof(
        kind=proposal.kind,
        publisher=proposal.publisher,
        published_at=proposal.published_at or now,
        seen_at=now,
        url=proposal.url,
        snapshot=proposal.snapshot.encode(),
    )
    reason = f"官方渠道发布“{proposal.title}”: {proposal.reason}"
    try:
        acts.stop(conn, now, proposal.incident_id, proof, "huiying", reason)
    except NotAllowed:
        return  # seen before, or before the event began: nothing new to say
    tally.accepted += 1
