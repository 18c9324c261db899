"""How an incident is worked on, from the desk, its pages, the API and the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from flows.cadence import cadence
from flows.duty import perform
from flows.office import tasking
from flows.office.work import Work
from models.core.vocabulary import OpinionKind
from models.ledger import supervising, tasks
from support.cli import Cli
from support.river_site import Site, at
from support.sites import write_site

KIND_NEEDS = {
    "constructive": "published_response",
    "hardship": "published_response",
    "major_problem": "published_statement",
    "uninformed": "published_statement",
    "erroneous": "published_clarification",
    "false_info": "published_clarification",
    "cac_notice": "reply_receipt",
    "not_yet_spread": "report_receipt",
}
"""规则研究 1.1: the proof without which each kind of opinion does not close."""


def opened(site: Site, grade: str = "IV", **more: str) -> str:
    about = {"title": "望江路停水", "grade": grade, "occurred_at": "2026-11-21T00:00", **more}
    return str(site.desk.act("open", "", about, "chen")["id"])


def act(site: Site, incident: str, what: str, by: str = "li", /, **params: str) -> dict[str, Any]:
    return site.desk.work.act(what, incident, params, by)


def client(site: Site, who: str = "li") -> TestClient:
    made = TestClient(build(site.desk), follow_redirects=False)
    made.cookies.set("huiying_person", who)
    return made


def waived(site: Site, incident: str) -> None:
    """Every clock signed away, so that only the work itself keeps the incident from closing."""
    shown = site.desk.incident(incident)
    assert shown is not None
    for clock in shown["clocks"]:
        if clock["ended_at"] is None and clock["state"] != "armed":
            site.desk.act("waive", incident, {"clock": clock["id"], "reason": "试"}, "zhou")


def refusal(site: Site, incident: str) -> str:
    with pytest.raises(Refusal) as refused:
        site.desk.act("close", incident, {"reason": "办完"}, "li")
    return str(refused.value)


# ── closing by kind ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", list(OpinionKind))
def test_each_kind_of_opinion_closes_only_with_its_own_proof_and_by_its_own_rule(
    site: Site, kind: OpinionKind
) -> None:
    incident = opened(site, kind=kind.value)
    said = refusal(site, incident)
    rule = {"false_info": "S-035", "cac_notice": "S-040", "not_yet_spread": "S-041"}.get(kind.value, "S-03")
    assert rule in said
    asked = {t["evidence"] for t in site.desk.work.overview(incident)["tasks"] if t["must"]}
    assert KIND_NEEDS[kind.value] in asked
    assert ("handover_receipt" in asked) == (kind is OpinionKind.FALSE_INFO)


def test_a_suggestion_closes_once_its_answer_is_public(site: Site) -> None:
    incident = opened(site, kind="constructive")
    site.time.moment += timedelta(hours=1)
    site.desk.act("ack", incident, {}, "chen")
    site.desk.act("stop", incident, {"kind": "published_response", "url": "https://a.example/1"}, "li")
    assert site.desk.act("close", incident, {"reason": "已公开采纳情况"}, "li")["stage"] == "closed"
    assert site.verified()


def test_an_emergency_closes_only_with_receipts_and_the_first_spokesperson(site: Site) -> None:
    incident = opened(site, "II")
    waived(site, incident)
    said = refusal(site, incident)
    assert "上级总值班室、宣传部、网信办 的回执" in said
    assert "第一新闻发言人" in said
    site.time.moment += timedelta(minutes=20)
    for number, to in enumerate(("上级总值班室", "宣传部", "网信办")):
        view = act(
            site, incident, "receipt", "chen", to=to, receipt=f"收 {number}", at=f"2026-11-21T00:0{number}"
        )
    assert view["notifications"][0]["within"] is True
    assert "回执" not in refusal(site, incident)
    (speak,) = [t for t in view["tasks"] if t["must"] and t["state"] == "open"]
    act(site, incident, "done", "zhou", task=str(speak["number"]), result="周正 0 时 15 分电视讲话")
    assert site.desk.act("close", incident, {"reason": "处置完毕"}, "li")["stage"] == "closed"
    after = [t for t in site.desk.work.overview(incident)["tasks"] if t["state"] == "open"]
    assert {t["name"] for t in after} >= {"复盘各时间点，开评估会"}
    assert site.verified()


def test_a_false_alarm_is_closed_by_one_signature_of_the_duty_leader(site: Site) -> None:
    incident = opened(site, "II", kind="false_info")
    waived(site, incident)
    with pytest.raises(Refusal, match="带班领导"):
        act(site, incident, "drop", "chen", task="all", reason="误报")
    assert "已核销" in act(site, incident, "drop", "li", task="all", reason="误报")["said"]
    site.desk.act("close", incident, {"reason": "误报"}, "li")
    site.desk.act("reopen", incident, {"reason": "又不是误报"}, "li")
    assert site.verified()


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────


def test_what_a_new_grade_asks_for_is_laid_and_goes_again(site: Site) -> None:
    incident = opened(site, "IV")
    before = {t["name"] for t in site.desk.work.overview(incident)["tasks"]}
    site.desk.act("grade", incident, {"grade": "II", "reason": "核实"}, "li")
    raised = site.desk.work.overview(incident)["tasks"]
    assert {t["name"] for t in raised if t["state"] == "open"} > {"准备答问口径"}
    site.desk.act("grade", incident, {"grade": "IV", "reason": "核减"}, "li")
    again = site.desk.work.overview(incident)["tasks"]
    assert {t["name"] for t in again if t["state"] == "open"} == before
    assert site.verified()


def test_a_task_with_a_limit_counts_from_what_its_playbook_says(site: Site) -> None:
    incident = opened(site, kind="cac_notice", received_at="2026-11-20T23:30")
    (task,) = [t for t in site.desk.work.overview(incident)["tasks"] if t["name"].startswith("核实通报内容")]
    assert task["due_at"] == "2026-11-21T00:30:00+08:00"
    site.time.moment = at("00:31")
    assert site.desk.work.overview(incident)["tasks"][0]["late"]


def test_who_is_late_is_told_once_a_day(site: Site) -> None:
    incident = opened(site)
    act(site, incident, "add", name="走访家属", unit="office", due="2026-11-21T01:00")
    site.time.moment = at("02:00")
    assert tasking.tell_late(site.house) > 0
    assert tasking.tell_late(site.house) == 0
    site.time.moment = at("1+02:00")
    assert tasking.tell_late(site.house) > 0
    assert {p.id for p in tasking.people_of(site.house, "市政府办公室")} == {"chen", "li"}


def test_what_is_late_and_named_in_a_playbook_s_words_is_supervised_with_the_owner(site: Site) -> None:
    incident = opened(site, "III")
    site.desk.act("assign", incident, {"unit": "应急局", "reason": "属地"}, "li")
    act(site, incident, "add", name="逐户走访", due="2026-11-22T00:00")
    act(site, incident, "add", name="核对名单", unit="承办单位", due="2026-11-22T00:00")
    site.time.moment = at("2+10:00")
    with site.house.store.read() as conn:
        late = {one.title: one.unit for one in supervising.overdue(conn, site.time.now())}
    assert (late["任务 逐户走访"], late["任务 核对名单"]) == ("应急局", "应急局")


def test_what_is_answered_is_read_when_the_act_is_written(site: Site) -> None:
    class Looking(Work):
        """Looks on while its answer is made, from a connection of its own."""

        seen: tuple[str, ...] = ()

        def overview(self, incident_id: str) -> dict[str, Any]:
            with site.house.store.read() as other:
                self.seen = tuple(task.name for task in tasks.of(other, incident_id))
            return super().overview(incident_id)

    incident, work = opened(site), Looking(site.desk)
    assert work.act("add", incident, {"name": "逐户走访"}, "li")["said"] == "已加任务“逐户走访”"
    assert "逐户走访" in work.seen


def test_a_waiver_below_the_duty_leader_leaves_what_the_kind_asks_for(site: Site) -> None:
    incident = opened(site, "III", kind="false_info")
    shown = site.desk.incident(incident)
    assert shown is not None
    for clock in shown["clocks"]:
        if clock["ended_at"] is None and clock["state"] != "armed":
            site.desk.act("waive", incident, {"clock": clock["id"], "reason": "不必"}, "chen")
    assert "尚缺澄清信息" in refusal(site, incident)
    act(site, incident, "drop", "zhou", task="all", reason="误报")
    assert site.desk.act("close", incident, {"reason": "办完"}, "li")["stage"] == "closed"
    assert site.verified()


def test_the_cadence_lays_what_triage_opened_without_anybody(site: Site) -> None:
    site.say("news", "临江化工园区爆炸", "临江市化工园区发生爆炸，已造成5人死亡。")
    site.beat()
    (incident,) = site.desk.board()["incidents"]
    assert site.desk.work.overview(incident["id"])["tasks"] == []
    assert "核对任务" in cadence(site.house)
    assert len(site.desk.work.overview(incident["id"])["tasks"]) > 5
    assert "核对任务" not in str(asyncio.run(perform(site.house, "cadence")))
    assert site.verified()


def test_the_list_of_all_tasks_is_by_unit_and_the_late_come_first(site: Site) -> None:
    incident = opened(site)
    site.desk.act("assign", incident, {"unit": "office"}, "li")
    act(site, incident, "add", name="走访家属", unit="民政局", due="2026-11-21T01:00")
    site.desk.work.task("add", {"name": "全年培训", "unit": "office"}, "li")
    site.time.moment = at("02:00")
    seen = site.desk.work.list()
    assert seen["groups"][0]["unit"] == "民政局"
    assert seen["late"] == 1
    office = site.desk.work.list("office")
    assert office["unit"] == "市政府办公室"
    assert {"全年培训", "按舆情类别办理并公开结果"} <= {t["name"] for t in office["groups"][0]["tasks"]}
    loose = next(t for t in office["groups"][0]["tasks"] if t["name"] == "全年培训")
    assert "已完成" in site.desk.work.task("done", {"task": loose["id"], "result": "两期"}, "chen")["said"]
    assert site.verified()


# ── stages and owners ─────────────────────────────────────────────────────────────────────────


def test_an_incident_goes_from_its_collection_to_its_evaluation(site: Site) -> None:
    incident = opened(site)
    act(site, incident, "stage", to="collect", reason="先收集")
    act(site, incident, "stage", "chen", to="consult", text="三处信源", reason="收集完")
    act(site, incident, "stage", "chen", to="assess", text="住建、宣传会商", reason="会商完")
    view = act(site, incident, "stage", to="respond", text="属实，须回应", reason="研判完")
    assert [one["kind_zh"] for one in view["stage"]["products"]] == ["研判结论", "会商纪要", "收集摘要"]
    assert view["stage"]["owed"] == []
    site.desk.act("stop", incident, {"kind": "published_response", "url": "https://a.example/1"}, "li")
    assert act(site, incident, "stage", to="evaluate", reason="已平息")["stage"]["here"] == "evaluate"
    limits = [c for c in site.clocks(incident) if c.startswith("stage.")]
    assert sorted(limits) == ["stage.assess", "stage.collect", "stage.consult", "stage.evaluate"]
    assert site.verified()


def test_a_unit_is_asked_its_people_are_told_and_its_claim_ends_it(site: Site) -> None:
    incident = opened(site)
    site.desk.act("assign", incident, {"unit": "市政府办公室", "co": "民政局，水务局"}, "li")
    shown = site.desk.incident(incident)
    assert shown is not None
    assert shown["owner"] == "office"
    assert "责任单位 未定 → 市政府办公室" in [entry["text"] for entry in shown["timeline"]]
    told = site.until("00:02")
    claims = {line for line in told if line.startswith("party.")}
    assert any("chen" in line or "li" in line for line in claims)
    assert not any("zhou" in line for line in claims)  # the principal hears through the ladder
    view = act(site, incident, "claim", "chen")
    assert view["parties"]["answerable"] == "市政府办公室"
    assert [p["state_zh"] for p in view["parties"]["parties"]] == ["已认领", "待认领", "待认领"]
    assert site.verified()


def test_a_roster_that_says_nothing_of_its_units_is_told_what_to_write(site: Site) -> None:
    view = site.desk.work.overview(opened(site, place="临江市滨江区"))
    assert view["proposal"]["lead"] is None
    assert "roster.yaml" in view["proposal"]["reasons"][0]


def test_what_the_roster_says_of_its_units_is_proposed_and_assigned_by_a_person(tmp_path: Path) -> None:
    directory = write_site(tmp_path / "site", "http://127.0.0.1:9")
    roster = json.loads((directory / "roster.yaml").read_text(encoding="utf-8"))
    roster["units"][0]["coordinates"] = True
    roster["units"] += [
        {"id": "gas", "name": "市住建局", "level": "city", "places": "临江市", "topics": ["燃气"]},
        {"id": "bj", "name": "滨江区政府", "level": "county", "places": ["临江市滨江区"]},
    ]
    (directory / "roster.yaml").write_text(json.dumps(roster, ensure_ascii=False), encoding="utf-8")
    cli = Cli(directory)
    opening = ("--title", "望江路燃气泄漏", "--grade", "I", "--place", "临江市滨江区望江路", "--by", "chen")
    name = cli.json("open", *opening)["id"]
    proposal = cli.json("work", name)["proposal"]
    assert (proposal["lead_name"], proposal["other_names"]) == ("市住建局", ["滨江区政府"])
    assert (proposal["coordinator"], proposal["principal"], proposal["joint"]) == ("office", True, True)
    assert cli.json("work", name)["parties"]["parties"] == []  # a proposal is no assignment
    cli.json("assign", name, "--by", "li", "--unit", "市住建局", "--co", "bj")
    parties = cli.json("work", name)["parties"]["parties"]
    assert [(one["unit"], one["role"], one["state"]) for one in parties if one["role"] == "lead"] == [
        ("gas", "lead", "asked")
    ]
    assert {(one["unit"], one["state"]) for one in parties} == {
        ("gas", "asked"), ("bj", "asked"), ("office", "claimed"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("stage", {"to": "respnd", "reason": "x"}, "是不是 “respond”"),
        ("stage", {"to": "respond", "reason": ""}, "写明理由"),
        ("stage", {"to": "evaluate", "reason": "x"}, "研判之后是回应"),
        ("product", {"kind": "minutes"}, "缺少会商纪要内容"),
        ("claim", {}, "请先交办"),
        ("transfer", {"reason": "x"}, "缺少移交给哪个单位"),
        ("receipt", {"to": "宣传部"}, "缺少回执编号"),
        ("receipt", {"to": "宣传部", "receipt": "1", "at": "昨天"}, "不是时间"),
        ("add", {}, "缺少任务"),
        ("add", {"name": "x", "due": "2026-11-20T00:00"}, "已经过去"),
        ("add", {"name": "x", "unit": "ofice"}, "是不是 “office”"),
        ("add", {"name": "x", "evidence": "receipt"}, "凭据种类"),
        ("done", {"task": "1", "result": ""}, "结果"),
        ("drop", {"task": "1", "reason": ""}, "理由"),
    ],
)
def test_what_is_wrong_with_an_act_is_said_in_words(
    site: Site, name: str, params: dict[str, str], words: str
) -> None:
    incident = opened(site)
    with pytest.raises(Refusal, match=words):
        act(site, incident, name, **params)


def test_what_is_not_there_is_named(site: Site) -> None:
    incident = opened(site)
    for name, who, words in (("stge", "li", "是不是 “stage”"), ("claim", "lee", "值班表里没有 lee")):
        with pytest.raises(Unknown, match=words):
            act(site, incident, name, who)
    with pytest.raises(Unknown, match="没有叫 999"):
        act(site, incident, "done", task="999", result="x")
    with pytest.raises(Unknown, match="没有编号为"):
        site.desk.work.overview("2026-9999")


# ── pages, API, commands ──────────────────────────────────────────────────────────────────────


def test_the_page_shows_the_work_and_its_forms_do_it(site: Site) -> None:
    incident = opened(site, "II")
    console = client(site)
    page = console.get(f"/incidents/{incident}/work").text
    for words in ("办结还缺", "通报", "必办", "对照清单", 'aria-current="page">办理'):
        assert words in page
    sent = console.post(
        f"/incidents/{incident}/acts/assign", data={"unit": "office", "co": "民政局", "view": "work"}
    )
    assert (sent.status_code, sent.headers["location"]) == (303, f"/incidents/{incident}/work")
    sent = console.post(f"/incidents/{incident}/work/acts/claim", data={"reason": "接办"})
    assert sent.status_code == 303
    page = console.get(sent.headers["location"]).text
    assert "已认领" in page
    assert "首问" in page
    refused = console.post(f"/incidents/{incident}/work/acts/stage", data={"to": "evaluate", "reason": "x"})
    assert refused.status_code == 409
    assert "S-002" in refused.text


def test_a_title_with_markup_stays_text(site: Site) -> None:
    incident = opened(site)
    act(site, incident, "add", name="<script>alert(1)</script>", unit="<b>局</b>", due="2026-11-22T00:00")
    for path in (f"/incidents/{incident}/work", "/tasks"):
        page = client(site).get(path).text
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;" in page


def test_the_list_of_tasks_is_a_page_where_one_s_own_are_added_and_done(site: Site) -> None:
    console = client(site)
    assert "没有未完成的任务" in console.get("/tasks").text
    sent = console.post("/tasks/acts/add", data={"name": "全年培训", "unit": "office"})
    page = console.get(sent.headers["location"]).text
    assert "全年培训" in page
    assert "市政府办公室" in page
    (task,) = site.desk.work.list()["groups"][0]["tasks"]
    console.post("/tasks/acts/done", data={"task": task["id"], "result": "两期"})
    assert site.desk.work.list()["total"] == 0


def test_the_api_says_and_does_the_same(site: Site) -> None:
    incident = opened(site, kind="not_yet_spread")
    console = client(site, "")
    seen = console.get(f"/api/v1/incidents/{incident}/work").json()
    assert seen["notifications"][0]["missing"] == ["上级总值班室", "宣传部", "网信办"]
    url = f"/api/v1/incidents/{incident}/work/acts"
    told = console.post(f"{url}/receipt", json={"by": "chen", "to": "宣传部", "receipt": "宣 1"}).json()
    assert told["said"] == "已登记 宣传部 的回执"
    again = console.post(f"{url}/receipt", json={"by": "chen", "to": "网信办", "receipt": "宣 1"})
    assert again.status_code == 409
    assert "只能用一次" in again.json()["error"]
    assert console.get("/api/v1/tasks").json()["total"] > 0
    loose = console.post("/api/v1/tasks/acts/add", json={"by": "li", "name": "培训"}).json()
    assert loose["said"] == "已加任务“培训”"


def test_every_act_is_a_command_too(tmp_path: Path, database_url: str) -> None:
    cli = Cli(write_site(tmp_path / "site", "http://127.0.0.1:9", database=database_url))
    opening = ("--title", "望江路停水", "--grade", "IV", "--kind", "hardship", "--by", "chen")
    name = cli.json("open", *opening)["id"]
    assert cli.json("work", name)["stage"]["here"] == "assess"
    by = ("--by", "li", "--reason", "推进")
    assert cli.json("stage", name, *by, "--to", "respond", "--text", "属实")["stage"]["here"] == "respond"
    assert cli.json("product", name, *by, "--kind", "minutes", "--text", "已会商")["said"] == "已写下会商纪要"
    cli.json("assign", name, *by, "--unit", "office", "--co", "水务局")
    assert cli.json("reject", name, *by, "--unit", "office", "--instead", "水务局")["parties"]["by_first"]
    assert cli.json("claim", name, *by, "--unit", "水务局")["parties"]["answerable"] == "水务局"
    moved = cli.json("transfer", name, *by, "--unit", "水务局", "--to", "office")
    assert moved["parties"]["parties"][-1]["state"] == "asked"
    to = ("--to", "宣传部", "--receipt", "宣 1")
    assert cli.json("notify-receipt", name, "--by", "chen", *to)["said"].startswith("已登记")
    added = cli.json("task", "add", "走访家属", "--by", "li", "--incident", name, "--must")
    task = next(t for t in added["tasks"] if t["name"] == "走访家属")
    assert (task["must"], task["source"]) == (True, "人工")
    what = ("--by", "chen", "--incident", name)
    done = cli.json("task", "done", str(task["number"]), *what, "--result", "三户")
    assert "走访家属" in {t["name"] for t in done["tasks"] if t["state"] == "done"}
    dropped = cli.json("task", "drop", "all", "--by", "li", "--incident", name, "--reason", "误报")
    assert [t for t in dropped["tasks"] if t["must"] and t["state"] == "open"] == []
    said = cli("task", "list")
    assert said.code == 0
    assert "通报 宣传部" not in said.out  # its receipt is there
    assert "水务局" in cli("work", name).out
    refused = cli("stage", name, "--by", "chen", "--to", "collect", "--reason", "x")
    assert (refused.code, "第 2 级以上" in refused.err) == (1, True)
    assert cli.json("verify")["ok"]


def test_the_page_s_view_is_plain_json(site: Site) -> None:
    incident = opened(site, "I")
    assert json.loads(json.dumps(site.desk.work.overview(incident)))["proposal"]["principal"] is True
