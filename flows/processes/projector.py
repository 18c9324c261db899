"""The story of the night in Prefect: one recorded run for each raised step and each batch of work.

Reads the journal after the last entry told, and records runs as already completed. The key of a run
is the journal's own sequence number, so telling twice records once. It is never in the way: when
Prefect is slow the story comes later, when it is down the story waits in the journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import FlowCreate, FlowRunCreate
from prefect.states import Completed, to_state_create

from flows.wiring import House
from models.ledger import duties, journal
from models.ledger.words import KINDS, told

KEY = "projected"
BATCH = 50
FLOW_OF = {
    "signals_collected": "ingest",
    "signals_judged": "triage",
    "incident_opened": "triage",
    "step_raised": "respond",
    "alert_dead": "deliver",
    "evidence_added": "watch",
    "evidence_retracted": "watch",
    "acknowledged": "respond",
    "taken": "respond",
    "escalated": "respond",
    "grade_confirmed": "respond",
    "handover_written": "handover",
    "handover_accepted": "handover",
}


async def project(house: House, client: PrefectClient) -> int:
    """Record what the journal has told since last time; returns how many runs were recorded."""
    with house.store.read() as conn:
        told_to = (duties.get_setting(conn, KEY) or {"seq": 0})["seq"]
        rows = list(_slice(conn, told_to))
    for row in rows:
        if row["kind"] in FLOW_OF:
            await _record(client, row, house)
    if rows:
        with house.store.write() as conn:
            duties.put_setting(conn, KEY, {"seq": rows[-1]["seq"]})
    return len(rows)


def _slice(conn: Any, after: int) -> Iterator[dict[str, Any]]:
    for count, row in enumerate(journal.entries(conn, after, BATCH)):
        if count == BATCH:
            return
        yield row


async def _record(client: PrefectClient, row: dict[str, Any], house: House) -> None:
    flow = await client.request(
        "POST", "/flows/", json=FlowCreate(name=FLOW_OF[row["kind"]]).model_dump(mode="json")
    )
    words = told(journal.as_entry(row), house.called)
    run = FlowRunCreate(
        flow_id=flow.json()["id"],
        name=f"{KINDS[row['kind']]} · {row['incident_id'] or '—'} · {words}"[:200],
        tags=[tag for tag in ("journal", row["kind"], row["incident_id"]) if tag],
        idempotency_key=f"journal-{house.site.name}-{row['seq']}-{row['hash'][:12]}",
        state=to_state_create(Completed(message=row["reason"] or words)),
    )
    await client.request("POST", "/flow_runs/", json=run.model_dump(mode="json", exclude_unset=True))
