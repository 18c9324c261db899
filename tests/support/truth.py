"""What must be so after any fault, read from the database, its journal and the receiver's log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Row, select

from models.core.vocabulary import AlertKind, AlertState
from models.ledger import clocks, journal
from models.ledger.outbox import ALERT, STEP
from models.ledger.store import Store
from support.moody import Log


@dataclass(frozen=True, slots=True)
class Truth:
    """Counts. The first block is the size of the play; every one of the second must be 0."""

    clocks: int
    steps_raised: int
    steps_caught_up: int
    alerts: int
    accepted: int
    withdrawn: int
    taken_twice: int

    steps_lost: int
    raised_twice: int
    alerts_missing: int
    alerts_waiting: int
    alerts_dead: int
    accepted_unseen: int
    sent_unrecorded: int
    resent_under_another_id: int
    resent_under_another_ref: int
    forged: int


WRONG = tuple(Truth.__dataclass_fields__)[7:]


def wrong(truth: Truth) -> dict[str, int]:
    """What is not as it must be: empty when all is well."""
    return {name: count for name, count in asdict(truth).items() if name in WRONG and count}


def look(store: Store, log: Log, now: datetime) -> Truth:
    """Read everything at `now`, when nothing moves any more."""
    with store.read() as conn:
        rows = conn.execute(select(clocks.CLOCK)).all()
        steps = conn.execute(select(STEP)).all()
        alerts = conn.execute(select(ALERT)).all()
        of_steps = [alert for alert in alerts if alert.kind == AlertKind.STEP.value]
        told = list(_told(journal.entries(conn, kind="step_raised")))
    states = Counter(alert.state for alert in alerts)
    accepted = {alert.id for alert in alerts if alert.state == AlertState.ACCEPTED.value}
    return Truth(
        clocks=len(rows),
        steps_raised=sum(not step.skipped for step in steps),
        steps_caught_up=sum(step.skipped for step in steps),
        alerts=len(alerts),
        accepted=len(accepted),
        withdrawn=states[AlertState.WITHDRAWN.value],
        taken_twice=sum(count > 1 for count in log.taken.values()),
        steps_lost=sum(len(lost) for lost in _lost(rows, steps, now)),
        raised_twice=sum(count - 1 for count in Counter(step for step, _ in told).values()),
        alerts_missing=sum(people for _, people in told) - len(of_steps),
        alerts_waiting=states[AlertState.QUEUED.value],
        alerts_dead=states[AlertState.DEAD.value],
        accepted_unseen=sum(not log.taken[one] for one in accepted),
        sent_unrecorded=len(log.known - {alert.id for alert in alerts}),
        resent_under_another_id=sum(len(ids) > 1 for ids in log.ids.values()),
        resent_under_another_ref=sum(len(refs) > 1 for refs in log.refs.values()),
        forged=log.forged,
    )


def _told(entries: Iterator[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], int]]:
    """Each step that the journal says was raised or caught up, with how many people it tells."""
    for row in entries:
        payload = json.loads(row["payload"])
        for step in payload["insert"]["step"]:
            people = 0 if step["skipped"] else len(payload["told"])
            yield (step["clock_id"], step["key"]), people


def _lost(rows: Any, steps: Any, now: datetime) -> Iterator[list[str]]:
    """Of each clock the steps that have passed without a trace."""
    raised: dict[str, set[str]] = {}
    for step in steps:
        raised.setdefault(step.clock_id, set()).add(step.key)
    for row in rows:
        yield _lost_of(row, raised.get(row.id, set()), now)


def _lost_of(row: Row[Any], raised: set[str], now: datetime) -> list[str]:
    """An open clock owes every step up to now; an ended one every step before its last raised one."""
    until = now if row.ended_at is None else row.ended_at
    passed = [step.key for step in takewhile(lambda step: step.due_at <= until, clocks.sequence(row))]
    if row.ended_at is not None:
        last = max((place for place, key in enumerate(passed) if key in raised), default=-1)
        passed = passed[: last + 1]
    return [key for key in passed if key not in raised]
