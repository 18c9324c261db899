"""Workers are killed with SIGKILL at random moments; afterwards nothing is lost, doubled or silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.campaign import Campaign, column
from support.moody import Moody
from support.processes import command
from support.sites import write_site
from support.truth import wrong

SHORT_KILLS, LONG_KILLS = 3, 300
LONGEST_LIFE_S = 1.0


@pytest.mark.parametrize("workers", [1, 2], ids=["one worker", "two at once"])
def test_a_killed_worker_loses_no_step_raises_none_twice_and_says_nothing_under_two_ids(
    workers: int, database_url: str, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    with Moody(seed) as receiver:
        site = write_site(tmp_path / "site", receiver.url, database=database_url, timeout_s=2)
        with Campaign(site, receiver, seed, workers) as campaign:
            campaign.live(LONG_KILLS if long else SHORT_KILLS, LONGEST_LIFE_S)
            truth = campaign.settle()
            verified = command(site, "verify")
            campaigns.append(column(f"{_engine(database_url)}, {workers}", campaign, truth, verified))
    assert campaign.kills >= (LONG_KILLS if long else SHORT_KILLS)
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {seed}"
    assert verified["ok"], f"seed {seed}: {verified['findings']}"
    assert campaign.refused == [], f"seed {seed}: a person was refused"


def _engine(url: str) -> str:
    return url.split(":")[0]
