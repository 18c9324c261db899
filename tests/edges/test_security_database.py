"""Words that a database cannot hold: refused in words on either engine, and never called an outage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.console.deeds import INCIDENT, MANY
from flows.office.desk import Desk
from flows.wiring import House
from support.sites import ENVIRON, write_site

HOSTILE = ("1\\u0000", "\\ud800", "9" * 40, "\\u202e\\ufeff", "'; DROP TABLE journal; --")


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    directory = write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url)
    with House.open(directory, ENVIRON) as opened:
        yield opened


def test_no_word_that_a_database_cannot_hold_breaks_an_act(house: House) -> None:
    incident = str(Desk(house).act("open", "", {"title": "望江路塌陷", "grade": "II"}, "chen")["id"])
    broken = []
    with TestClient(build(Desk(house)), raise_server_exceptions=False) as client:
        for door, deeds in MANY.items():
            for name, deed in deeds.items():
                path = re.sub(
                    r"\{\w+\}", "1", door.replace("{incident_id}", incident).replace("{name}", name)
                )
                for words in HOSTILE:
                    said = ", ".join(f'"{word}": "{words}"' for word in deed.words if word != "cells")
                    body = f'{{"by": "chen"{", " + said if said else ""}}}'
                    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
                    if answer.status_code >= 500:
                        broken.append((path, words, answer.text[:100]))
        assert broken == []
        assert client.get(f"/api/v1/incidents/{incident}").status_code == 200
        assert client.get("/api/v1/audit").status_code == 200
    assert len(INCIDENT) > 10


@pytest.mark.parametrize(
    "path", ["/incidents/%00", "/api/v1/registers/%00", "/?unit=%00", "/api/v1/statements/a%00/package"]
)
def test_no_address_with_a_nul_reaches_the_database(house: House, path: str) -> None:
    with TestClient(build(Desk(house)), raise_server_exceptions=False) as client:
        assert client.get(path).status_code == 400
