"""Whoever does not hold a duty asks for it now and then, and does not write meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import sealing
from flows.telling import couriers, hooked, lines, publishing, tracing
from flows.wiring import House
from models.ledger import duties
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"
KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


class Counted:
    """A store that counts the transactions that write."""

    def __init__(self, behind: Any) -> None:
        self._behind, self.writes = behind, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def write(self) -> Any:
        self.writes += 1
        return self._behind.write()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A site that tells others in each way; at none of them does anybody answer."""
    city = {"id": "city", "name": "临江市", "relation": "upper", "url": NOBODY}
    site = {
        "levels": {"id": "county", "private_key": "${HUIYING_LEVELS_KEY}"},
        "neighbours": [{**city, "public_key": sealing.public_of(sealing.new_key())}],
        "hooks": [{"id": "gis", "url": NOBODY, "secret": "${HUIYING_OUT}"}],
        "tracing": {"endpoint": f"{NOBODY}/v1/traces"},
        "kafka": {"bootstrap": "127.0.0.1:9", "results": "results"},
    }
    directory = write_site(tmp_path / "site", NOBODY, site=site)
    keys = {"HUIYING_OUT": KEY, "HUIYING_LEVELS_KEY": sealing.new_key()}
    with House.open(directory, ENVIRON | keys) as opened:
        yield opened


Made = Callable[[House], tuple[str, Any]]
MAKERS: dict[str, Made] = {
    "couriers": lambda house: (
        lines.duty(house.site.neighbours[0]), couriers.Courier(house, house.site.neighbours[0])
    ),
    "hooked": lambda house: (hooked.duty(house.site.hooks[0]), hooked.Teller(house, house.site.hooks[0])),
    "publishing": lambda house: (publishing.DUTY, publishing.Herald(house)),
    "tracing": lambda house: (tracing.DUTY, tracing.Teller(house)),
}  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_a_process_without_the_duty_writes_no_more_often_than_one_that_has_it_beats(
    house: House, maker: Made
) -> None:
    name, made = maker(house)
    with house.store.write() as conn:
        assert duties.take(conn, name, house.time.now(), timedelta(minutes=5), "another process")
    counted = Counted(house.store)
    made.house = replace(house, store=counted)  # type: ignore[arg-type]
    for _ in range(5):
        assert not made.step()
    assert counted.writes == 1
