"""Real texts that nobody here wrote, whole: every row is accounted for, and nothing is quoted.

The data stays outside of the repository (`HUIYING_DATA`, else ../shared/data beside it).
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from flows.wiring import House
from models.ledger.signals import SIGNAL, waiting
from support.cli import Cli
from support.sites import ENVIRON, write_site

ROOT = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"


def data(name: str) -> Path:
    """A file of the evaluation data, which is never part of the repository; CI has none either."""
    root = Path(os.environ.get("HUIYING_DATA") or ROOT.parent / "shared" / "data")
    found = next((path for path in (root / "dev" / name, root / name) if path.is_file()), None)
    if found is None:
        pytest.skip(f"no {name} under {root}; HUIYING_DATA names the evaluation data")
    return found


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(write_site(tmp_path / "site", NOBODY))


def stored(cli: Cli) -> tuple[int, int]:
    """Signals in the ledger, and how many of them nobody has judged."""
    with House.open(cli.site, ENVIRON) as house, house.store.read() as conn:
        return conn.execute(select(func.count()).select_from(SIGNAL)).scalar_one(), waiting(conn)


@pytest.mark.parametrize(("name", "size"), [("topic_raw.jsonl.gz", 453), ("reply_a4_to2018.jsonl.gz", 1926)])
def test_a_real_file_goes_through_import_and_triage_whole(cli: Cli, name: str, size: int) -> None:
    path = str(data(name))
    first = cli("import", path).value
    assert first["read"] == size
    assert first["accepted"] + first["duplicate"] + first["rejected"] == size
    assert first["accepted"] > 0.9 * size
    assert stored(cli) == (first["accepted"], first["accepted"])

    again = cli("import", path).value
    assert again == {
        "read": size,
        "accepted": 0,
        "duplicate": size - first["rejected"],
        "rejected": first["rejected"],
    }
    assert stored(cli)[0] == first["accepted"]

    assert cli.json("triage")["judged"] == first["accepted"]
    assert stored(cli) == (first["accepted"], 0)
    found = cli.json("verify")
    assert (found["ok"], found["findings"]) == (True, [])


def test_old_messages_open_no_incident(cli: Cli) -> None:
    cli("import", str(data("reply_a4_to2018.jsonl.gz")))
    assert cli.json("triage")["opened"] == 0  # they are history: no clock may start for them
    assert cli.json("board")["incidents"] == []


def test_a_day_of_hot_search_is_answered_line_by_line_in_order(tmp_path: Path) -> None:
    day = max(rows(data("hotsearch_to_2025-08.jsonl.gz")), key=lambda row: row["day"])
    titles = [(clock, title) for clock, seen in day["seen"] for title in seen]
    assert titles
    lines = [
        {
            "id": f"h{n}",
            "title": title,
            "channel": "hot_search",
            "published_at": f"{day['day']}T{clock}:00+08:00",
        }
        for n, (clock, title) in enumerate(titles)
    ]
    stdin = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    said = Cli(tmp_path)("triage", "--jsonl", stdin=stdin)
    assert said.code == 0
    answers = said.lines
    assert [answer["id"] for answer in answers] == [line["id"] for line in lines]
    assert [answer for answer in answers if "error" in answer] == []
    begun: set[str] = set()
    for answer in answers:  # the first line of an incident has nothing to be linked to, the rest say why
        assert (answer["link"] is None) == (answer["incident"] not in begun)
        begun.add(answer["incident"])
