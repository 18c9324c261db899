"""A clock that the database refuses stops no other, and people hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from flows.respond import TOPIC, respond
from models.ledger import notices
from models.ledger.outbox import STEP
from models.ledger.store import Unavailable
from support.river_site import Site, at

FIRST = "major_emergency_statement"


def opened(site: Site, title: str = "化工园区火灾") -> str:
    return str(site.desk.act("open", "", {"title": title, "grade": "II"}, "chen")["id"])


def spoil(site: Site, incident: str) -> tuple[str, str]:
    """The next step of this incident's first clock stands there already, as no journal entry wrote it."""
    shown = site.desk.incident(incident)
    assert shown is not None
    clock = min((c for c in shown["clocks"] if c["next_step"]), key=lambda c: c["next_step"]["due_at"])
    row = {
        "clock_id": f"{incident}:{clock['id']}:1",
        "key": clock["next_step"]["key"],
        "incident_id": incident,
        "rung": 1,
        "due_at": site.time.now(),
        "raised_at": site.time.now(),
        "late_ms": 0,
        "skipped": False,
        "reason": "不在日志中",
    }
    with site.house.store.write() as conn:
        conn.execute(insert(STEP).values(row))
    return str(row["clock_id"]), str(clock["next_step"]["key"])


def raised(site: Site, incident: str) -> set[str]:
    return {
        f"{b['clock']['id']} {b['step']['key']}"
        for b in site.bodies()
        if b.get("incident", {}).get("id") == incident
    }


def told(site: Site) -> list[Any]:
    with site.house.store.read() as conn:
        return list(notices.of_topic(conn, TOPIC))


def test_one_bad_clock_holds_up_no_other(site: Site) -> None:
    bad, good = opened(site), opened(site, "另一起事故")
    clock, _ = spoil(site, bad)
    site.time.moment = at("06:00")
    found = respond(site.house)
    assert found.steps > 0
    with site.house.store.read() as conn:
        stepped = {row.clock_id for row in conn.execute(STEP.select().where(STEP.c.raised_at == at("06:00")))}
    assert {one.split(":")[0] for one in stepped} == {bad, good}, "the bad clock's own neighbours speak too"
    assert clock not in stepped


def test_people_hear_of_a_clock_that_cannot_speak_once_an_hour(site: Site) -> None:
    clock, _ = spoil(site, opened(site))
    site.time.moment = at("06:00")
    respond(site.house)
    respond(site.house)
    rows = told(site)
    assert {row.step_key for row in rows} == {f"{clock} 2026-11-21 06"}
    assert len({row.person_id for row in rows}) == len(rows) > 1
    assert "按时限人工跟进" in rows[0].reason
    site.time.moment += timedelta(hours=1)
    respond(site.house)
    assert {row.step_key for row in told(site)} == {f"{clock} 2026-11-21 0{hour}" for hour in (6, 7)}


def test_a_database_that_is_away_is_no_clock_s_fault(site: Site) -> None:
    opened(site)
    site.time.moment = at("06:00")
    url, site.house.store.engine = site.house.store.engine, _nowhere()
    try:
        with pytest.raises(Unavailable):
            respond(site.house)
    finally:
        site.house.store.engine = url
    assert told(site) == []


def _nowhere() -> Any:
    from models.ledger.store import Store

    return Store("postgresql://huiying@127.0.0.1:9/none").engine
