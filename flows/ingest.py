"""Ingest: feeds and tickets become signals, each exactly once (Kafka: `following`).

Read (the connectors) → decide (is it due, is it new?) → append (signals and the source's state in one
transaction). A source that fails is named with since when; it never stops another.
"""

from __future__ import annotations

import asyncio

from flows.collecting.feeding import ingest_feeds
from flows.collecting.filing import ingest_tickets
from flows.collecting.intake import Tally
from flows.wiring import House


async def ingest(house: House) -> Tally:
    """One round over every source that is due; feeds and files do not wait for one another."""
    tally, files = Tally(), Tally()
    both = await asyncio.gather(
        ingest_feeds(house, tally), asyncio.to_thread(ingest_tickets, house, files), return_exceptions=True
    )
    for failure in both:
        if failure is not None:
            raise failure
    tally.join(files)
    return tally
