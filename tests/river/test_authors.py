"""The authors' desk over a real site: a text tried, handed in and approved, and nothing kept before that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.console.desk import Refusal, Unknown
from flows.office.desk import Desk
from flows.wiring import House
from playbooks.shelf import SHIPPED
from support.sites import ENVIRON, write_site

MAJOR = (SHIPPED / "major_emergency.yaml").read_text(encoding="utf-8")
STRICTER = MAJOR.replace("PT5H", "PT4H", 1)
NIGHT = {"start": "2026-11-21T02:13", "grade": "II", "hours": "48"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", site={"playbooks": {"review": True}})
    with House.open(site, ENVIRON) as house:
        yield Desk(house)


def test_a_text_is_drawn_and_compared_and_nothing_of_it_is_kept(desk: Desk) -> None:
    before = desk.revision()
    tried = desk.playbook_try("major_emergency", STRICTER, NIGHT)
    assert (tried["ok"], tried["problems"]) == (True, [])
    assert tried["svg"].startswith("<svg")
    assert tried["lines"][0]["told"] == "陈值班(hook)"
    assert tried["diff"]["changes"][0]["words"] == "首次发布权威信息的时限由 5 小时 改为 4 小时"
    assert any("李主任" in words and "而不是" in words for words in tried["diff"]["moved"])
    assert desk.revision() == before


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda text: text.replace("PT5H", "5小时", 1), "amount: 5小时", "写成 PT5H"),
        (lambda text: text.replace("PT5H", "PT6H", 1), "amount: PT6H", "只能缩短：规定 PT5H"),
        (lambda text: text + "\tx: 1\n", "", "制表符"),
    ],
)
def test_what_is_wrong_is_told_at_its_line_with_the_line_itself(desk: Desk, change, line, words) -> None:  # type: ignore[no-untyped-def]
    tried = desk.playbook_try("major_emergency", change(MAJOR), NIGHT)
    said = [f"{p['text'].strip()}|{p['message']}{p['hint']}" for p in tried["problems"]]
    assert tried["ok"] is False
    assert any(line in each and words in each for each in said), said
    assert (tried["svg"], tried["diff"]) == ("", None)


def test_what_an_author_calls_a_clock_is_words_in_the_picture_and_no_markup(desk: Desk) -> None:
    tried = desk.playbook_try(
        "major_emergency", MAJOR.replace("name: 首次发布权威信息", "name: " + '<script>x</script>"', 1), NIGHT
    )
    assert "&lt;script&gt;" in tried["svg"]
    assert "<script" not in tried["svg"]


def test_nobody_reviews_without_a_name(desk: Desk) -> None:
    with pytest.raises(Refusal, match="须署名"):
        desk.playbook_act("submit", "major_emergency", {"content": STRICTER, "reason": "从严"}, "cli")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": "gestern"}, "不是时间"),
        ({"grade": "V"}, "级别：“V” 不是可用的值"),
        ({"answers": "bald"}, "签收快慢"),
        ({"hours": "0"}, "时长"),
        ({"hours": "721"}, "最长 30 天；更长的用 huiying simulate"),
    ],
)
def test_a_condition_that_cannot_be_read_is_asked_for_again(
    desk: Desk, given: dict[str, str], words: str
) -> None:
    assert words in desk.playbook_try("major_emergency", MAJOR, {**NIGHT, **given})["asked"]


def test_a_night_in_which_it_does_not_speak_says_so(desk: Desk) -> None:
    tried = desk.playbook_try("major_emergency", MAJOR, {**NIGHT, "grade": "IV"})
    assert "没有适用的时钟" in tried["asked"]


def test_two_people_bring_a_text_into_force_and_the_page_shows_who(desk: Desk) -> None:
    handed = desk.playbook_act("submit", "major_emergency", {"content": STRICTER, "reason": "从严"}, "chen")
    number = {"version": handed["id"], "reason": "同意"}
    assert next(b for b in desk.playbooks() if b["id"] == "major_emergency")["waiting"] == 1
    with pytest.raises(Refusal, match="请另一个人审定"):
        desk.playbook_act("approve", "major_emergency", number, "chen")
    desk.playbook_act("approve", "major_emergency", number, "li")
    view = desk.playbook("major_emergency")
    assert view is not None
    assert (view["version"], view["source"]) == (handed["version"], STRICTER)
    shown = view["versions"][0]
    assert (shown["author"], shown["reviewer"], shown["current"]) == ("陈值班", "李主任", True)
    opened = desk.act("open", "", {"title": "爆炸", "grade": "II"}, "chen")
    assert desk.playbook("major_emergency")["held"] == [  # type: ignore[index]
        {"version": handed["version"], "incidents": [opened["id"]]}
    ]


def test_the_suggested_night_is_one_in_which_the_playbook_speaks(desk: Desk) -> None:
    for name in ("rumour", "general_opinion", "major_emergency"):
        view = desk.playbook(name)
        assert view is not None
        assert desk.playbook_try(name, view["source"], view["given"])["lines"], name


def test_what_is_not_there_is_named(desk: Desk) -> None:
    assert desk.playbook("nothing") is None
    with pytest.raises(Unknown, match="是不是 “approve”"):
        desk.playbook_act("aprove", "rumour", {}, "li")
    with pytest.raises(Refusal, match="不是时间"):
        desk.playbook_act("approve", "rumour", {"version": "x", "active_from": "bald"}, "li")
    with pytest.raises(Unknown, match="没有编号为"):
        desk.playbook_act("withdraw", "rumour", {"version": "nothing", "reason": "x"}, "li")


# ── what an author is compared with ───────────────────────────────────────────────────────────

FLOOD = """\
id: flood
name: 城市内涝
trigger: {when: 'event_type == "natural"'}
clocks:
  - id: flood_statement
    name: 首次发布内涝信息
    amount: PT2H
    start: occurrence
    fallback: [first_public, discovery]
    stop: {evidence: published_statement}
    proposal: 本市
