"""A second pair of eyes on ourselves: what the auditor and the coverage say when parts fail."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from datetime import timedelta

from flows.audit import findings, verify_chain
from flows.deliver import deliver
from flows.duty import perform
from flows.holders import MARK, bury
from flows.respond import respond
from flows.telling import handover
from models.core.moment import iso
from models.core.roster import Change
from models.ledger import duties, handovers, notices, outbox, reaching
from playbooks.papers import HeartbeatSource
from support.river_site import Site, at


def opened(site: Site) -> str:
    return str(site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")["id"])


def test_all_is_well_when_the_sweep_and_the_senders_run(site: Site) -> None:
    opened(site)
    site.until("00:15")
    assert findings(site.house) == []


def test_a_step_that_is_due_and_not_raised_is_named_with_its_lateness(site: Site) -> None:
    opened(site)
    site.until("00:01")
    site.time.moment = at("03:00")  # nobody sweeps
    (finding,) = findings(site.house)
    assert "到点未发" in finding.words
    assert "2 小时 50 分" in finding.words


def test_an_alert_that_no_channel_accepts_is_named(site: Site) -> None:
    opened(site)
    site.receiver.answer(status=503)
    site.until("00:09")
    assert any("迟迟没有渠道接收" in finding.words for finding in findings(site.house))


def test_an_alert_that_every_contact_refuses_is_a_dead_letter_on_the_board(site: Site) -> None:
    opened(site)
    site.receiver.answer(status=410)
    site.until("00:01")
    assert any("所有联系方式都失败" in finding.words for finding in findings(site.house))
    outbox = next(i for i in site.desk.board()["coverage"]["items"] if i["name"] == "outbox")
    assert (outbox["state"], "1 条提醒未能送达" in outbox["detail"]) == ("down", True)


def test_the_audit_duty_fails_loudly_and_recovers(site: Site) -> None:
    opened(site)
    site.until("00:01")
    site.time.moment = at("03:00")
    assert str(asyncio.run(perform(site.house, "audit"))).startswith("失败")
    state = {i["name"]: i["state"] for i in site.desk.board()["coverage"]["items"]}
    assert state["audit"] == "down"
    respond(site.house)
    deliver(site.house)
    site.time.moment = at("03:01")
    assert asyncio.run(perform(site.house, "audit")) == "全部时钟与提醒正常"


def test_a_duty_that_is_not_due_is_left_alone(site: Site) -> None:
    assert asyncio.run(perform(site.house, "watch")) is not None
    assert asyncio.run(perform(site.house, "watch")) is None


def test_verification_is_noted_for_the_audit_page(site: Site) -> None:
    opened(site)
    assert site.desk.auditing.overview({}, 5, None)["verified_at"] is None
    assert verify_chain(site.house)["ok"]
    assert site.desk.auditing.overview({}, 5, None)["ok"] is True


def test_what_a_dead_process_of_this_machine_held_is_taken_over_at_once(site: Site) -> None:
    opened(site)
    respond(site.house)
    dead = f"{socket.gethostname()}:{2**22 + 1}:1:{MARK}"  # no process has that number
    far = f"{socket.gethostname()}:{2**22 + 1}:1:another boot"  # a host name proves nothing
    with site.house.store.write() as conn:
        outbox.claim(conn, site.time.now(), at("01:00"), dead, 10)
        assert duties.take(conn, "triage", site.time.now(), timedelta(hours=1), dead)
        assert duties.take(conn, "audit", site.time.now(), timedelta(hours=1), far)
    assert bury(site.house) == 2
    deliver(site.house)
    assert len(site.receiver.requests) == 1
    assert asyncio.run(perform(site.house, "audit")) is None  # another machine's lease is respected


def test_the_outside_heartbeat_beats_only_when_all_is_well(site: Site) -> None:
    site.web.page("/beat", b"ok", {})
    calm = dataclasses.replace(site.house.site, heartbeat=HeartbeatSource(url=site.web.url("/beat")))
    site.house.site = calm
    opened(site)
    site.until("00:01")
    assert asyncio.run(perform(site.house, "audit")) == "全部时钟与提醒正常；心跳已送"
    site.time.moment = at("03:00")  # nobody sweeps
    assert str(asyncio.run(perform(site.house, "audit"))).startswith("失败")
    assert [seen.path for seen in site.web.seen].count("/beat") == 1


# ── no false alarm ────────────────────────────────────────────────────────────────────────────


def test_a_limit_that_had_passed_before_its_clock_was_set_is_not_late_before_it_can_be_told(
    site: Site,
) -> None:
    """Who hears at 03:00 of what happened at midnight has not left anything unsaid for three hours."""
    site.time.moment = at("03:00")
    about = {"title": "化工园区火灾", "grade": "II", "occurred_at": at("00:00").isoformat()}
    site.desk.act("open", "", about, "chen")
    assert findings(site.house) == []
    site.time.moment += timedelta(minutes=2)  # nobody sweeps
    (finding,) = findings(site.house)
    assert finding.key == "steps"
    assert "已迟 2 分" in finding.words


def test_a_test_of_reach_that_waits_is_no_alert_that_was_not_taken(site: Site) -> None:
    """The test has its own answer after twenty minutes; no deadline hangs on it."""
    with site.house.store.write() as conn:
        notices.tell(conn, site.time.now(), reaching.ask("2026-11-21", site.house.site.roster.people[0]))
    site.receiver.answer(status=503)
    site.until("00:09")
    assert findings(site.house) == []


def test_a_hand_over_written_late_is_not_overdue_before_anybody_could_accept_it(site: Site) -> None:
    roster, now = site.house.site.roster, at("02:00")
    change = Change(1, at("00:00"), (roster.people[0],), (roster.people[1],))
    site.time.moment = now
    with site.house.store.write() as conn:
        assert handovers.write(conn, now, change, {"written_at": iso(now)})
    assert findings(site.house) == []
    site.time.moment = now + handover.PATIENCE
    assert [finding.key for finding in findings(site.house)] == [f"handover:{handovers.name_of(change)}"]
