"""The auditor finds what is overdue inside ourselves, and tells people by a way of its own."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from flows.audit import Finding, findings
from flows.deliver import deliver
from flows.duty import perform
from flows.processes.lookout import FAILING_S, Lookout, own_file
from flows.respond import respond
from flows.telling import alarm
from flows.telling.alarm import InDatabase, OnDisk
from models.core.vocabulary import AlertKind
from models.ledger import duties
from playbooks.papers import AlarmSource
from playbooks.roster_paper import ContactSource
from support.river_site import Site, at

DOWN = [Finding("steps", "3 个时钟的提醒到点未发")]
HALF_HOUR = timedelta(minutes=30)


def opened(site: Site) -> str:
    return str(site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")["id"])


def alarms(site: Site) -> list[str]:
    return [body["reason"] for body in site.bodies() if body["kind"] == AlertKind.ALARM.value]


def keys(site: Site) -> set[str]:
    return {finding.key for finding in findings(site.house)}


def speak(site: Site, found: list[Finding], after: timedelta = timedelta(minutes=1)) -> list[str]:
    site.time.moment += after
    before = len(alarms(site))
    alarm.speak(site.house, InDatabase(site.house), found)
    return alarms(site)[before:]


def test_trouble_is_told_when_it_is_seen_twice_and_again_while_it_lasts(site: Site) -> None:
    assert speak(site, DOWN) == []
    assert speak(site, DOWN) == ["3 个时钟的提醒到点未发"]
    assert speak(site, DOWN) == []
    assert speak(site, DOWN, HALF_HOUR) == ["3 个时钟的提醒到点未发"]


def test_what_has_passed_by_the_second_look_is_not_told(site: Site) -> None:
    assert speak(site, DOWN) == []
    assert speak(site, []) == []
    assert speak(site, DOWN) == []


def test_new_trouble_is_told_at_once_and_mending_once(site: Site) -> None:
    speak(site, DOWN)
    speak(site, DOWN)
    more = [*DOWN, Finding("dead", "1 条提醒所有联系方式都失败")]
    speak(site, more)
    assert speak(site, []) != []
    assert "已恢复" in alarms(site)[-1]
    assert speak(site, []) == []


def test_what_is_not_urgent_is_told_once_and_never_repeated(site: Site) -> None:
    calm = [Finding("reach", "今晚有人联系不上", urgent=False)]
    speak(site, calm)
    assert len(speak(site, calm)) == 1
    assert speak(site, calm, 10 * HALF_HOUR) == []


def test_an_alarm_that_no_channel_takes_is_tried_at_every_look(site: Site) -> None:
    site.receiver.answer(status=503)
    speak(site, DOWN)
    assert len(speak(site, DOWN)) > 1
    site.receiver.answer(status=200)
    assert len(speak(site, DOWN)) == 1
    assert speak(site, DOWN) == []


def test_the_alarm_goes_where_the_site_says_and_not_through_the_outbox(site: Site) -> None:
    contacts = (ContactSource(channel="hook", address="machine-room"),)
    site.house.site = dataclasses.replace(site.house.site, alarm=AlarmSource(contacts=contacts))
    speak(site, DOWN)
    speak(site, DOWN)
    (told,) = site.bodies()
    assert told["recipient"]["person"] == "machine-room"
    assert told["url"].startswith("http")
    assert site.desk.board()["recent_alerts"] == []


def test_without_a_setting_whoever_is_on_duty_on_the_first_rung_hears_it(site: Site) -> None:
    speak(site, DOWN)
    speak(site, DOWN)
    assert [body["recipient"]["person"] for body in site.bodies()] == ["chen"]
    item = next(i for i in site.desk.board()["coverage"]["items"] if i["name"] == "alarm")
    assert item["state"] == "warn" and "尚未恢复" in item["detail"]


def test_when_the_first_listener_cannot_be_reached_the_alarm_goes_up_the_ladder(site: Site) -> None:
    site.receiver.judge = lambda request: 410 if request.json()["recipient"]["person"] == "chen" else 200
    speak(site, DOWN)
    speak(site, DOWN)
    assert site.bodies()[-1]["recipient"]["person"] == "li"
    assert speak(site, DOWN) == []


def test_the_audit_duty_raises_the_alarm_and_takes_it_back(site: Site) -> None:
    opened(site)
    site.until("00:01")
    site.time.moment = at("03:00")  # nobody sweeps
    asyncio.run(perform(site.house, "audit"))
    site.time.moment += timedelta(seconds=15)
    asyncio.run(perform(site.house, "audit"))
    assert "到点未发" in alarms(site)[-1]
    respond(site.house)
    deliver(site.house)
    site.time.moment += timedelta(minutes=1)
    assert asyncio.run(perform(site.house, "audit")) == "全部时钟与提醒正常"
    assert "已恢复" in alarms(site)[-1]


def test_a_duty_that_has_stopped_running_is_found_and_one_that_fails(site: Site) -> None:
    with site.house.store.write() as conn:
        duties.beat(conn, "respond", site.time.now(), "无到点节点")
        duties.beat(conn, "triage", site.time.now(), error="分类器读不了")
    assert keys(site) == set()
    site.time.moment += timedelta(minutes=20)
    assert keys(site) == {"duty:respond", "duty:triage"}
    assert any("分类器读不了" in finding.words for finding in findings(site.house))


def test_an_open_clock_that_nobody_will_ever_look_at_again_is_found(site: Site) -> None:
    opened(site)
    assert keys(site) == set()
    with site.house.store.write() as conn:
        conn.execute(text("UPDATE clock SET next_step_at = NULL"))
    assert keys(site) == {"no-next"}


def test_a_rung_that_nobody_fills_is_found_while_a_clock_runs(site: Site) -> None:
    roster = site.house.site.roster
    ladder = tuple(
        dataclasses.replace(rung, on_duty=()) if rung.rung == 2 else rung for rung in roster.ladder
    )
    site.house.site = dataclasses.replace(site.house.site, roster=dataclasses.replace(roster, ladder=ladder))
    assert keys(site) == set()
    opened(site)
    assert keys(site) == {"rungs:第 2 级带班领导"}


# ── the lookout of a process ──────────────────────────────────────────────────────────────────


class Ticks:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


def test_a_process_that_gets_through_no_more_says_so_after_a_minute(site: Site, ticks: Ticks) -> None:
    lookout = Lookout(site.house, "run", ticks)
    for _ in range(7):
        lookout.wrong("respond", "数据库无应答")
        ticks.seconds += 10
    (finding,) = lookout.look()
    assert "时钟巡检已连续失败 1 分" in finding.words and "数据库无应答" in finding.words
    lookout.good("respond")
    assert lookout.look() == []


def test_a_sweep_that_hangs_without_an_error_is_seen(site: Site, ticks: Ticks) -> None:
    lookout = Lookout(site.house, "run", ticks)
    lookout.good("respond")
    ticks.seconds += FAILING_S + 1
    assert [finding.key for finding in lookout.look()] == ["silent:respond"]


def test_every_process_sees_that_nobody_audits(site: Site, ticks: Ticks) -> None:
    asyncio.run(perform(site.house, "audit"))
    lookout = Lookout(site.house, "respond", ticks)
    site.time.moment += timedelta(minutes=10)
    assert lookout.look() == []
    site.time.moment += timedelta(minutes=2)
    assert [finding.key for finding in lookout.look()] == ["audit"]


def test_the_lookout_speaks_while_the_database_is_away_and_over_a_restart(
    site: Site, ticks: Ticks, tmp_path: Path
) -> None:
    memory, lookout = OnDisk(tmp_path / "lookout.json"), Lookout(site.house, "run", ticks)
    site.house.store.close()
    lookout.wrong("respond", "数据库无应答")
    ticks.seconds += FAILING_S + 1
    for _ in range(2):
        alarm.speak(site.house, memory, lookout.look())
    assert "数据库无应答" in alarms(site)[-1]
    alarm.speak(site.house, OnDisk(tmp_path / "lookout.json"), [])  # the process has started anew
    assert "已恢复" in alarms(site)[-1]


def test_replicas_on_one_folder_do_not_call_one_anothers_trouble_mended(site: Site, tmp_path: Path) -> None:
    trouble = [Finding("failing", "磁盘写不进去")]
    with own_file(tmp_path, "lookout-triage") as first, own_file(tmp_path, "lookout-triage") as second:
        for _ in range(2):
            alarm.speak(site.house, OnDisk(first), trouble)
        alarm.speak(site.house, OnDisk(second), [])
        assert "磁盘写不进去" in alarms(site)[-1]
    with own_file(tmp_path, "lookout-triage") as again:
        alarm.speak(site.house, OnDisk(again), [])
    assert "已恢复" in alarms(site)[-1]


def test_a_folder_that_cannot_be_written_takes_nobodys_voice(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with own_file(tmp_path / "state", "lookout-run") as path:
        assert path == tmp_path / "state" / "lookout-run.json"


def test_the_log_of_a_trouble_names_no_officer(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person = site.house.site.roster.people[0].name
    alarm.speak(site.house, OnDisk(tmp_path / "said.json"), [Finding("handover", f"接班: {person}")])
    said = capsys.readouterr()
    assert "handover" in said.out + said.err
    assert person not in said.out + said.err


def test_the_lookout_ends_with_its_process(site: Site) -> None:
    stopped = threading.Event()
    thread = threading.Thread(target=Lookout(site.house).watch, args=(stopped,))
    thread.start()
    stopped.set()
    thread.join(5)
    assert not thread.is_alive()