"""
SNOW = FLOOD.replace("flood", "snow").replace("内涝", "雪")


def in_force(desk: Desk, name: str, text: str) -> str:
    handed = desk.playbook_act("submit", name, {"content": text, "reason": "汛期"}, "chen")
    desk.playbook_act("approve", name, {"version": handed["id"], "reason": "同意"}, "li")
    return str(handed["id"])


def test_a_text_is_compared_with_all_that_was_reviewed_and_differs_by_itself_alone(desk: Desk) -> None:
    for name, text in (("flood", FLOOD), ("snow", SNOW)):
        in_force(desk, name, text)
    assert desk.playbook_try("flood", FLOOD, NIGHT)["diff"] == {
        "same": True, "changes": [], "moved": [], "more": 0
    }  # fmt: skip
    changed = desk.playbook_try("flood", FLOOD.replace("PT2H", "PT1H"), NIGHT)["diff"]["changes"]
    assert [each["words"] for each in changed] == ["首次发布内涝信息的时限由 2 小时 改为 1 小时"]


def test_what_was_taken_out_of_use_is_not_shown_as_in_force(desk: Desk) -> None:
    in_force(desk, "major_emergency", STRICTER)
    in_force(desk, "flood", FLOOD)
    for name in ("major_emergency", "flood"):
        desk.playbook_act("rollback", name, {"version": "none", "reason": "汛期已过"}, "li")
    shipped, own = desk.playbook("major_emergency"), desk.playbook("flood")
    assert shipped is not None
    assert own is not None
    assert (shipped["source"], shipped["source_zh"]) == (MAJOR, "现行条文（内置）")
    assert (own["live"], own["source"], own["source_zh"]) == (False, FLOOD, "已停用的条文，未生效")


def test_what_the_text_in_the_box_is_stands_above_it(desk: Desk) -> None:
    desk.playbook_act("submit", "flood", {"content": FLOOD, "reason": "汛期"}, "chen")
    waiting, shipped = desk.playbook("flood"), desk.playbook("rumour")
    assert waiting is not None
    assert shipped is not None
    assert (waiting["source_zh"], shipped["source_zh"]) == ("待审草案的条文，未生效", "现行条文（内置）")
    in_force(desk, "major_emergency", STRICTER)
    now = desk.playbook("major_emergency")
    assert now is not None
    assert (now["source"], now["source_zh"]) == (STRICTER, "现行条文")


@pytest.mark.parametrize("name", ["approve", "return", "withdraw"])
def test_a_draft_is_settled_on_its_own_page_only(desk: Desk, name: str) -> None:
    handed = desk.playbook_act("submit", "flood", {"content": FLOOD, "reason": "汛期"}, "chen")
    by = "chen" if name == "withdraw" else "li"
    with pytest.raises(Refusal, match="是预案 flood 的，不是 major_emergency 的"):
        desk.playbook_act(name, "major_emergency", {"version": handed["id"], "reason": "同意"}, by)
    assert [v["state"] for v in desk.playbook("flood")["versions"]] == ["draft"]  # type: ignore[index]


def test_a_text_that_speaks_every_minute_is_played_for_a_bounded_while_and_says_so(desk: Desk) -> None:
    busy = FLOOD.replace("    proposal", "    repeat: PT1M\n    proposal")
    night = {**NIGHT, "event_type": "natural", "hours": "720"}
    tried = desk.playbook_try("flood", busy, night)
    assert "只推演到" in tried["asked"]
    assert (len(tried["lines"]), tried["more"]) == (60, 2_940)
    assert "只推演到" not in desk.playbook_try("flood", busy, {**night, "hours": "48"})["asked"]


def test_a_clock_of_a_playbook_just_approved_is_called_by_its_name(desk: Desk) -> None:
    assert "clock:flood_statement" not in desk.house.called
    handed = desk.playbook_act("submit", "flood", {"content": FLOOD, "reason": "汛期"}, "chen")
    desk.playbook_act("approve", "flood", {"version": handed["id"], "reason": "同意"}, "li")
    assert "flood" in {book.id for book in desk.house.library.playbooks}
    assert desk.house.called["clock:flood_statement"] == "首次发布内涝信息"
