"""The disk is full: nothing is lost or doubled, whoever acts is told, and all goes on when there is room."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from support import postgres
from support.campaign import Campaign, column
from support.missing import missing
from support.moody import Moody
from support.processes import command
from support.sites import write_site
from support.small_disk import CannotMount, Disk, small_disk
from support.truth import wrong
from support.waiting import until

SHORT_ROUNDS, LONG_ROUNDS = 2, 8
FULL_S, PATIENCE_S = 1.5, 20.0


@pytest.fixture
def disk() -> Iterator[Disk]:
    try:
        with (
            TemporaryDirectory(prefix="huiying-disk-", ignore_cleanup_errors=True) as folder,
            small_disk(Path(folder), 160) as made,
        ):
            yield made
    except CannotMount as why:
        pytest.skip(str(why))  # a right that CI's user may lack: no part is missing


def rounds(
    campaign: Campaign, count: int, fill: Callable[[], None], free: Callable[[], None], told: bool = True
) -> int:
    """Fill and free the disk under a worker that is at work; how often people were refused meanwhile.
    Where they are `told`, each time at least once: a full disk may have room for a few acts more."""
    for _ in range(count):
        campaign.fill()
        campaign.act()
        fill()
        full_at, before = time.monotonic(), len(campaign.refused)
        length = campaign.dice.uniform(0.5, FULL_S)
        while time.monotonic() < full_at + (
            length if len(campaign.refused) > before or not told else PATIENCE_S
        ):
            campaign.act()
            time.sleep(0.05)
        if campaign.dice.random() < 0.3:
            campaign.alive.pop().kill()
            campaign.kills += 1
        free()
    refused, campaign.refused = campaign.refused, []
    return len(refused)


def proven(campaign: Campaign, site: Path, name: str, refused: int) -> dict[str, Any]:
    """Nothing is wrong when all has settled; the column for the table."""
    truth, verified = campaign.settle(), command(site, "verify")
    assert truth.accepted > 0
    assert wrong(truth) == {}, f"seed {campaign.seed}"
    assert verified["ok"], f"seed {campaign.seed}: {verified['findings']}"
    return column(name, campaign, truth, verified) | {"refused aloud, disk full": refused}


def test_a_full_disk_under_sqlite_loses_nothing(
    disk: Disk, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    with Moody(seed) as receiver:
        url = f"sqlite:///{disk.folder / 'huiying.sqlite'}"
        site = write_site(tmp_path / "site", receiver.url, database=url, timeout_s=2)
        with Campaign(site, receiver, seed) as campaign:
            refused = rounds(campaign, LONG_ROUNDS if long else SHORT_ROUNDS, disk.fill, disk.free)
            campaigns.append(proven(campaign, site, "sqlite, disk full", refused))
    assert refused, "whoever acts on a full disk is told"


def test_a_full_disk_under_postgresql_loses_nothing(
    disk: Disk, tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    try:
        with postgres.server(disk.folder) as server, Moody(seed) as receiver:
            url = server.database()
            site = write_site(tmp_path / "site", receiver.url, database=url, timeout_s=2)
            with Campaign(site, receiver, seed) as campaign:
                refused = rounds(
                    campaign, LONG_ROUNDS if long else SHORT_ROUNDS, disk.fill, lambda: _free(disk, server)
                )
                campaigns.append(proven(campaign, site, "postgresql, disk full", refused))
    except postgres.Missing as why:
        missing(str(why))
    assert refused, "whoever acts on a full disk is told"


def _free(disk: Disk, server: postgres.Server) -> None:
    """Room again; a server that went down for want of it is started, as an operator would."""
    disk.free()
    if not server.is_up():
        server.revive()
    until(server.is_up)


def test_a_worker_that_may_not_write_another_byte_goes_on_when_it_may_again(
    tmp_path: Path, long: bool, seed: int, campaigns: list[dict[str, Any]]
) -> None:
    """The same without root: the kernel refuses the worker's writes beyond a size (EFBIG)."""
    with Moody(seed) as receiver:
        site = write_site(tmp_path / "site", receiver.url, timeout_s=2)
        with Campaign(site, receiver, seed) as campaign:

            def limit(size: int) -> None:
                for worker in campaign.alive:
                    with suppress(ProcessLookupError):  # it could not even begin
                        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

            def fill() -> None:
                limit(4096)

            def free() -> None:
                limit(resource.RLIM_INFINITY)

            rounds(campaign, LONG_ROUNDS if long else SHORT_ROUNDS, fill, free, told=False)
            campaigns.append(proven(campaign, site, "sqlite, no more writes", 0))
