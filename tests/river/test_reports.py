"""Reports upward and the fields of law, through the desk: what a person opens and names gets its clocks."""

from __future__ import annotations

from support.river_site import Site

RECEIPT = {"kind": "report_receipt", "publisher": "省应急厅"}


def opened(site: Site, **more: str) -> str:
    made = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"} | more, "chen")
    return str(made["id"])


def test_an_accident_reported_to_us_is_passed_on_link_by_link(site: Site) -> None:
    incident = opened(site, event_type="accident")
    assert site.clocks(incident)["accident_report"] == "running"
    assert "accident_report_province" not in site.clocks(incident)
    site.until("00:30")
    stopped = site.desk.act("stop", incident, RECEIPT | {"document": "临应急报1号"}, "chen")
    assert stopped["stopped"] == ["accident_report"]
    (link,) = [clock for clock in stopped["clocks"] if clock["id"] == "accident_report_province"]
    assert (link["start_event"], link["started_at"]) == ("after", "2026-11-21T00:30:00+08:00")
    assert link["due_at"] == "2026-11-21T02:30:00+08:00"
    assert site.verified()


def test_the_link_of_a_superior_body_is_told_once_to_the_duty_officer(site: Site) -> None:
    incident = opened(site, event_type="accident")
    site.desk.act("stop", incident, RECEIPT | {"document": "临应急报1号"}, "chen")
    told = [line for line in site.until("04:30") if line.startswith("accident_report_province")]
    assert told == ["accident_report_province 100% chen"]


def test_a_field_of_law_that_a_person_names_brings_its_clocks(site: Site) -> None:
    incident = opened(site, grade="IV", title="自来水异味")
    assert "environment_report" not in site.clocks(incident)
    named = {"grade": "IV", "domain": "environment", "reason": "水厂报告水质异常"}
    site.desk.act("grade", incident, named, "chen")
    clocks = site.clocks(incident)
    assert {"environment_report", "public_notice", "general_response"} <= clocks.keys()
    assert site.verified()


def test_a_request_for_information_is_no_opinion(site: Site) -> None:
    incident = opened(site, grade="IV", title="申请公开预算", domain="disclosure")
    assert site.clocks(incident).keys() == {"acknowledge", "disclosure_reply"}
