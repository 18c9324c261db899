"""复盘: the chain of times with its sources, who was on duty and told, causes, lessons, improvements."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from flows.office.aftermath import chain
from flows.respond import respond
from models.ledger.journal import JOURNAL
from support.cli import Cli
from support.river_site import Site, at


def night(site: Site) -> str:
    """Occurred at midnight, opened at 00:30, the first word at 06:00: an hour late."""
    site.time.moment = at("00:30")
    asked = {"title": "化工园区火灾", "grade": "II", "occurred_at": "2026-11-21T00:00", "owner": "应急局"}
    incident = str(site.desk.act("open", "", asked, "chen")["id"])
    site.time.moment = at("05:00")
    respond(site.house)
    site.time.moment = at("06:00")
    said = {"kind": "published_statement", "url": "https://example.gov.cn/1", "publisher": "临江发布"}
    site.desk.act("stop", incident, said, "chen")
    return incident


def late(site: Site, incident: str) -> dict[str, Any]:
    found = chain(site.house, incident)["late"]
    return next(dict(one) for one in found if one["clock"] == "first_statement")


def test_every_moment_names_the_entry_that_states_it(site: Site) -> None:
    incident = night(site)
    times = chain(site.house, incident)["times"]
    with site.house.store.read() as conn:
        known = set(conn.execute(select(JOURNAL.c.seq).where(JOURNAL.c.incident_id == incident)).scalars())
    assert {one["seq"] for one in times} <= known
    said = [one["what"] for one in times]
    for word in ("事件发生", "接报", "发现", "立案", "首次发布权威信息 起算", "首次发布权威信息 到期"):
        assert word in said
    assert [one["at"] for one in times] == sorted(one["at"] for one in times)
    assert (times[0]["gap_s"], times[0]["what"]) == (None, "事件发生")
    assert sum(one["gap_s"] or 0 for one in times[1:]) > 0


def test_the_work_of_people_stands_in_the_chain(site: Site) -> None:
    incident = night(site)
    site.time.moment = at("07:00")
    site.desk.act("assign", incident, {"unit": "office", "reason": "属地"}, "li")
    site.desk.work.act("claim", incident, {"reason": "已到场"}, "chen")
    text = "## 事实\n起火。\n\n## 措施\n已扑救。\n\n## 结果\n已扑灭。\n"
    site.desk.statements.draft(incident, {"title": "续报", "text": text, "disclosure": "proactive"}, "chen")
    said = [one["what"] for one in chain(site.house, incident)["times"] if "07:00" in one["at"]]
    assert said == [
        "交市政府办公室牵头单位",
        "牵头单位认领 起算",
        "市政府办公室已认领",
        "牵头单位认领 按时完成",
        "稿件“续报”起草中",
    ]


def test_what_was_late_says_by_how_much_who_was_on_duty_and_who_was_told(site: Site) -> None:
    one = late(site, night(site))
    assert (one["late_s"], one["open"], one["cause"]) == (3600.0, False, None)
    assert [(r["rung"], r["people"]) for r in one["on_duty"]] == [
        (1, ["陈值班"]), (2, ["李主任"]), (3, ["赵副"]), (4, ["周正"]),
    ]  # fmt: skip
    assert {t["name"] for t in one["told"]} == {"陈值班", "李主任", "赵副", "周正"}
    assert all(t["state_zh"] for t in one["told"])


def test_a_person_names_the_cause_and_may_change_it(site: Site) -> None:
    incident = night(site)
    for cause, words in (("late_notice", "企业迟报"), ("review_slow", "三审用了两小时")):
        given = {"clock": "first_statement", "cause": cause, "words": words}
        site.desk.aftermath.act("cause", incident, given, "li")
        site.time.moment = at("06:10") if cause == "late_notice" else at("06:20")
    one = late(site, incident)
    assert (one["cause_zh"], one["words"], one["by"]) == ("审核迟缓", "三审用了两小时", "李主任")
    assert chain(site.house, incident)["lessons"] == []
    assert site.verified()


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("cause", {"clock": "press_conference", "cause": "system", "words": "x"}, "没有逾期"),
        ("cause", {"clock": "first_statement", "cause": "lazy", "words": "x"}, "“lazy” 不存在"),
        ("cause", {"clock": "first_statement", "cause": "system"}, "一句话写明"),
        ("lesson", {}, "复盘内容不能为空"),
        ("improve", {"name": "修订预案"}, "缺少责任单位"),
        ("improve", {"name": "修订预案", "unit": "应急局", "due_at": "2026-11-20T00:00"}, "已经过去"),
        ("lookback", {"text": "已落实"}, "还没有办结"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    site: Site, name: str, params: dict[str, str], words: str
) -> None:
    incident = night(site)
    with pytest.raises(Refusal, match=words):
        site.desk.aftermath.act(name, incident, params, "li")


def test_lessons_and_improvements_are_kept_with_owner_and_date(site: Site) -> None:
    incident = night(site)
    room = site.desk.aftermath
    room.act("lesson", incident, {"text": "首发口径要先备好"}, "li")
    given = {"name": "修订首发模板", "unit": "office", "due_at": "2026-12-15T18:00"}
    found = room.act("improve", incident, given, "li")
    assert (found["said"], [one["text"] for one in found["lessons"]]) == (
        "已立整改任务",
        ["首发口径要先备好"],
    )
    (task,) = [one for one in found["tasks"] if one["source"] == "复盘"]
    assert (task["unit"], task["due_at"], task["state_zh"]) == (
        "市政府办公室", "2026-12-15T18:00:00+08:00", "办理中",
    )  # fmt: skip
    assert site.verified()


def test_the_page_works_without_scripts_and_says_what_was_done(site: Site) -> None:
    incident = night(site)
    web = TestClient(build(site.desk), follow_redirects=False)
    web.cookies.set("huiying_person", "chen")
    page = web.get(f"/incidents/{incident}/aftermath").text
    assert "首次发布权威信息" in page
    assert "日志第 1 条" in page
    clock = late(site, incident)["id"]
    given = {"clock": clock, "cause": "facts_unknown", "words": "伤亡数字三方不一"}
    done = web.post(f"/incidents/{incident}/aftermath/acts/cause", data=given)
    assert done.status_code == 303
    after = web.get(done.headers["location"]).text
    assert "已写明逾期原因" in after
    assert "伤亡数字三方不一" in after
    shown = web.get(f"/api/v1/incidents/{incident}/aftermath").json()
    assert [one["cause_zh"] for one in shown["late"] if one["id"] == clock] == ["情况未核实"]
    assert web.get("/incidents/2026-0099/aftermath").status_code == 404
    assert web.post(f"/incidents/{incident}/aftermath/acts/burn", data={}).status_code == 404


def test_the_command_line_looks_back_too(site: Site) -> None:
    incident = night(site)
    cli = Cli(site.house.site.directory)
    said = cli("aftermath", incident)
    assert said.code == 0, said.err
    assert "日志第 1 条" in said.out
    assert "还没有写原因" in said.out
    named = cli(
        "aftermath", incident, "--by", "li", "--cause", "system", "--clock", "first_statement", "--text", "断网",
    )  # fmt: skip
    assert (named.code, "系统故障，断网" in named.out) == (0, True)
    twice = cli("aftermath", incident, "--lesson", "--lookback", "--text", "x", "--by", "li")
    assert (twice.code, "一次只做一件" in twice.err) == (2, True)
    with pytest.raises(Unknown, match="值班表里没有 zhang"):
        site.desk.aftermath.act("lesson", incident, {"text": "x"}, "zhang")
