"""The kinds of limits on a whole site: armed clocks that a feed sets going, a calendar that comes late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from flows.duty import perform
from flows.office import coverage, doctor
from flows.office.desk import Desk
from flows.wiring import House
from models.core.signals import Batch, RawSignal
from models.core.text import fingerprint
from models.core.vocabulary import Medium
from models.ledger import clocks, signals
from support.river_site import MIDNIGHT, HandTime, Site
from support.sites import ENVIRON, write_site

BLAST = "江东化工园区澜港公司发生爆炸"
TOLD = "21日零时许，江东化工园区澜港公司一车间发生爆炸，已致12人死亡，40余人受伤。"
REPLY = """\
id: reply
name: 答复
trigger: {when: true}
clocks:
  - {id: reply, name: 依申请答复, amount: 5 个工作日, start: receipt, fallback: discovery,
     stop: {evidence: reply_receipt}, proposal: 测试}
"""
NEXT_YEAR = """\
years:
  "2027": {source: 通知, off: [2027-01-01/2027-01-03], work: []}
"""


def call(site: Site) -> None:
    """The hotline is told of it; no post says a word."""
    ticket = RawSignal("hotline", "t1", Medium.HOTLINE, BLAST, TOLD, published_at=site.time.now())
    with site.house.store.write() as conn:
        signals.collect(conn, site.time.now(), Batch((ticket,)), "hotline", fingerprint)


UPWARD = {"accident_report_province", "accident_report_state"}
"""The links of the report that are the superior bodies' own: they are followed, and told once."""


def test_an_unspread_emergency_is_quiet_until_the_first_post_and_then_overdue_at_once(site: Site) -> None:
    call(site)
    site.until("00:01")
    (incident,) = site.desk.board()["incidents"]
    site.desk.act(
        "grade", incident["id"], {"grade": "II", "kind": "not_yet_spread", "reason": "网上尚无信息"}, "chen"
    )
    site.desk.act("ack", incident["id"], {}, "chen")
    receipt = {"clock": "accident_report", "kind": "report_receipt", "document": "临应急报1号"}
    site.desk.act("stop", incident["id"], receipt | {"publisher": "省应急厅"}, "chen")
    assert {line.split(" ")[0] for line in site.until("06:00")} <= UPWARD
    assert {clock: state for clock, state in site.clocks(incident["id"]).items() if clock not in UPWARD} == {
        "acknowledge": "met",
        "accident_report": "met",
        "first_statement": "armed",
        "press_conference": "armed",
    }
    site.say("news", BLAST, TOLD)
    told = site.until("06:02")
    assert {line.split(" ")[0] for line in told} == {"first_statement"}
    assert site.clocks(incident["id"])["first_statement"] == "breached"
    assert site.clocks(incident["id"])["press_conference"] == "running"
    times = {t["event"]: (t["value"], t["by"]) for t in site.desk.incident(incident["id"])["times"]}  # type: ignore[index]
    assert times["first_public"] == ("2026-11-21T06:00:00+08:00", "系统")
    assert site.verified()


def test_after_our_statement_the_rounds_run_and_a_retraction_takes_them_back(site: Site) -> None:
    site.say("news", BLAST, TOLD)
    site.until("00:01")
    (incident,) = site.desk.board()["incidents"]
    assert "update" not in site.clocks(incident["id"])
    proof = {"kind": "published_statement", "url": "https://example.org/1", "publisher": "临江发布"}
    stopped = site.desk.act("stop", incident["id"], proof, "chen")
    assert stopped["stopped"] == ["first_statement"]
    assert site.clocks(incident["id"])["update"] == "running"
    (evidence,) = stopped["evidence"]
    shown = site.desk.act(
        "retract", incident["id"], {"evidence": evidence["id"][:6], "reason": "有误"}, "chen"
    )
    assert shown["restarted"] == ["first_statement"]
    assert shown["evidence"][0]["standing"] == "retracted"
    assert "update" not in site.clocks(incident["id"])
    assert site.clocks(incident["id"])["first_statement"] == "running"
    assert site.verified()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A site that counts working days, three days before a year that has no calendar."""
    directory = write_site(tmp_path / "site", "http://127.0.0.1:9/none")
    (directory / "playbooks").mkdir()
    (directory / "playbooks" / "reply.yaml").write_text(REPLY, encoding="utf-8")
    with House.open(directory, ENVIRON) as house:
        house.time = HandTime(MIDNIGHT + timedelta(days=38))
        yield house


def named(house: House) -> dict[str, dict[str, str]]:
    with house.store.read() as conn:
        items = coverage.report(conn, house, house.time.now())["items"]
    return {item["name"]: item for item in items}


def test_a_calendar_that_comes_while_the_site_runs_sets_the_refused_clock_going(house: House) -> None:
    opened = Desk(house).act("open", "", {"title": "申请公开", "grade": "IV"}, "chen")
    assert "reply" not in {clock["id"] for clock in opened["clocks"]}
    assert [e["kind_zh"] for e in opened["timeline"]][-1] == "未设钟"
    assert named(house)["calendar"]["state"] == "warn"
    assert 'huiying_part_up{part="calendar"} 1.0' in Desk(house).metrics()
    assert "2027 年没有放假安排" in named(house)["calendar"]["detail"]
    assert "holidays.yaml" in named(house)["calendar"]["mend"]
    (house.site.directory / "holidays.yaml").write_text(NEXT_YEAR, encoding="utf-8")
    assert asyncio.run(perform(house, "cadence")) == "0 起事件随热度调整时钟，补设 1 个工作日时钟"
    shown = Desk(house).incident(opened["id"])
    assert shown is not None
    (reply,) = [clock for clock in shown["clocks"] if clock["id"] == "reply"]
    assert reply["due_at"] == "2027-01-07T00:00:00+08:00"
    assert "至 01-06 24:00" in reply["reason"]
    assert named(house)["calendar"]["state"] == "ok"
    with house.store.read() as conn:
        assert clocks.refused(conn) == []


def test_a_calendar_file_that_is_wrong_changes_nothing_while_the_site_runs(house: House) -> None:
    (house.site.directory / "holidays.yaml").write_text("years: [一]\n", encoding="utf-8")
    assert house.calendar == house.site.calendar


def test_the_missing_year_of_today_is_a_fault_of_the_site(house: House) -> None:
    house.time = HandTime(MIDNIGHT + timedelta(days=45))
    assert named(house)["calendar"]["state"] == "late"


def test_doctor_names_the_year_that_is_missing_and_what_to_do(house: House) -> None:
    (found,) = [each for each in doctor._calendar(house) if "2027" in each["what"]]
    assert (found["warning"], found["ok"]) == (True, True)
    assert "holidays.yaml" in found["mend"]
