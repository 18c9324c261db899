"""考核 from the journal alone: on-time shares by unit and clock, ranks, deductions; nobody can bend a figure."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from connectors.console.app import build
from connectors.console.desk import Refusal, Unavailable
from flows.office.assessment import assess
from flows.office.supervision import keep_registers
from flows.reporting import making
from models.ledger.verify import verify
from playbooks.assessment_paper import AssessmentSource
from playbooks.checked import checked
from playbooks.loader import Document
from playbooks.papers import SiteSource
from playbooks.problem import Problems
from support.cli import Cli
from support.river_site import MIDNIGHT, Site, at


def opened(site: Site, owner: str, hour: str = "00:00") -> str:
    site.time.moment = at(hour)
    asked = {"title": f"{owner}火灾", "grade": "II", "owner": owner, "occurred_at": "2026-11-21T00:00"}
    return str(site.desk.act("open", "", asked, "chen")["id"])


def stop(site: Site, incident: str, hour: str, kind: str = "published_statement") -> None:
    site.time.moment = at(hour)
    said = {"kind": kind, "url": f"https://example.gov.cn/{incident}/{hour}", "publisher": "临江发布"}
    site.desk.act("stop", incident, said, "chen")


def year(site: Site) -> dict[str, Any]:
    return assess(site.house, at("0:00"), at("30+00:00"))


def unit(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["units"] if one["name"] == name)


def clock(one: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(each for each in one["clocks"] if each["rule_id"] == rule)


def test_on_time_is_counted_by_unit_and_clock_and_units_are_ranked(site: Site) -> None:
    good, late = opened(site, "应急局"), opened(site, "水务局")
    stop(site, good, "03:00")
    stop(site, late, "06:00")
    site.time.moment = at("07:00")
    found = year(site)
    assert clock(unit(found, "应急局"), "first_statement")["on_time"] == 1.0
    assert clock(unit(found, "水务局"), "first_statement") == {
        "rule_id": "first_statement", "name": "首次发布权威信息", "total": 1, "met": 0, "met_late": 1,
        "breached": 0, "waived": 0, "waived_late": 0, "on_time": 0.0,
    }  # fmt: skip
    assert [one["rank"] for one in found["units"]] == [1, 2]
    assert found["units"][0]["name"] == "应急局"
    assert found["totals"]["first_statement_median_s"] == 4.5 * 3600
    assert found["totals"]["incidents"] == 2


def test_a_clock_belongs_to_whom_led_the_incident_when_it_was_due(site: Site) -> None:
    incident = opened(site, "应急局")
    site.time.moment = at("05:30")
    site.desk.act("assign", incident, {"unit": "水务局", "reason": "牵头单位更正"}, "li")
    site.time.moment = at("1+01:00")
    found = year(site)
    assert clock(unit(found, "应急局"), "first_statement")["breached"] == 1
    assert clock(unit(found, "水务局"), "press_conference")["breached"] == 1
    assert not any(each["rule_id"] == "press_conference" for each in unit(found, "应急局")["clocks"])


def test_complaints_bonuses_and_what_was_upheld_move_the_score(site: Site) -> None:
    incident = opened(site, "应急局")
    stop(site, incident, "06:00")
    site.time.moment = at("10:00")
    before = unit(year(site), "应急局")["score"]
    desk = site.desk.registers
    desk.act("add", "", {"kind": "complaint", "title": "热线无人接", "unit": "应急局", "points": "2"}, "chen")
    desk.act("add", "", {"kind": "bonus", "title": "信息被采用", "unit": "应急局"}, "chen")
    assert unit(year(site), "应急局")["score"] == before - 2 + 1
    keep_registers(site.house)
    (draft,) = [e for e in desk.overview("accountability")["entries"] if "首次发布" in e["title"]]
    assert "热点回应不及时" in draft["title"]
    desk.act("decide", draft["id"], {"finding": "upheld", "reason": "属实"}, "zhou")
    found = year(site)
    assert unit(found, "应急局")["score"] == before - 2 + 1 - 5
    assert [(t["trigger"], t["state"]) for t in found["triggers"] if t["id"] == draft["id"]] == [
        ("late_response", "upheld")
    ]


def first(site: Site, owner: str = "应急局") -> tuple[int, int, int, int]:
    """met, met late, breached, waived of the first word of a unit"""
    found = clock(unit(year(site), owner), "first_statement")
    return found["met"], found["met_late"], found["breached"], found["waived"]


def test_a_waiver_behind_the_limit_does_not_undo_the_lateness_and_one_before_it_counts_apart(
    site: Site,
) -> None:
    late, early = opened(site, "应急局"), opened(site, "水务局")
    site.desk.act("waive", early, {"clock": "first_statement", "reason": "上级统一发布"}, "chen")
    site.time.moment = at("20:00")
    site.desk.act("waive", late, {"clock": "first_statement", "reason": "不必"}, "chen")
    assert (first(site), first(site, "水务局")) == ((0, 0, 1, 0), (0, 0, 0, 1))
    assert clock(unit(year(site), "应急局"), "first_statement")["waived_late"] == 1
    (draft,) = [one for one in year(site)["triggers"] if "首次发布" in one["why"]]
    assert draft["why"].endswith("逾期后免除")
    assert "1 件逾期后免除" in TestClient(build(site.desk)).get("/assessment").text


def test_a_lower_grade_given_afterwards_does_not_undo_a_lateness(site: Site) -> None:
    incident = opened(site, "应急局")
    site.time.moment = at("20:00")
    site.desk.act("grade", incident, {"grade": "IV", "reason": "影响消除"}, "chen")
    assert first(site) == (0, 0, 1, 0)


def test_a_lower_grade_given_in_time_leaves_nothing_to_be_late_with(site: Site) -> None:
    incident = opened(site, "应急局")
    site.time.moment = at("02:00")
    site.desk.act("grade", incident, {"grade": "IV", "reason": "影响消除"}, "chen")
    site.time.moment = at("20:00")
    assert all(one["rule_id"] != "first_statement" for u in year(site)["units"] for one in u["clocks"])


def test_a_corrected_time_makes_no_second_case_and_no_second_draft(site: Site) -> None:
    incident = opened(site, "应急局")
    stop(site, incident, "06:00")
    for day, minute in enumerate((10, 20)):
        site.time.moment = at(f"{day}+10:{minute}")
        said = {"event": "occurrence", "value": f"2026-11-21T00:{minute}", "reason": "更正"}
        site.desk.act("correct", incident, said, "chen")
        keep_registers(site.house)
    assert first(site) == (0, 1, 0, 0)
    drafts = [
        e for e in site.desk.registers.overview("accountability")["entries"] if "首次发布" in e["title"]
    ]
    assert [one["details"]["ref"] for one in drafts] == [f"{incident}:first_statement"]


def test_a_merged_incident_is_one_case_with_the_one_that_stays(site: Site) -> None:
    stays, gone = opened(site, "应急局"), opened(site, "应急局")
    stop(site, stays, "03:00")
    stop(site, gone, "06:00")
    assert first(site) == (1, 1, 0, 0)
    site.time.moment = at("10:00")
    site.desk.act("merge", gone, {"into": stays, "reason": "同一"}, "chen")
    assert (first(site), year(site)["totals"]["incidents"]) == ((1, 0, 0, 0), 1)


def test_a_broken_chain_stops_the_drafts_alone(site: Site) -> None:
    opened(site, "应急局")
    with site.house.store.write() as conn:
        conn.execute(text("UPDATE journal SET payload = REPLACE(payload, '应急局', '别的局') WHERE seq = 1"))
    site.time.moment = at("10:00")
    words = keep_registers(site.house)
    assert "建议督办 1 项，问责建议未起草(日志链不完整：第 1 条" in words
    assert site.desk.registers.overview("supervision")["entries"]


def test_nobody_s_numbers_leave_by_the_assessment_or_the_registers(site: Site) -> None:
    opened(site, "应急局")
    phone, desk = "13800138000", site.desk.registers
    about = {"kind": "complaint", "title": f"张三 {phone} 投诉无人接", "unit": "应急局", "reason": phone}
    complaint = desk.act("add", "", about, "chen")
    desk.act("add", "", {"kind": "bonus", "title": phone, "unit": "应急局"}, "chen")
    desk.act("done", complaint["id"], {"result": f"已回电 {phone}"}, "chen")
    site.time.moment = at("20:00")
    web = TestClient(build(site.desk))
    for path in ("/registers?kind=complaint", f"/registers/{complaint['id']}", "/assessment"):
        for page in (path, f"/api/v1{path}"):
            answer = web.get(page)
            assert (answer.status_code, phone in answer.text, "〔电话〕" in answer.text) == (200, False, True)
    book = zipfile.ZipFile(io.BytesIO(making.make(site.house, "assessment", "xlsx", {}).content))
    assert not any(phone.encode() in book.read(name) for name in book.namelist())
    for form in ("csv", "md"):
        assert phone.encode() not in making.make(site.house, "registers", form, {}).content


def test_what_a_journalist_left_to_be_called_by_is_shown(site: Site) -> None:
    about = {"kind": "press_contact", "title": "日报", "outlet": "临江日报", "contact": "13800138000"}
    made = site.desk.registers.act("add", "", about, "chen")
    assert made["words"] == ["媒体名称：临江日报", "联系方式：13800138000"]


def test_the_figure_is_the_journal_s_and_a_changed_row_cannot_bend_it(site: Site) -> None:
    incident = opened(site, "水务局")
    stop(site, incident, "06:00")
    site.time.moment = at("07:00")
    before = year(site)
    assert before["head"] == verify(site.house.store, site.time.now())["head"]
    with site.house.store.write() as conn:
        conn.execute(text("UPDATE clock SET state = 'met' WHERE rule_id = 'first_statement'"))
        conn.execute(text("UPDATE incident SET owner = '别的局'"))
    assert year(site) == before
    found = verify(site.house.store, site.time.now())
    assert found["ok"] is False
    assert any("与日志不符: state" in finding for finding in found["findings"])


def test_a_changed_journal_gives_no_figure_at_all(site: Site) -> None:
    opened(site, "水务局")
    with site.house.store.write() as conn:
        conn.execute(text("UPDATE journal SET payload = REPLACE(payload, '水务局', '别的局') WHERE seq = 1"))
    with pytest.raises(Unavailable, match="第 1 条的内容与其哈希不符"):
        site.desk.assessment.assess({})
    web = TestClient(build(site.desk))
    answer = web.get("/assessment")
    assert (answer.status_code, "先运行 huiying verify" in answer.text) == (503, True)


def test_the_page_and_the_json_show_the_same_and_an_odd_span_is_refused(site: Site) -> None:
    incident = opened(site, "水务局")
    stop(site, incident, "06:00")
    site.time.moment = at("07:00")
    web = TestClient(build(site.desk))
    page = web.get("/assessment?from=2026-11-01&to=2026-11-30").text
    shown = web.get("/api/v1/assessment?from=2026-11-01&to=2026-11-30").json()
    assert shown["head"][:12] in page
    assert (shown["from"], shown["to"]) == ("2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00")
    assert "水务局" in page
    refused = web.get("/api/v1/assessment?from=2026-12-01&to=2026-11-01")
    assert (refused.status_code, "不晚于起" in refused.json()["error"]) == (409, True)
    assert "最长三年" in web.get("/api/v1/assessment?from=2020-01-01&to=2026-11-01").json()["error"]
    assert "不是时间" in web.get("/api/v1/assessment?from=上个月").json()["error"]
    with pytest.raises(Refusal, match="不晚于起"):
        site.desk.assessment.assess({"from": "2026-11-02", "to": "2026-11-01"})


def test_an_empty_span_has_no_units_and_no_shares(site: Site) -> None:
    found = assess(site.house, MIDNIGHT.replace(month=1), MIDNIGHT.replace(month=2))
    assert (found["units"], found["totals"]["on_time"], found["totals"]["clocks"]) == ([], None, 0)


def test_the_command_line_says_it_in_lines(site: Site) -> None:
    incident = opened(site, "水务局")
    stop(site, incident, "06:00")
    site.time.moment = at("07:00")
    cli = Cli(site.house.site.directory)
    said = cli("assess", "--from", "2026-11-21", "--to", "2026-11-21")
    assert said.code == 0, said.err
    assert "第 1 名 水务局" in said.out
    assert cli("assess", "--from", "2026-11-21", "--json").value["head"] == year(site)["head"]
    assert cli("assess", "--from", "2026-11-22", "--to", "2026-11-21").code == 1


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"response": "1%", "disclosure": "2%"}, "合计 3.0%，不得低于 4%（国办发〔2016〕19号"),
        ({"website": "2%"}, "权重 2.0%，不得低于 3%（海南省2016年政务公开工作要点 六(二)，S-120）"),
    ],
)
def test_weights_below_the_law_are_refused_with_its_number(weights: dict[str, str], words: str) -> None:
    data = {"name": "临江市政府办公室", "assessment": {"weights": weights}}
    with pytest.raises(Problems) as found:
        checked(SiteSource, Document("site.yaml", data, {}, {}))
    assert words in str(found.value)


def test_weights_above_the_law_change_the_full_points() -> None:
    data = {"name": "x", "assessment": {"weights": {"response": "4%", "disclosure": "2%", "website": "4%"}}}
    made = checked(SiteSource, Document("site.yaml", data, {}, {})).assessment
    assert isinstance(made, AssessmentSource)
    assert sum(made.weights.by_part().values()) == pytest.approx(0.10)
