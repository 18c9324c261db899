"""Registers on the pages, the command line and by the daily duty, over a real desk and both databases."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from flows.deliver import deliver
from flows.duty import perform
from flows.office.supervision import keep_registers
from models.core.casework import Register
from models.core.vocabulary import Stage
from models.ledger import registers
from models.ledger.entry import Entry
from models.ledger.journal import append
from playbooks.assessment_paper import RegistersSource
from support.cli import Cli
from support.river_site import Site, at, told


def client(site: Site, person: str = "chen") -> TestClient:
    made = TestClient(build(site.desk), follow_redirects=False)
    if person:
        made.cookies.set("huiying_person", person)
    return made


def add(site: Site, kind: str, title: str, **more: str) -> dict[str, Any]:
    return site.desk.registers.act("add", "", {"kind": kind, "title": title, **more}, "chen")


def notices(site: Site, since: int) -> list[str]:
    return [told(body) for body in site.bodies(since) if body["kind"] == "notice"]


def test_an_entry_goes_from_the_form_to_the_page_and_is_done_there(site: Site) -> None:
    web = client(site)
    made = web.post("/registers", data={"kind": "training", "title": "舆情业务培训", "reason": "年度计划"})
    assert made.status_code == 303
    entry = made.headers["location"].split("?")[0].rpartition("/")[2]
    page = web.get(f"/registers/{entry}").text
    assert "舆情业务培训" in page
    assert "日志第 1 条" in page
    done = web.post(f"/registers/{entry}/acts/done", data={"result": "32 人参加"})
    assert done.status_code == 303
    assert "32 人参加" in web.get(f"/registers/{entry}").text
    assert "舆情业务培训" in web.get("/registers?kind=training").text
    assert site.verified()


def test_every_register_has_its_page_with_its_own_form(site: Site) -> None:
    web = client(site)
    for kind in Register:
        page = web.get(f"/registers?kind={kind.value}")
        assert page.status_code == 200
        assert kind.zh in page.text
    assert 'name="filing_no"' in web.get("/registers?kind=account").text
    assert "不实用" in web.get("/registers?kind=finding").text


def test_the_page_refuses_in_words(site: Site) -> None:
    web = client(site)
    nothing = web.get("/registers?kind=trainings")
    assert nothing.status_code == 409
    assert "是不是 “training”" in nothing.text
    assert web.get("/registers/R2026-0009").status_code == 404
    refused = web.post("/registers", data={"kind": "account", "title": "临江发布"})
    assert (refused.status_code, "缺少平台、账号名称" in refused.text) == (409, True)
    nobody = client(site, "").post("/registers", data={"kind": "training", "title": "培训"})
    assert nobody.status_code == 403
    odd = web.post("/registers/R2026-0001/acts/explode", data={})
    assert (odd.status_code, "没有这个动作" in odd.text) == (404, True)


def test_a_title_with_markup_stays_text(site: Site) -> None:
    entry = add(site, "other", "<script>alert(1)</script>")
    web = client(site)
    for path in ("/registers?kind=other", f"/registers/{entry['id']}"):
        page = web.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_the_json_gives_what_the_page_shows(site: Site) -> None:
    web = client(site)
    made = web.post(
        "/api/v1/registers",
        json={"by": "li", "kind": "finding", "title": "首页打不开", "defect": "unresponsive"},
    )
    assert made.status_code == 201
    assert made.json()["words"] == ["问题种类：不回应"]
    listed = web.get("/api/v1/registers?kind=finding").json()
    assert [one["title"] for one in listed["entries"]] == ["首页打不开"]
    assert web.get(f"/api/v1/registers/{made.json()['id']}").json()["recorded_by"] == "李主任"


def test_unfiled_accounts_and_unregistered_official_channels_are_shown(site: Site) -> None:
    found = site.desk.registers.overview()["unfiled"]
    assert [one["title"] for one in found] == ["临江发布"]
    add(site, "account", "临江发布", platform="微博", account="临江发布")
    assert [one["why"] for one in site.desk.registers.overview()["unfiled"]] == ["未报备（S-062）"]
    add(site, "account", "临江水务", platform="微信", account="临江水务", filing_no="0002")
    (unfiled,) = site.desk.registers.overview()["unfiled"]
    filed = {"filing_no": "0002"}
    with pytest.raises(Refusal, match="备案号 0002 已登记在"):
        site.desk.registers.act("file", unfiled["id"], filed, "chen")
    site.desk.registers.act("file", unfiled["id"], {"filing_no": "0001"}, "chen")
    assert site.desk.registers.overview()["unfiled"] == []
    with pytest.raises(Refusal, match="已有备案号 0001"):
        site.desk.registers.act("file", unfiled["id"], filed, "chen")


def test_a_second_account_of_a_unit_on_a_platform_is_shown(site: Site) -> None:
    for number, unit in (("1", "office"), ("2", "office"), ("3", "水务局")):
        name = f"临江发布{number}"
        add(site, "account", name, platform="微博", account=name, filing_no=number, unit=unit)
    found = [one for one in site.desk.registers.overview()["unfiled"] if "N-020" in one["why"]]
    assert [one["title"] for one in found] == ["临江发布2"]


def test_what_only_stands_on_record_is_nobody_s_work(site: Site) -> None:
    add(site, "training", "培训")
    add(site, "finding", "错字", defect="inaccurate", due_at="2026-11-22T00:00")
    view = site.desk.registers.overview(everything=False)
    assert [one["title"] for one in view["entries"]] == ["错字"]
    counts = {one["kind"]: (one["all"], one["open"]) for one in view["kinds"]}
    assert (counts["training"], counts["finding"]) == ((1, 0), (1, 1))


def test_an_overdue_improvement_is_supervised_like_any_task(site: Site) -> None:
    incident = site.desk.act("open", "", {"title": "谣言", "grade": "III"}, "chen")["id"]
    given = {"name": "修订首发模板", "unit": "应急局", "due_at": "2026-11-21T18:00"}
    site.desk.aftermath.act("improve", incident, given, "li")
    site.time.moment = at("1+10:00")
    keep_registers(site.house)
    late = [
        one
        for one in site.desk.registers.overview("supervision")["entries"]
        if "修订首发模板" in one["title"]
    ]
    assert [(one["unit"], one["incident"]) for one in late] == [("应急局", incident)]
    assert site.verified()


def test_a_training_counts_for_its_counters_and_a_cancelled_one_does_not(site: Site) -> None:
    def done() -> dict[str, int]:
        return {one["id"]: one["done"] for one in site.desk.registers.overview()["counters"]}

    assert done()["half_year_training"] == 0
    entry = add(site, "training", "培训")
    assert (done()["half_year_training"], done()["yearly_training"], done()["principal_hears"]) == (1, 1, 0)
    add(site, "other", "年度回头看", counter="look_back")
    assert done()["look_back"] == 1
    site.desk.registers.act("cancel", entry["id"], {"reason": "改期"}, "chen")
    assert done()["half_year_training"] == 0
    with pytest.raises(Refusal, match="是不是 “look_back”"):
        add(site, "other", "回头看", counter="lookback")
    with pytest.raises(Unknown, match="值班表里没有 zhang"):
        site.desk.registers.act("add", "", {"kind": "other", "title": "x"}, "zhang")


def test_what_is_not_ours_is_not_counted(site: Site) -> None:
    ours = RegistersSource(not_ours=("water_quality_month",))
    site.house.site = dataclasses.replace(site.house.site, registers=ours)
    known = {one["id"] for one in site.desk.registers.overview()["counters"]}
    assert ("water_quality_month" in known, "water_quality_quarter" in known) == (False, True)


# ── the daily duty ──


def test_the_duty_supervises_what_is_late_once_and_tells_the_owner(site: Site) -> None:
    incident = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II", "owner": "应急局"}, "chen")[
        "id"
    ]
    site.time.moment = at("08:00")
    assert keep_registers(site.house) == "台账在办公时间核对"
    site.time.moment = at("10:00")
    assert "建议督办 1 项" in keep_registers(site.house)  # the first word; not its acknowledgement
    keep_registers(site.house)
    assert len(site.desk.registers.overview("supervision")["entries"]) == 1
    site.time.moment = at("1+10:00")
    keep_registers(site.house)
    listed = site.desk.registers.overview("supervision")["entries"]
    assert ["新闻发布会" in one["title"] for one in listed] == [True, False]
    first = next(one for one in listed if "首次发布" in one["title"])
    assert (first["state_zh"], first["unit"], first["incident"]) == ("建议督办", "应急局", incident)
    assert site.verified()


def test_an_issued_supervision_is_told_to_the_unit_and_done_after_its_answer(site: Site) -> None:
    add(site, "disclosure_request", "供水合同", unit="office", happened_at="2026-09-01T10:00")
    site.time.moment = at("10:00")
    keep_registers(site.house)
    (one,) = [e for e in site.desk.registers.overview("supervision")["entries"] if "供水合同" in e["title"]]
    before = len(site.receiver.requests)
    web = client(site, "li")
    assert web.post(f"/registers/{one['id']}/acts/issue", data={"reason": "限期答复"}).status_code == 303
    deliver(site.house)
    asked = [body for body in site.bodies(before) if "供水合同" in body["title"] and "督办" in body["title"]]
    assert {body["recipient"]["person"] for body in asked} == {"chen", "li", "zhao", "zhou"}
    early = web.post(f"/registers/{one['id']}/acts/done", data={"result": "办了"})
    assert (early.status_code, "还没有责任单位的答复" in early.text) == (409, True)
    web.post(f"/registers/{one['id']}/acts/answer", data={"text": "承办人外出，今日答复"})
    assert web.post(f"/registers/{one['id']}/acts/done", data={"result": "已答复"}).status_code == 303
    assert site.verified()


def test_an_unanswered_application_becomes_a_draft_that_a_person_decides(site: Site) -> None:
    add(site, "disclosure_request", "供水合同", unit="水务局", happened_at="2026-09-01T10:00")
    site.time.moment = at("10:00")
    keep_registers(site.house)
    (draft,) = site.desk.registers.overview("accountability")["entries"]
    assert (draft["state_zh"], draft["unit"]) == ("待决定", "水务局")
    assert "依申请公开不回复" in draft["title"]
    web = client(site, "zhao")
    empty = web.post(f"/registers/{draft['id']}/acts/decide", data={"finding": "upheld"})
    assert (empty.status_code, "必须写明理由" in empty.text) == (409, True)
    said = {"finding": "upheld", "reason": "经核属实，通报批评"}
    assert web.post(f"/registers/{draft['id']}/acts/decide", data=said).status_code == 303
    assert site.desk.registers.entry(draft["id"])["state_zh"] == "予以追究"


def test_an_application_whose_mending_is_waited_for_is_no_case_of_not_replying(site: Site) -> None:
    entry = add(site, "disclosure_request", "供水合同", unit="水务局", happened_at="2026-09-01T10:00")["id"]
    asked = {"at": "2026-09-03T09:00", "reason": "补身份证明"}
    shown = site.desk.registers.act("mend", entry, asked, "chen")
    assert (shown["state_zh"], shown["late"], shown["due_at"]) == ("等待补正", False, None)
    site.time.moment = at("10:00")
    keep_registers(site.house)
    assert site.desk.registers.overview("accountability")["entries"] == []
    assert site.desk.registers.overview("supervision")["entries"] == []


def test_the_owner_hears_of_late_entries_each_day_and_not_twice(site: Site) -> None:
    add(site, "finding", "首页打不开", defect="late", due_at="2026-11-21T09:00")
    site.time.moment = at("10:00")
    before = len(site.receiver.requests)
    keep_registers(site.house)
    deliver(site.house)
    said = [body for body in site.bodies(before) if body["title"] == "台账 1 项已逾期"]
    assert len(said) == 1
    assert "首页打不开" in said[0]["reason"]
    keep_registers(site.house)
    site.time.moment = at("1+10:00")
    keep_registers(site.house)
    deliver(site.house)
    assert len([b for b in site.bodies(before) if b["title"].startswith("台账 1 项已逾期")]) == 2


def test_the_owner_hears_of_a_year_that_ends_once_a_week(site: Site) -> None:
    site.desk.act("open", "", {"title": "谣言", "grade": "IV"}, "chen")  # the journal begins in November
    heard = []
    for day in (16, 17, 23):  # Monday 7 December, the day after, the Monday after
        before = len(site.receiver.requests)
        site.time.moment = at(f"{day}+10:00")
        keep_registers(site.house)
        deliver(site.house)
        said = [body for body in site.bodies(before) if body["title"].endswith("本期将到")]
        heard.append({body["recipient"]["person"] for body in said})
        assert all("听取" in body["reason"] or "等" in body["reason"] for body in said)
    assert heard[0] == heard[2] != set()
    assert heard[1] == set()


def test_the_duty_runs_among_the_others(site: Site) -> None:
    site.time.moment = at("10:00")
    assert (
        asyncio.run(perform(site.house, "registers")) == "复盘 0 项，建议督办 0 项，问责建议 0 项，提醒 0 条"
    )


def test_a_closed_incident_is_to_be_looked_back_on_within_a_week(site: Site) -> None:
    incident = site.desk.act("open", "", {"title": "谣言", "grade": "III"}, "chen")["id"]
    for clock in site.desk.incident(incident)["clocks"]:  # type: ignore[index]
        if clock["state"] in ("running", "at_risk"):
            site.desk.act("waive", incident, {"clock": clock["id"], "reason": "并案"}, "zhou")
    close(site, incident)
    site.time.moment = at("10:00")
    assert "复盘 1 项" in keep_registers(site.house)
    (task,) = [t for t in site.desk.aftermath.overview(incident)["tasks"] if t["source"] == "复盘"]
    assert task["due_at"].startswith("2026-11-28T")
    site.desk.aftermath.act("lesson", incident, {"text": "口径要早定"}, "li")
    (done,) = [t for t in site.desk.aftermath.overview(incident)["tasks"] if t["source"] == "复盘"]
    assert done["state_zh"] == "已完成"


def test_neither_a_loose_task_nor_a_cause_nor_a_name_takes_the_place_of_a_review(site: Site) -> None:
    site.desk.work.task("add", {"name": "复盘培训材料", "unit": "办公室"}, "li")
    asked = {"title": "化工园区火灾", "grade": "II", "occurred_at": "2026-11-21T00:00"}
    incident = site.desk.act("open", "", asked, "chen")["id"]
    site.time.moment = at("06:00")
    said = {"kind": "published_statement", "url": "https://example.gov.cn/1", "publisher": "临江发布"}
    site.desk.act("stop", incident, said, "chen")
    site.desk.work.act("add", incident, {"name": "复盘用的照片", "unit": "办公室"}, "li")
    why = {"clock": "first_statement", "cause": "review_slow", "words": "逐级报批"}
    site.desk.aftermath.act("cause", incident, why, "li")
    close(site, incident)
    site.time.moment = at("10:00")
    assert "复盘 1 项" in keep_registers(site.house)
    site.desk.aftermath.act("lesson", incident, {"text": "口径要早定"}, "li")
    shown = {task["name"]: task["state"] for task in site.desk.aftermath.overview(incident)["tasks"]}
    assert (shown["复盘：时限、原因、教训"], shown["复盘用的照片"]) == ("done", "open")


def close(site: Site, incident: str) -> None:
    """Close it, whatever else the rules may ask for."""
    change = {"id": incident, "stage": Stage.CLOSED.value, "closed_at": site.time.now().isoformat()}
    with site.house.store.write() as conn:
        append(
            conn,
            site.time.now(),
            [Entry("incident_closed", {"update": {"incident": [change]}}, "li", "办结", incident)],
        )


# ── the command line ──


def test_the_command_line_keeps_the_registers_too(site: Site) -> None:
    cli = Cli(site.house.site.directory)
    made = cli(
        "register", "add", "account", "--title", "临江发布", "--by", "chen", "--set", "platform=微博",
        "--set", "account=临江发布", "--set", "filing_no=0001", "--json",
    )  # fmt: skip
    assert made.code == 0, made.err
    entry = made.value["id"]
    assert entry in cli("register", "list", "account").out
    assert "备案号：0001" in cli("register", "show", entry).out
    wrong = cli("register", "add", "account", "--title", "x", "--by", "chen", "--set", "platform")
    assert (wrong.code, "写成 --set 名=值" in wrong.err) == (2, True)
    assert (
        "没有备案号这一项"
        in cli("register", "add", "other", "--title", "x", "--by", "chen", "--set", "filing_no=1").err
    )
    assert "principal_hears" in cli("register", "counters").out
    gone = cli("register", "cancel", entry, "--by", "li", "--reason", "注销")
    assert (gone.code, "已作废" in gone.out) == (0, True)
    lost = cli("register", "done", "R1", "--by", "li", "--result", "x")
    assert (lost.code, "台账里没有 R1" in lost.err) == (1, True)


def test_an_application_is_marked_from_the_command_line(site: Site) -> None:
    entry = add(site, "disclosure_request", "供水合同")["id"]
    cli = Cli(site.house.site.directory)
    with site.house.store.read() as conn:
        before = registers.get(conn, entry).due_at
    asked = cli("register", "mark", entry, "consult", "--by", "chen", "--at", site.time.now().isoformat())
    assert asked.code == 0, asked.err
    assert "征求意见中" in asked.out
    with site.house.store.read() as conn:
        after = registers.get(conn, entry).due_at
    assert after is None or after > before
    assert cli("register", "mark", entry, "prolong", "--by", "chen").code == 2


def held(site: Site, kind: str) -> tuple[str, str]:
    """A meeting of that kind that was held: its incident and its number."""
    given = {"title": "化工园区爆炸", "grade": "II", "occurred_at": "2026-11-21T00:00"}
    incident = str(site.desk.act("open", "", given, "chen")["id"])
    booking = {"kind": kind, "starts_at": "2026-11-21T10:00", "place": "新闻发布厅"}
    number = str(site.desk.meetings.act("book", incident, booking, "chen")["acted_on"])
    site.time.moment = at("10:20")
    done = {"meeting": number, "held_at": "2026-11-21T10:05", "document": "文字实录 1 号"}
    site.desk.meetings.act("held", incident, done, "chen")
    return incident, number


@pytest.mark.parametrize(("kind", "title"), [("media_meeting", "媒体通气会"), ("interview", "集体采访")])
def test_a_service_to_the_media_that_was_held_stands_in_its_register_without_being_written_twice(
    site: Site, kind: str, title: str
) -> None:
    incident, number = held(site, kind)
    add(site, "media", "日报专访", outlet="临江日报", happened_at="2026-11-21T10:10")
    view = site.desk.registers.overview("media")
    assert [entry["title"] for entry in view["entries"]] == ["日报专访", f"{title}（新闻发布厅）"]
    assert next(one for one in view["kinds"] if one["kind"] == "media")["all"] == 2
    page = client(site).get("/registers?kind=media").text
    assert (f'href="/incidents/{incident}/meetings"' in page, f"{title}（新闻发布厅）" in page) == (
        True,
        True,
    )
    assert site.desk.registers.entry(number)["state_zh"] == "已举行"
    assert site.desk.registers.overview(everything=False)["entries"] == [], "nobody waits for either"
    with site.house.store.read() as conn:
        assert len(registers.listed(conn)) == 1


def test_a_press_conference_is_no_service_to_the_media(site: Site) -> None:
    held(site, "press_conference")
    assert site.desk.registers.overview("media")["entries"] == []
