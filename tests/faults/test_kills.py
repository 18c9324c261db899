"""Workers are killed with SIGKILL at random moments; afterwards nothing is lost, doubled or silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.aim import MOMENTS
from support.campaign import Campaign, column
from support.moody import CHAT, NO, Moody
from support.processes import command
from support.sites import write_site
from support.truth import wrong

SHORT_KILLS, LONG_KILLS = 3, 110
SHORT_AIMED, LONG_AIMED = 2, 70
LONGEST_LIFE_S = 0.8
LONGEST_AIM_S = 6.0


@pytest.mark.parametrize("machines", [1, 2], ids=["one machine", "two machines sweeping at once"])
def test_a_killed_worker_loses_no_step_raises_none_twice_and_says_nothing_under_two_ids(
    machines: int, database_url: str, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    with Moody(seed) as receiver:
        site = write_site(tmp_path / "site", receiver.url, database=database_url, timeout_s=2, together=4)
        with Campaign(site, receiver, seed, workers=machines, machines=machines) as campaign:
            campaign.live(LONG_KILLS if long else SHORT_KILLS, LONGEST_LIFE_S)
            for moment in MOMENTS:
                campaign.live_to(LONG_AIMED if long else SHORT_AIMED, moment, LONGEST_AIM_S)
            truth = campaign.settle()
            verified = command(site, "verify")
            campaigns.append(column(f"{_engine(database_url)}, {machines}", campaign, truth, verified))
    assert campaign.kills >= (LONG_KILLS + 2 * LONG_AIMED if long else SHORT_KILLS + 2 * SHORT_AIMED)
    assert all(campaign.aimed[moment] for moment in MOMENTS), f"seed {seed}: {campaign.aimed}"
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {seed}"
    assert verified["ok"], f"seed {seed}: {verified['findings']}"
    assert campaign.refused == [], f"seed {seed}: a person was refused"


def test_a_channel_that_answers_200_and_means_no_loses_nothing_to_the_next_contact(
    database_url: str, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    with Moody(seed) as receiver:
        changes = {"database": database_url, "timeout_s": 2, "slack": f"{receiver.url}{CHAT}"}
        site = write_site(tmp_path / "site", receiver.url, **changes)
        with Campaign(site, receiver, seed) as campaign:
            campaign.live(LONG_KILLS // 3 if long else SHORT_KILLS, LONGEST_LIFE_S)
            truth = campaign.settle()
            verified = command(site, "verify")
            campaigns.append(column(f"{_engine(database_url)}, 200 no", campaign, truth, verified))
    assert receiver.log.answers[NO] > 0
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {seed}"
    assert verified["ok"], f"seed {seed}: {verified['findings']}"


def _engine(url: str) -> str:
    return url.split(":")[0]
