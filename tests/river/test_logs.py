"""What processes write on standard error: JSON lines that name process, duty and incident, and nobody's data."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from flows.processes import logs
from support.ports import free_port
from support.processes import Run, environ, huiying
from support.receiver import Answer, Receiver
from support.sites import write_site
from support.waiting import until

NAME, PHONE, CARD = "王小明", "13800138000", "320106198505121816"
WORDS = "家里水管爆裂淹了三天没人来修"
PRIVATE = (NAME, PHONE, CARD, WORDS)
EVERY_LINE = {"time", "level", "event", "process", "host", "pid", "version"}
TICKET = {
    "id": "T1",
    "title": f"化工厂爆炸致5人死亡，联系人：{NAME} {PHONE}",
    "content": f"{WORDS}，身份证{CARD}",
    "name": NAME,
}


Written = Callable[[], str]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """Logs as a worker's whose standard error is a file; what was said since the last look."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("worker", {})
    yield lambda: capsys.readouterr().err
    logs.configure("huiying", {"HUIYING_LOG": "text"})
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


def lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def private(said: str) -> list[str]:
    return [word for word in PRIVATE if word in said]


def test_a_line_tells_who_speaks_since_when_and_of_which_incident(written: Written) -> None:
    logs.on_duty("respond")
    structlog.get_logger().error(
        "a clock's step cannot be raised", clock="2026-0001:first_statement:1", reason="x"
    )
    (line,) = lines(written())
    assert set(line) >= EVERY_LINE
    assert (line["process"], line["duty"], line["level"]) == ("worker", "respond", "error")
    assert line["incident_id"] == "2026-0001"
    assert list(line)[:3] == ["time", "level", "event"]


def test_texts_names_and_numbers_are_left_out_whoever_says_them(written: Written) -> None:
    log = structlog.get_logger()
    log.error("odd", title=WORDS, author=NAME, reason=f"来电 {PHONE}", signal={"body": WORDS})
    log.error(
        "odd",
        detail={"body": WORDS, "deep": [f"身份证{CARD}"]},
        reason=repr(UnicodeEncodeError("utf-8", WORDS + "\ud800", 0, 1, "no")),
    )
    logging.getLogger("kafka").error("cannot read '%s' of 联系人：%s", WORDS + WORDS, NAME)
    said = written()
    found = lines(said)
    assert len(found) == 3
    assert private(said) == []
    assert found[0]["title"] == f"〔{len(WORDS)} 字〕"


def test_what_a_database_quotes_of_its_parameters_stays_out_and_the_places_are_named(
    written: Written,
) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE t (uid TEXT UNIQUE, body TEXT)"))
        row = {"uid": NAME, "body": WORDS + CARD}
        conn.execute(text("INSERT INTO t VALUES (:uid, :body)"), row)
        try:
            conn.execute(text("INSERT INTO t VALUES (:uid, :body)"), row)
        except IntegrityError as error:
            structlog.get_logger().error("refused", reason=repr(error), exc_info=True)
            logging.getLogger("a.library").exception("in a library")
    engine.dispose()
    said = written()
    first, second = lines(said)
    assert private(said) == []
    for line in (first, second):
        assert any(f"{Path(__file__).name}:" in place for place in line["trace"])
        assert any(place.startswith("IntegrityError") for place in line["trace"])


def test_a_terminal_gets_lines_for_people(written: Written) -> None:
    logs.configure("worker", {"HUIYING_LOG": "text"})
    structlog.get_logger().error("odd", reason=f"来电 {PHONE}")
    said = written()
    assert "〔电话〕" in said
    with pytest.raises(json.JSONDecodeError):
        json.loads(said)


def test_a_night_of_trouble_with_citizens_letters_leaves_nothing_of_them_in_any_log(tmp_path: Path) -> None:
    """The gateway throws every message back in our face, the database refuses a letter with its words, then
    loses the table of alerts."""
    with Receiver() as receiver:
        receiver.reply = lambda request: Answer(400, request.body)
        site = write_site(tmp_path / "site", receiver.url)
        with Run(site, free_port()) as run:
            run.wait_ready()
            imported = _letter(site, 1)
            until(lambda: receiver.requests, run.words, alive=lambda: run.alive)
            _change(site, "CREATE TRIGGER no BEFORE INSERT ON signal BEGIN SELECT RAISE(ABORT, 'no'); END")
            imported += _letter(site, 2)
            _change(site, "ALTER TABLE alert RENAME TO gone")
            until(
                lambda: '"level": "error"' in run.log.read_text("utf-8"), run.words, alive=lambda: run.alive
            )
            run.stop()
        said = run.log.read_text("utf-8")
    assert private(said + imported) == []
    assert imported.strip()  # the second letter was refused in words
    assert all(set(line) >= EVERY_LINE for line in lines(said))
    assert any(line.get("duty") == "deliver" for line in lines(said))


def _letter(site: Path, number: int) -> str:
    """Import one; what the command said of it."""
    path = site / f"{number}.jsonl"
    path.write_text(json.dumps(TICKET | {"id": f"T{number}"}, ensure_ascii=False), encoding="utf-8")
    line = huiying("import", "--site", str(site), "--source", "hotline", str(path))
    return subprocess.run(line, env=environ(), capture_output=True, text=True, timeout=120).stderr


def _change(site: Path, statement: str) -> None:
    with closing(sqlite3.connect(site / "huiying.sqlite", timeout=60)) as conn:
        conn.execute(statement)
        conn.commit()
