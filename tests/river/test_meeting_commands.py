"""The same acts on the command line, in a process's own words and exit codes; and what site.yaml says of them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.sealing import sealer
from flows.cli import app
from flows.collecting.privacy import take_in
from flows.office.desk import Desk
from flows.triage import triage
from flows.wiring import House
from models.core.moment import iso, parse_iso
from models.core.signals import Batch, RawSignal
from models.core.vocabulary import Medium
from playbooks.problem import Problems
from playbooks.site import load_site
from support.sites import ENVIRON, write_site

HOOK = "http://127.0.0.1:9"


class Line:
    """A shell in front of one site."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def __call__(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words, "--site", str(self.directory)], env=ENVIRON)
        assert done.exit_code == code, done.output
        return done.output

    def json(self, *words: str) -> Any:
        done = CliRunner().invoke(app, [*words, "--json", "--site", str(self.directory)], env=ENVIRON)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def _post(number: int, text: str, at: datetime) -> RawSignal:
    where, who = f"https://e.org/{number}", "李大嘴"
    words = (f"{text} {number}", f"{text}，第{number}张")
    return RawSignal("news", f"p{number}", Medium.WEIBO, *words, url=where, author=who, published_at=at)


def posted(
    house: House, count: int = 3, text: str = "网传江东化工园区爆炸死亡三十人，电话 13812345678"
) -> None:
    now = house.time.now()
    posts = [_post(n, text, now) for n in range(count)]
    with house.store.write() as conn:
        take_in(house, conn, Batch(tuple(posts)), "news")
    triage(house)


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(write_site(tmp_path / "site", HOOK))


def test_a_conference_from_booking_to_transcript(line: Line, tmp_path: Path) -> None:
    line("open", "--title", "化工园区爆炸", "--grade", "II", "--by", "chen")
    incident = line.json("board")["incidents"][0]["id"]
    now = line.json("board")["now"]
    number = line.json(
        "meeting", "book", incident, "--starts-at", now, "--place", "新闻发布厅", "--by", "chen"
    )["acted_on"]
    line(
        "meeting",
        "speaker",
        incident,
        "--meeting",
        number,
        "--speaker",
        "周正",
        "--post",
        "市长",
        "--by",
        "chen",
    )
    line("meeting", "ask", incident, "--meeting", number, "--question", "伤亡？", "--by", "chen")
    line(
        "meeting",
        "answer",
        incident,
        "--meeting",
        number,
        "--number",
        "1",
        "--answer",
        "3 人轻伤",
        "--by",
        "li",
    )
    assert "通知已存" in line("meeting", "notice", incident, "--meeting", number, "--by", "chen")
    proof = ("--document", "发布会实录")
    assert "press_conference" in line(
        "meeting", "held", incident, "--meeting", number, *proof, "--by", "chen"
    )
    record = tmp_path / "实录.txt"
    record.write_text("主持人：各位记者", encoding="utf-8")
    line("meeting", "transcript", incident, str(record), "--meeting", number[:6], "--by", "chen")
    (meeting,) = line.json("meeting", "list", incident)["meetings"]
    assert (meeting["state"], meeting["principal"], meeting["transcript"]) == (
        "held",
        True,
        "主持人：各位记者",
    )
    assert "已于" in line(
        "meeting", "cancel", incident, "--meeting", number, "--reason", "x", "--by", "chen", code=1
    )


def test_a_promise_and_a_dossier_by_command(line: Line, tmp_path: Path) -> None:
    with House.open(line.directory, ENVIRON) as house:
        posted(house)
    incident = line.json("board")["incidents"][0]["id"]
    soon = iso(parse_iso(line.json("board")["now"]) + timedelta(hours=3))
    promise = line.json("promise", "give", incident, "--due-at", soon, "--text", "再通报", "--by", "chen")[
        "acted_on"
    ]
    dropped = line.json(
        "promise", "drop", incident, "--promise", promise, "--reason", "改由省里发布", "--by", "chen"
    )
    assert dropped["promised"]["dropped"] == 1
    assert "30 天以后" in line(
        "promise",
        "give",
        incident,
        "--due-at",
        "2099-01-01T00:00",
        "--text",
        "再通报",
        "--by",
        "chen",
        code=1,
    )
    number = line.json("dossier", "make", incident, "--by", "chen")["dossier"]
    form = line(
        "dossier",
        "hand",
        incident,
        "--dossier",
        number,
        "--to",
        "市公安局",
        "--reason",
        "造谣",
        "--by",
        "chen",
    )
    assert "涉嫌违法线索移交单" in form
    line("dossier", "receipt", incident, "--dossier", number, "--number", "A-1", "--by", "chen")
    line("dossier", "follow", incident, "--dossier", number, "--text", "已训诫", "--by", "chen")
    assert "已有回执" in line("dossier", "list", incident)
    assert "还没有登记对公众的发布" in line("mood", incident)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"meetings": {"counts": ["briefings"]}}, "briefing"),
        ({"meetings": {"remind": ["2小时"]}}, "PT2H"),
        ({"dossiers": {"authors": "all"}}, "masked"),
        ({"meetings": {"count": []}}, "counts"),
    ],
)
def test_a_setting_that_is_wrong_is_told_with_the_right_form(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    directory = write_site(tmp_path / "site", HOOK, site=settings)
    with pytest.raises(Problems, match=said):
        load_site(directory, ENVIRON)


def test_whole_authors_come_out_of_their_boxes_where_the_site_encrypts(tmp_path: Path) -> None:
    key = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
    site = {"personal_data": "encrypt", "personal_key": "${KEY}", "dossiers": {"authors": "full"}}
    directory = write_site(tmp_path / "site", HOOK, site=site)
    with House.open(directory, {**ENVIRON, "KEY": key}) as house:
        assert sealer(key)
        posted(house)
        desk = Desk(house)
        incident = desk.board()["incidents"][0]["id"]
        number = desk.dossiers.act("make", incident, {}, "chen")["dossier"]
        content, _ = desk.dossiers.take(number, "chen", "送公安")
    assert b"13812345678" in content


def test_what_the_site_counts_as_a_press_conference_stops_the_clock(tmp_path: Path) -> None:
    site = {"meetings": {"counts": ["press_conference", "briefing"], "principals": ["li"]}}
    line = Line(write_site(tmp_path / "site", HOOK, site=site))
    line("open", "--title", "化工园区爆炸", "--grade", "II", "--by", "chen")
    board = line.json("board")
    incident = board["incidents"][0]["id"]
    words = ["--kind", "briefing", "--starts-at", board["now"], "--place", "厅", "--speaker", "李主任"]
    booked = line.json("meeting", "book", incident, *words, "--by", "chen")
    assert booked["meetings"][0]["principal"] is True
    assert "press_conference" in line(
        "meeting", "held", incident, "--meeting", booked["acted_on"], "--document", "实录", "--by", "chen"
    )
