"""The manager's board over a living site: why a clock is late, what is shared, what the numbers say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from connectors.console import shapes
from connectors.console.desk import Refusal
from models.core.boards import Standing, Wanted
from support.river_site import Site, at, river

PAGE = Wanted(limit=30)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with river(tmp_path, f"sqlite:///{tmp_path / 'huiying.sqlite'}") as made:
        made.time.moment = at("02:00")
        yield made


def opened(site: Site, title: str, occurred: str, **more: str) -> str:
    about = {
        "title": title,
        "grade": "II",
        "occurred_at": at(occurred).isoformat(),
        "reason": "电话核实",
        **more,
    }
    return str(site.desk.act("open", "", about, "chen")["id"])


def clock(site: Site, incident: str, rule: str) -> dict[str, Any]:
    (shown,) = site.desk.board(Wanted(ids=frozenset({incident})))["incidents"]
    found: dict[str, Any] = next(one for one in shown["clocks"] if one["id"] == rule)
    return found


def test_a_late_clock_says_why_and_another_reason_once_somebody_has_taken_it(site: Site) -> None:
    made = opened(site, "望江路塌陷", "01:50")
    assert clock(site, made, "first_statement")["why_late"] == []
    site.until("07:30")
    assert clock(site, made, "first_statement")["why_late"][-1] == "没有人签收"
    site.desk.act("ack", made, {}, "chen")
    (reason,) = clock(site, made, "first_statement")["why_late"]
    assert reason == "签收得晚：11-21 07:30 才签收，已过时限"


def test_an_incident_that_was_heard_of_late_blames_the_start(site: Site) -> None:
    site.time.moment = at("09:00")
    made = opened(site, "夜里的火灾", "02:00")
    assert clock(site, made, "first_statement")["why_late"][0].startswith("开始得晚：起算后 7 小时才立案")


def test_a_stretch_of_the_board_is_as_fresh_as_the_whole_of_it(site: Site) -> None:
    """The counts are shared for a revision: an act, and a limit that passes, are seen all the same."""
    made = opened(site, "望江路塌陷", "01:50")
    assert site.desk.board(PAGE)["counts"]["unacked"] == 1
    site.desk.act("ack", made, {}, "chen")
    assert site.desk.board(PAGE)["counts"]["unacked"] == 0
    site.time.moment = at("07:30")
    whole, page = site.desk.board(), site.desk.board(PAGE)
    assert page["counts"] == whole["counts"]
    assert page["counts"]["breached"] >= 1
    assert page["incidents"] == whole["incidents"]
    assert page["found"] == whole["found"] == 1


def test_the_unit_that_leads_is_named_and_can_be_asked_for(site: Site) -> None:
    made, other = opened(site, "望江路塌陷", "01:50"), opened(site, "老城区停水", "01:40")
    site.desk.act("assign", made, {"unit": "office", "reason": "属地管理"}, "li")
    board = site.desk.board(Wanted(unit="office", limit=30))
    assert [(one["id"], one["owner_zh"]) for one in board["incidents"]] == [(made, "市政府办公室")]
    assert board["units"] == [{"id": "office", "name": "市政府办公室"}]
    assert [one["id"] for one in site.desk.board(Wanted(unit="-", limit=30))["incidents"]] == [other]
    seen = site.desk.board(Wanted(units=frozenset({"office"}), limit=30))
    assert {alert["incident_id"] for alert in seen["recent_alerts"]} <= {made}


@pytest.mark.parametrize("wanted", [Wanted(), PAGE])
def test_the_board_is_of_the_shape_that_the_handbook_promises(site: Site, wanted: Wanted) -> None:
    opened(site, "望江路塌陷", "01:50")
    site.say("news", "望江路塌陷一周", "路面仍未修复，市民绕行。")
    site.until("02:10")
    board = site.desk.board(wanted)
    assert [one["source_name"] for one in board["signals"]["last"]]
    whole = {**shapes.of("Board"), "components": {"schemas": shapes.COMPONENTS}}
    jsonschema.Draft202012Validator(whole).validate(board)


def test_the_numbers_since_midnight_count_an_answer_by_its_proof(site: Site) -> None:
    site.time.moment = at("02:00")
    made = opened(site, "望江路塌陷", "01:50")
    site.time.moment += timedelta(minutes=6)
    site.desk.act("ack", made, {}, "chen")
    before = {one["key"]: one for one in site.desk.boards.numbers()["spans"]}
    assert (before["day"]["opened"], before["day"]["on_time"], before["day"]["ack_s"]) == (1, 0, 360)
    proof = {
        "kind": "published_statement",
        "url": "https://www.example.gov.cn/1",
        "publisher": "市政府",
        "published_at": site.time.moment.isoformat(),
    }
    site.desk.act("stop", made, proof, "chen")
    site.time.moment += timedelta(minutes=1)  # the numbers may be twenty seconds old
    after = {one["key"]: one for one in site.desk.boards.numbers()["spans"]}
    assert after["day"]["on_time"] == after["year"]["on_time"] == 1


def test_trends_tell_the_wait_for_the_first_statement_and_refuse_what_is_no_time(site: Site) -> None:
    made = opened(site, "望江路塌陷", "01:00")
    proof = {
        "kind": "published_statement",
        "url": "https://www.example.gov.cn/1",
        "publisher": "市政府",
        "published_at": at("02:00").isoformat(),
    }
    site.desk.act("stop", made, proof, "chen")
    site.time.moment = at("08:00")
    view = site.desk.boards.trends({"step": "month"})
    assert (view["whole"]["first_s"], view["whole"]["first_in"]) == (3600, 1)
    assert view["stretches"][-1]["met"] >= 1
    assert [one["key"] for one in view["by_grade"]] == ["II"]
    assert site.desk.boards.trends({"grade": "I"})["whole"]["total"] == 0
    for wrong in (
        {"step": "x"},
        {"grade": "V"},
        {"from": "2026-11-22", "to": "2026-11-01"},
        {"from": "2010-01-01"},
    ):
        with pytest.raises(Refusal):
            site.desk.boards.trends(wrong)


def test_a_filter_by_state_moves_with_time_alone(site: Site) -> None:
    made = opened(site, "望江路塌陷", "01:50")
    late = Wanted(standings=frozenset({Standing.BREACHED}), limit=30)
    assert site.desk.board(late)["found"] == 0
    site.time.moment = at("06:51")
    assert [one["id"] for one in site.desk.board(late)["incidents"]] == [made]
