"""Statements on the pages and the command line over a real site: written, signed by three, released, compared."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from connectors.console.app import build
from connectors.console.desk import Refusal, Unknown
from flows.wiring import House
from support.cli import Cli
from support.river_site import Site
from support.sites import ENVIRON, write_site

TEXT = (
    "## 事实\n化工园区起火，死亡2人。\n\n## 措施\n市消防救援支队已到场扑救。\n\n## 结果\n明火已于5时扑灭。\n"
)
WRITTEN = {"title": "化工园区火灾通报", "text": TEXT, "disclosure": "proactive"}
REVIEWERS = {"reviewers": "li,zhao,zhou", "secrecy": "zhou"}


@pytest.fixture
def incident(site: Site) -> str:
    opened = site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")
    return str(opened["id"])


@pytest.fixture
def page(site: Site) -> Iterator[TestClient]:
    with TestClient(build(site.desk), follow_redirects=True) as client:
        yield client


def as_(page: TestClient, person: str) -> TestClient:
    page.post("/me", data={"person": person})
    return page


def drafted(site: Site, incident: str, **more: str) -> str:
    return str(site.desk.statements.draft(incident, WRITTEN | more, "chen")["id"])


def approved(site: Site, incident: str, **more: str) -> str:
    sid, room = drafted(site, incident, **more), site.desk.statements
    room.act("submit", sid, REVIEWERS, "chen")
    signed(site, sid)
    return sid


def signed(site: Site, sid: str) -> None:
    room = site.desk.statements
    for by, step in (("li", "1"), ("zhao", "2"), ("zhou", "3"), ("zhou", "c1")):
        room.act("sign", sid, {"sha256": room.one(sid)["sha256"], "step": step}, by)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_goes_through_the_pages_to_its_release_and_the_clock_stops(
    site: Site, incident: str, page: TestClient
) -> None:
    ticked = {"outlet.website": "on", "outlet.weibo": "on"}
    shown = as_(page, "chen").post(f"/incidents/{incident}/statements", data=WRITTEN | ticked)
    assert "已存稿，尚未送审" in shown.text
    sid = shown.url.path.rpartition("/")[2]
    assert site.desk.statements.one(sid)["outlets"] == ["website", "weibo"]
    people = {"person.1": "li", "person.2": "zhao", "person.3": "zhou", "person.c1": "li"}
    assert "现在等 初审 李主任" in page.post(f"/statements/{sid}/acts/submit", data=people).text
    sha = site.desk.statements.one(sid)["sha256"]
    assert "同意并签名" not in page.get(f"/statements/{sid}").text  # its author has nothing to sign
    for person, step in (("li", "1"), ("li", "c1"), ("zhao", "2"), ("zhou", "3")):
        assert "同意并签名" in as_(page, person).get(f"/statements/{sid}").text
        page.post(f"/statements/{sid}/acts/sign", data={"step": step, "sha256": sha, "reason": "同意"})
    released = {"outlet": "website", "url": site.web.url("/news/9"), "sha256": sha}
    told = page.post(f"/statements/{sid}/acts/release", data=released).text
    assert "停止的时钟: first_statement" in told
    assert site.clocks(incident)["first_statement"] == "met"
    assert site.verified()


def test_the_list_shows_whose_turn_it_is_and_the_wording(site: Site, incident: str, page: TestClient) -> None:
    sid = drafted(site, incident)
    site.desk.statements.act("submit", sid, REVIEWERS, "chen")
    as_(page, "li").post(f"/incidents/{incident}/wording", data={"text": "死亡2人，以应急局为准"})
    shown = page.get(f"/incidents/{incident}/statements").text
    assert "等 初审 李主任" in shown
    assert "死亡2人，以应急局为准" in shown
    assert 'aria-current="page">稿件' in shown


def test_an_officers_own_words_are_words_on_the_page(site: Site, incident: str, page: TestClient) -> None:
    sid = drafted(
        site, incident, title="<script>x</script>", text=TEXT + "<img src=x>[去](javascript:alert(1))"
    )
    shown = page.get(f"/statements/{sid}").text
    assert "<script>x" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown


def test_a_refusal_stands_on_the_page_with_its_rule(site: Site, incident: str, page: TestClient) -> None:
    sid = drafted(site, incident)
    own = {"person.1": "chen", "person.2": "zhao", "person.3": "zhou", "person.c1": "li"}
    answer = as_(page, "chen").post(f"/statements/{sid}/acts/submit", data=own)
    assert answer.status_code == 409
    assert "起草或修改过本稿，不能做它的“初审”" in answer.text
    assert page.post(f"/statements/{sid}/acts/burn").status_code == 404
    assert page.get("/statements/nothing").status_code == 404


def test_a_long_text_passes_and_one_that_is_too_long_is_refused_in_words(
    site: Site, incident: str, page: TestClient
) -> None:
    path = f"/incidents/{incident}/statements"
    long = WRITTEN | {"text": TEXT + "情况说明。" * 12_000}
    assert as_(page, "chen").post(path, data=long).status_code == 200
    refused = page.post(path, data=WRITTEN | {"text": "情况说明。" * 14_000})
    assert (refused.status_code, "最多 200 kB" in refused.text) == (409, True)
    assert page.post(path, data=WRITTEN | {"text": "情" * 300_000}).status_code == 413


def test_the_same_stands_in_the_api(site: Site, incident: str, page: TestClient) -> None:
    made = page.post(f"/api/v1/incidents/{incident}/statements", json=WRITTEN | {"by": "chen"})
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    sid = made.json()["id"]
    bad = page.post(f"/api/v1/statements/{sid}/acts/submit", json={"by": "chen", "reviewers": "li,li,zhou"})
    assert (bad.status_code, "不能由同一人审" in bad.json()["error"]) == (409, True)
    done = page.post(f"/api/v1/statements/{sid}/acts/submit", json=REVIEWERS | {"by": "chen"}).json()
    assert [step["person"] for step in done["chain"]] == ["li", "zhao", "zhou", "zhou"]
    assert (
        page.get(f"/api/v1/incidents/{incident}/statements").json()["statements"][0]["state"] == "in_review"
    )
    assert page.get(f"/api/v1/statements/{sid}/package").status_code == 409


def test_the_package_holds_what_each_outlet_takes(site: Site, incident: str, page: TestClient) -> None:
    sid = approved(site, incident, outlets="website,weibo,press")
    with zipfile.ZipFile(io.BytesIO(page.get(f"/statements/{sid}/package").content)) as box:
        files = {name: box.read(name).decode() for name in box.namelist()}
    assert set(files) == {"网站.html", "网站.md", "网站.txt", "微博.txt", "新闻通稿.txt", "说明.txt"}
    assert files["微博.txt"].startswith("【化工园区火灾通报】化工园区起火，死亡2人。")
    assert "<h2>事实</h2>" in files["网站.html"]
    assert site.desk.statements.one(sid)["sha256"] in files["说明.txt"]


# ── who is told ───────────────────────────────────────────────────────────────────────────────


def test_reviewers_are_reminded_and_signers_hear_that_their_word_is_void(site: Site, incident: str) -> None:
    sid, room = drafted(site, incident), site.desk.statements
    room.act("submit", sid, REVIEWERS, "chen")
    site.until("00:02")
    asked = {
        body["recipient"]["person"]
        for body in site.bodies()
        if "初审" in json.dumps(body, ensure_ascii=False)
    }
    assert "li" in asked
    room.act("sign", sid, {"sha256": room.one(sid)["sha256"]}, "li")
    done = room.act("edit", sid, {"text": TEXT + "补充。"}, "chen")
    assert "李主任的审核作废" in done["said"]
    site.beat()
    told = [(b["recipient"]["person"], json.dumps(b, ensure_ascii=False)) for b in site.bodies()]
    assert any(person == "li" and "审核作废" in words for person, words in told)


def test_the_author_hears_of_a_refusal_and_of_the_approval(site: Site, incident: str) -> None:
    sid, room = drafted(site, incident), site.desk.statements
    room.act("submit", sid, REVIEWERS, "chen")
    room.act("refuse", sid, {"sha256": room.one(sid)["sha256"], "reason": "伤亡没有核实"}, "li")
    approved(site, incident, title="第二份")
    site.beat()
    told = [json.dumps(b, ensure_ascii=False) for b in site.bodies() if b["recipient"]["person"] == "chen"]
    assert any("伤亡没有核实" in words for words in told)
    assert any("“第二份”第 1 版已审定" in words for words in told)


# ── what stands there ─────────────────────────────────────────────────────────────────────────


def test_the_watch_compares_what_was_published_and_tells_what_differs(site: Site, incident: str) -> None:
    sid = approved(site, incident)
    site.show(
        "/pub/1", "化工园区火灾通报", "化工园区起火，死亡3人。市消防救援支队已到场扑救。明火已于5时扑灭。"
    )
    said = {"outlet": "website", "url": site.web.url("/pub/1")}
    site.desk.statements.act("release", sid, said, "chen")
    site.until("00:02")
    (release,) = site.desk.statements.one(sid)["releases"]
    assert (release["same"], "2→3" in release["difference"]) == (False, True)
    told = [json.dumps(b, ensure_ascii=False) for b in site.bodies()]
    assert sum("所发与审定稿不一致" in words for words in told) == 1
    site.show(
        "/pub/1", "化工园区火灾通报", "化工园区起火，死亡2人。市消防救援支队已到场扑救。明火已于5时扑灭。"
    )
    site.until("00:12")
    assert site.desk.statements.one(sid)["releases"][0]["same"] is True
    assert site.verified()


def test_the_page_made_of_our_own_package_is_the_same(site: Site, incident: str) -> None:
    listed = TEXT.replace("已到场扑救。", "已到场。\n- 疏散群众\n- 设置**警戒**\n")
    sid, room = approved(site, incident, text=listed), site.desk.statements
    with zipfile.ZipFile(io.BytesIO(room.package(sid)[1])) as box:
        made = box.read("网站.html").decode()
    whole = made.replace("<body>", "<body><div>首页</div><div>发布时间：2026-11-21 00:00 来源：市政府</div>")
    site.web.page("/pub/2", whole.encode(), {"Content-Type": "text/html; charset=utf-8"})
    room.act("release", sid, {"outlet": "website", "url": site.web.url("/pub/2")}, "chen")
    assert room.act("compare", sid, {}, "chen")["said"] == "门户网站与审定稿一致"
    site.web.page("/pub/2", whole.replace("疏散群众", "疏散人员").encode(), {"Content-Type": "text/html"})
    assert "疏散群众" in room.act("compare", sid, {}, "chen")["said"]


def test_a_page_that_a_script_draws_is_no_difference_and_says_so(site: Site, incident: str) -> None:
    sid, room = approved(site, incident, outlets="website,weibo"), site.desk.statements
    site.show("/w/1", "微博", "请稍候")
    room.act("release", sid, {"outlet": "weibo", "url": site.web.url("/w/1")}, "chen")
    assert "没有可读的文字" in room.act("compare", sid, {}, "chen")["said"]
    site.until("00:02")
    assert room.one(sid)["releases"][0]["compared_at"] is None
    assert not any("不一致" in json.dumps(body, ensure_ascii=False) for body in site.bodies())


def test_weibo_may_show_its_beginning_alone(site: Site, incident: str) -> None:
    long = TEXT.replace("起火，", "起火，" + "现场情况正在进一步核查之中，" * 6).replace(
        "到场扑救。", "到场扑救。" * 9
    )
    sid, room = approved(site, incident, text=long, outlets="website,weibo"), site.desk.statements
    with zipfile.ZipFile(io.BytesIO(room.package(sid)[1])) as box:
        brief = box.read("微博.txt").decode()
    assert "全文见门户网站" in brief
    room.act("release", sid, {"outlet": "weibo", "url": "https://weibo.com/1/a"}, "chen")
    assert room.act("compare", sid, {"text": brief}, "chen")["said"] == "微博与审定稿一致"
    assert room.act("compare", sid, {"text": long.replace("## ", "")}, "chen")["said"] == "微博与审定稿一致"


def test_a_comparison_by_hand_reads_the_page_or_the_words_given(site: Site, incident: str) -> None:
    sid, room = approved(site, incident), site.desk.statements
    with pytest.raises(Refusal, match="没有可比对的发布"):
        room.act("compare", sid, {}, "chen")
    room.act("release", sid, {"outlet": "website", "url": site.web.url("/none")}, "chen")
    assert "缺少“全文”" in room.act("compare", sid, {}, "chen")["said"]  # there is no such page
    same = "化工园区起火，死亡2人。市消防救援支队已到场扑救。明火已于5时扑灭。"
    assert "与审定稿一致" in room.act("compare", sid, {"text": same}, "chen")["said"]


def test_a_withdrawn_statement_is_replaced_and_the_clock_runs_again(site: Site, incident: str) -> None:
    sid, room = approved(site, incident), site.desk.statements
    room.act("release", sid, {"outlet": "website", "url": site.web.url("/x")}, "chen")
    with pytest.raises(Refusal, match="不是本事件发布后撤回的"):
        drafted(site, incident, replaces=sid)
    with pytest.raises(Refusal, match="须写明理由"):
        room.act("withdraw", sid, {}, "li")
    assert "first_statement" in room.act("withdraw", sid, {"reason": "数字有误"}, "li")["said"]
    assert site.clocks(incident)["first_statement"] == "running"
    assert room.one(drafted(site, incident, replaces=sid))["replaces"] == sid
    assert site.verified()


def test_a_page_that_was_gone_and_is_back_is_registered_again(site: Site, incident: str) -> None:
    sid, room = approved(site, incident), site.desk.statements
    said = {"outlet": "website", "url": site.web.url("/news/9")}
    room.act("release", sid, said, "chen")
    with pytest.raises(Refusal, match="已登记；换了网址再登记"):
        room.act("release", sid, said, "chen")
    proof = room.one(sid)["releases"][0]["evidence_id"]
    site.desk.act("retract", incident, {"evidence": proof, "reason": "页面 404"}, "li")
    assert "停止的时钟: first_statement" in room.act("release", sid, said, "chen")["said"]
    assert sorted(one["stands"] for one in room.one(sid)["releases"]) == [False, True]
    assert site.clocks(incident)["first_statement"] == "met"
    assert site.verified()


def test_a_second_press_release_names_where_it_was_printed(site: Site, incident: str) -> None:
    sid, room = approved(site, incident), site.desk.statements
    room.act("release", sid, {"outlet": "press"}, "chen")
    with pytest.raises(Refusal, match=r"写明是哪一份\(document\)"):
        room.act("release", sid, {"outlet": "press"}, "chen")
    room.act("release", sid, {"outlet": "press", "document": "临江日报2版"}, "chen")
    assert [one["stands"] for one in room.one(sid)["releases"]] == [True, True]


def test_whose_turn_it_is_may_sign_though_the_limit_was_waived(
    site: Site, incident: str, page: TestClient
) -> None:
    sid = drafted(site, incident)
    site.desk.statements.act("submit", sid, REVIEWERS, "chen")
    site.desk.act("waive", incident, {"clock": f"review.{sid}.1", "reason": "已当面催办"}, "li")
    shown = as_(page, "li").get(f"/statements/{sid}").text
    assert "同意并签名" in shown
    assert "同意并签名" not in as_(page, "zhao").get(f"/statements/{sid}").text


def test_an_edit_of_a_text_that_has_moved_on_is_refused(site: Site, incident: str, page: TestClient) -> None:
    sid, room = drafted(site, incident), site.desk.statements
    old = room.one(sid)["sha256"]
    assert f'name="sha256" value="{old}"' in as_(page, "chen").get(f"/statements/{sid}").text
    room.act("edit", sid, {"text": TEXT + "甲改。", "sha256": old}, "chen")
    answer = as_(page, "li").post(
        f"/statements/{sid}/acts/edit", data={"text": TEXT + "乙改。", "sha256": old}
    )
    assert (answer.status_code, "已改为第 2 版" in answer.text) == (409, True)
    assert "甲改。" in room.one(sid)["text"]


def test_signers_and_the_author_hear_that_a_text_will_not_stand(site: Site, incident: str) -> None:
    dropped, taken, room = (
        approved(site, incident),
        approved(site, incident, title="第二份"),
        site.desk.statements,
    )
    room.act("discard", dropped, {"reason": "改由省里发布"}, "li")
    room.act("release", taken, {"outlet": "website", "url": site.web.url("/x")}, "chen")
    room.act("withdraw", taken, {"reason": "数字有误"}, "zhou")
    site.beat()
    told = [(b["recipient"]["person"], json.dumps(b, ensure_ascii=False)) for b in site.bodies()]
    by_word = {
        word: {person for person, words in told if word in words}
        for word in ("改由省里发布", "撤回：数字有误")
    }
    assert by_word == {"改由省里发布": {"chen", "zhao", "zhou"}, "撤回：数字有误": {"chen", "li", "zhao"}}


def test_a_wording_with_personal_data_is_refused(site: Site, incident: str) -> None:
    room = site.desk.statements
    with pytest.raises(Refusal, match="口径有 1 处须先改: 有电话"):
        room.wording(incident, {"text": "家属电话13812345678"}, "chen")
    assert room.overview(incident)["wordings"] == []
    assert "已存口径第 1 版" in room.wording(incident, {"text": "咨询电话：0455-5551234"}, "chen")["said"]


def test_the_same_reviewer_again_gets_no_new_time(site: Site, incident: str) -> None:
    sid, room = drafted(site, incident), site.desk.statements
    room.act("submit", sid, REVIEWERS, "chen")
    with pytest.raises(Refusal, match="本来就由 li 审"):
        room.act("reassign", sid, {"step": "1", "person": "li", "reason": "再给时间"}, "chen")


# ── what the site says, and what it refuses ───────────────────────────────────────────────────


def test_numbers_that_differ_from_what_was_verified_block_until_somebody_answers_for_them(
    site: Site, incident: str
) -> None:
    room = site.desk.statements
    first = drafted(site, incident)
    room.act("submit", first, REVIEWERS | {"facts_reason": "医院核实"}, "chen")
    signed(site, first)
    second = drafted(site, incident, text=TEXT.replace("2人", "3人"), title="续报")
    found = [one["words"] for one in room.one(second)["findings"] if one["rule"] == "facts"]
    assert found == ["死亡写的是 3 人，核实的是 2 人；请核对，确已核实的送审时写明核实情况(facts_reason)"]
    with pytest.raises(Refusal, match="死亡写的是 3 人，核实的是 2 人"):
        room.act("submit", second, REVIEWERS, "chen")
    room.act("submit", second, REVIEWERS | {"facts_reason": "又一人不治"}, "chen")
    assert [one["blocks"] for one in room.one(second)["findings"] if one["rule"] == "facts"] == [False]
    assert room.one(second)["incident"]["facts"][0]["value"] == 2, "until it is approved"
    signed(site, second)
    assert room.one(second)["incident"]["facts"][0]["value"] == 3
    third = drafted(site, incident, text=TEXT.replace("2人", "9人"), title="写错的")
    room.act("submit", third, REVIEWERS | {"facts_reason": "误记"}, "chen")
    room.act("discard", third, {"reason": "写错了"}, "chen")
    assert room.one(third)["incident"]["facts"][0]["value"] == 3


@pytest.mark.parametrize(
    ("name", "params", "by", "words"),
    [
        ("submit", {"reviewers": "li,zhao"}, "chen", "写了 2 位，本稿要 3 道"),
        ("submit", {"reviewers": "li,zhao,wang", "secrecy": "li"}, "chen", "值班表里没有审核人 wang"),
        ("submit", {"reviewers": "li,zhao,zhou"}, "chen", "没有写明“保密审查”由谁审"),
        ("submit", REVIEWERS | {"emergency": "来不及"}, "chen", "没有启用应急两签.*S-050"),
        ("edit", {"disclosure": "secret"}, "chen", "公开属性 “secret” 不存在"),
        ("edit", {"outlets": "website,tiktok"}, "chen", "发布渠道 “tiktok” 不存在"),
        ("edit", {"title": "化工园区火灾通报"}, "chen", "没有不同"),
        ("sign", {}, "li", "缺少所签稿件的哈希"),
        (
            "release",
            {"outlet": "website", "url": "https://a.cn/1"},
            "chen",
            "未经审查批准不得对外公布.*S-051",
        ),
        ("release", {"outlet": "website", "published_at": "bald"}, "chen", "不是时间"),
        ("discard", {}, "chen", "须写明理由"),
        ("withdraw", {"reason": "x"}, "chen", "没有发布，无须撤回"),
        ("sign", {"sha256": "x"}, "cli", "须署名"),
    ],
)
def test_what_is_not_allowed_is_said_with_its_rule(
    site: Site, incident: str, name: str, params: dict[str, str], by: str, words: str
) -> None:
    sid = drafted(site, incident)
    with pytest.raises(Refusal, match=words):
        site.desk.statements.act(name, sid, params, by)


def test_what_is_not_there_is_named(site: Site, incident: str) -> None:
    room = site.desk.statements
    sid = drafted(site, incident)
    with pytest.raises(Unknown, match="是不是 “submit”"):
        room.act("sumbit", sid, {}, "chen")
    with pytest.raises(Unknown, match="值班表里没有 wang"):
        room.act("edit", sid, {}, "wang")
    with pytest.raises(Unknown, match="没有编号为 2020-9999 的事件"):
        room.overview("2020-9999")


def test_a_draft_without_its_disclosure_is_returned(site: Site, incident: str) -> None:
    room = site.desk.statements
    bare = str(room.draft(incident, {"title": "通报", "text": TEXT}, "chen")["id"])
    with pytest.raises(Refusal, match=r"没有写公开属性，予以退文.*S-054"):
        room.act("submit", bare, REVIEWERS, "chen")
    room.act("edit", bare, {"disclosure": "none"}, "chen")
    with pytest.raises(Refusal, match=r"拟“不予公开”没有说明理由.*N-011"):
        room.act("submit", bare, REVIEWERS, "chen")
    room.act("edit", bare, {"disclosure_reason": "涉及国家秘密"}, "chen")
    room.act("submit", bare, REVIEWERS, "chen")
    with pytest.raises(Refusal, match="本站点的公开属性没有“删减后公开”"):
        room.act("submit", drafted(site, incident, disclosure="redacted"), REVIEWERS, "chen")


# ── a site of its own mind, and the command line ──────────────────────────────────────────────

OWN: dict[str, Any] = {
    "reviewers": {"初审": "li", "审核": "zhao", "审发": "zhou", "保密审查": "zhou"},
    "emergency": True,
    "weibo": 60,
    "avoid": [{"word": "情况可控", "why": "写明依据", "block": True}],
}


@pytest.fixture
def cli(tmp_path: Path, database_url: str) -> Iterator[Cli]:
    directory = write_site(
        tmp_path / "own", "http://127.0.0.1:9", database=database_url, site={"statements": OWN}
    )
    with House.open(directory, ENVIRON):
        yield Cli(directory)


def test_every_act_is_on_the_command_line_too(cli: Cli, tmp_path: Path) -> None:
    incident = cli.json("open", "--title", "火灾", "--grade", "II", "--by", "chen")["id"]
    (tmp_path / "t.md").write_text(TEXT, encoding="utf-8")
    made = cli.json(
        "statement", "new", incident, "--by", "chen", "--title", "通报", "--file", str(tmp_path / "t.md"),
        "--disclosure", "proactive", "--outlets", "website,weibo",
    )  # fmt: skip
    sid = made["id"]
    assert cli.json("statement", "submit", sid, "--by", "chen")["chain"][0]["person"] == "li"  # the usual one
    cli.json(
        "statement", "reassign", sid, "--by", "chen", "--step", "c1", "--person", "li", "--reason", "在外"
    )
    sha = ("--sha256", made["sha256"][:16])
    assert cli("statement", "sign", sid, "--by", "li").code == 2  # what is signed must be named
    assert "起草或修改过本稿" in cli("statement", "sign", sid, "--by", "chen", *sha).err
    refused = cli.json("statement", "refuse", sid, "--by", "li", "--step", "1", "--reason", "改", *sha)
    assert refused["state"] == "returned"
    edited = cli.json("statement", "edit", sid, "--by", "chen", "--text", TEXT + "已改。", "--reason", "照改")
    cli.json("statement", "submit", sid, "--by", "chen", "--emergency", "凌晨联系不上分管领导")
    for by in ("li", "zhou", "zhou"):
        done = cli.json("statement", "sign", sid, "--by", by, "--sha256", edited["sha256"])
    assert (done["state"], done["emergency"]) == ("approved", "凌晨联系不上分管领导")
    cli.json("statement", "package", sid, "--to", str(tmp_path / "p.zip"))
    assert (tmp_path / "p.zip").read_bytes()[:2] == b"PK"
    url = "https://www.example.gov.cn/1"
    cli.json("statement", "release", sid, "--by", "chen", "--outlet", "website", "--url", url)
    page = tmp_path / "page.txt"
    page.write_text(
        "化工园区起火，死亡2人。市消防救援支队已到场扑救。明火已于6时扑灭。已改。", encoding="utf-8"
    )
    assert "5→6" in cli.json("statement", "compare", sid, "--by", "chen", "--file", str(page))["said"]
    cli.json("statement", "withdraw", sid, "--by", "li", "--reason", "有误")
    cli.json("statement", "wording", incident, "--by", "li", "--text", "以应急局为准")
    assert "已撤回" in cli("statement", "list", incident).out
    assert "应急两签" in cli("statement", "show", sid).out
    assert cli("verify").code == 0


def test_a_sites_own_words_block_and_a_missing_file_is_named(cli: Cli, tmp_path: Path) -> None:
    incident = cli.json("open", "--title", "火灾", "--grade", "II", "--by", "chen")["id"]
    new = ("statement", "new", incident, "--by", "chen", "--title", "通报", "--disclosure", "proactive")
    sid = cli.json(*new, "--text", TEXT + "目前情况可控。")["id"]
    said = cli("statement", "submit", sid, "--by", "chen")
    assert (said.code, "用了“情况可控”：写明依据" in said.err) == (1, True)
    missing = cli(*new, "--file", str(tmp_path / "none.md"))
    assert (missing.code, "读不出来" in missing.err) == (2, True)


def test_a_reviewer_whom_the_roster_does_not_know_is_named_before_the_site_runs(tmp_path: Path) -> None:
    own = {"statements": {"reviewers": {"初审": "lii"}, "weibo": 60}}
    site = write_site(tmp_path / "odd", "http://127.0.0.1:9", site=own)
    said = Cli(site)("lint", str(site))
    assert (said.code, "值班表里没有审核人 “lii”，是不是 “li”？" in said.out) == (1, True)


FOUR = """
id: our_reviews
name: 本地三审
trigger: {when: "true"}
review:
  steps:
    - {name: 初审, by: 科室, share: 25%}
    - {name: 复审, by: 分管领导, share: 25%}
    - {name: 终审, by: 主要领导, share: 25%}
  disclosure: [此件公开发布, 删减后公开, 依申请公开, 不公开]
  basis: [{doc: 2022年大理州政务公开工作要点, article: 四(一), fact: S-055}]
"""


def test_a_playbook_of_ones_own_says_who_reviews_and_which_disclosures_there_are(tmp_path: Path) -> None:
    directory = write_site(tmp_path / "four", "http://127.0.0.1:9")
    (directory / "playbooks").mkdir()
    (directory / "playbooks" / "our_reviews.yaml").write_text(FOUR, encoding="utf-8")
    cli = Cli(directory)
    incident = cli.json("open", "--title", "火灾", "--grade", "II", "--by", "chen")["id"]
    made = cli.json(
        "statement",
        "new",
        incident,
        "--by",
        "chen",
        "--title",
        "通报",
        "--text",
        TEXT,
        "--disclosure",
        "redacted",
    )
    assert [one["value"] for one in made["given"]["disclosures"]] == [
        "proactive",
        "redacted",
        "on_request",
        "none",
    ]
    done = cli.json(
        "statement", "submit", made["id"], "--by", "chen", "--reviewers", "li,zhao,zhou", "--secrecy", "li"
    )
    assert [step["name"] for step in done["chain"]] == ["初审", "复审", "终审", "保密审查"]
