"""The database dies under load; the whole program is killed while tickets come in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from models.ledger import duties
from models.ledger.signals import SIGNAL
from support import postgres
from support.campaign import SPEED, Campaign, column
from support.moody import Moody
from support.ports import free_port
from support.processes import Run, command
from support.sites import write_site
from support.truth import wrong

SHORT_CRASHES, LONG_CRASHES = 2, 25
SHORT_KILLS, LONG_KILLS = 2, 12
TICKETS_EACH = 40
PATIENCE_S = 60.0


def test_a_worker_outlives_the_crashes_of_its_database_and_loses_nothing(
    own_postgres: postgres.Server, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    with Moody(seed) as receiver:
        site = write_site(tmp_path / "site", receiver.url, database=own_postgres.database(), timeout_s=2)
        with Campaign(site, receiver, seed) as campaign:
            campaign.fill()
            _wait_for_beats(campaign)  # a worker that is only starting may end: its keeper starts another
            crashes = LONG_CRASHES if long else SHORT_CRASHES
            for _ in range(crashes):
                campaign.act()
                time.sleep(campaign.dice.uniform(0.2, 1.5))
                own_postgres.stop("immediate")
                own_postgres.start()
            _wait_for_beats(campaign)
            truth = campaign.settle()
            verified = command(site, "verify")
            made = column("postgresql, 1", campaign, truth, verified)
            campaigns.append(made | {"crashes of the database": crashes})
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {seed}"
    assert verified["ok"], f"seed {seed}: {verified['findings']}"


def _wait_for_beats(campaign: Campaign) -> None:
    """The sweep and the senders of the one worker are at work from now on."""
    since, until = campaign.house.time.now(), time.monotonic() + PATIENCE_S
    missing = {"respond", "deliver"}
    while missing:
        assert time.monotonic() < until, f"{missing} did not come back: {campaign.words()}"
        with campaign.house.store.read() as conn:
            beats = {row.name: row.last_good_at for row in duties.all_duties(conn)}
        missing -= {name for name in missing if beats.get(name) and beats[name] > since}
        time.sleep(0.1)


def test_the_whole_program_is_killed_and_no_ticket_and_no_step_is_lost(
    database_url: str, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    lives = LONG_KILLS if long else SHORT_KILLS
    with Moody(seed) as receiver:
        site = write_site(
            tmp_path / "site", receiver.url, database=database_url, timeout_s=2, tickets="tickets"
        )
        with Campaign(site, receiver, seed) as campaign:
            for life in range(lives):
                _tickets(site, life)
                with Run(site, free_port(), speed=SPEED) as run:
                    run.wait_ready()
                    campaign.act()
                    time.sleep(campaign.dice.uniform(0.0, 3.0))
                    run.kill()
                campaign.kills += 1
                campaign.outage(campaign.some_minutes())
            first, second = _import_all(site), _import_all(site)
            truth = campaign.settle()
            verified = command(site, "verify")
            campaigns.append(column(f"{database_url.split(':')[0]}, whole", campaign, truth, verified))
            with campaign.house.store.read() as conn:
                kept = conn.execute(select(func.count()).select_from(SIGNAL)).scalar_one()
    whole = lives * TICKETS_EACH
    assert first["accepted"] + first["duplicate"] == first["read"] == whole
    assert second == {"read": whole, "accepted": 0, "duplicate": whole, "rejected": 0}
    assert kept == whole
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {seed}"
    assert verified["ok"], f"seed {seed}: {verified['findings']}"


def _tickets(site: Path, life: int) -> None:
    lines = [
        json.dumps({"id": f"T{life}-{n}", "title": f"第 {n} 户反映停水", "content": f"幸福路 {n} 号停水一天"})
        for n in range(TICKETS_EACH)
    ]
    (site / "tickets" / f"{life}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def _import_all(site: Path) -> dict[str, int]:
    files = sorted(map(str, (site / "tickets").glob("*.jsonl")))
    counts: dict[str, int] = command(site, "import", "--source", "hotline", *files)
    return counts
