"""What is wrong with a draft is named with its place, and what a package holds."""

from __future__ import annotations

import dataclasses
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.casework import Disclosure, Outlet
from models.core.outlets import package, page, plain, short, width
from models.core.statements import (
    AVOID,
    Avoid,
    Content,
    Finding,
    Known,
    digest,
    hide,
    lint,
    masked,
    numbers,
    parts,
)
from models.core.vocabulary import EvidenceKind

TEXT = "## 事实\n{facts}\n\n## 措施\n消防已到场。\n\n## 结果\n火已扑灭。\n"
CLEAN = Content(
    EvidenceKind.STATEMENT, "通报", TEXT.format(facts="园区起火。"), "市应急局", Disclosure.PROACTIVE
)
NOTHING = Known({})


def found(facts: str = "园区起火。", known: Known = NOTHING, **changes: object) -> list[Finding]:
    text = str(changes.pop("text", TEXT.format(facts=facts)))
    return lint(dataclasses.replace(CLEAN, text=text, **changes), known)  # type: ignore[arg-type]


def rules(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(one.rule, one.blocks) for one in findings]


def test_a_clean_draft_has_nothing_wrong() -> None:
    assert found() == []


# ── the three parts ───────────────────────────────────────────────────────────────────────────


def test_a_missing_part_and_an_empty_one_are_named() -> None:
    said = [one.words for one in found(text="## 事实\n起火。\n## 措施\n\n")]
    assert [words[:9] for words in said] == ["“措施”一节是空的", "没有“结果”部分；"]


def test_headings_of_an_offices_own_count_as_the_parts() -> None:
    text = "### 一、基本情况\n起火。\n### 二、处置工作\n已到场。\n### 三、下一步\n查明原因。\n"
    assert parts(text) == {"事实": "起火。", "措施": "已到场。", "结果": "查明原因。"}


def test_an_interpretation_is_only_reminded_of_its_parts() -> None:
    assert rules(found(text="政策说明。", kind=EvidenceKind.INTERPRETATION)) == [("parts", False)] * 3


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


def test_a_number_that_differs_is_named_with_both_values_and_its_place() -> None:
    known = Known({"deaths": (3, True), "injured": (5, True)})
    (one,) = found("事故造成２人死亡，5人受伤。", known)
    assert (one.blocks, "死亡写的是 2 人，核实的是 3 人" in one.words) == (True, True)
    text = TEXT.format(facts="事故造成２人死亡，5人受伤。")
    assert text[one.start : one.end] == "２人死亡"


def test_a_number_that_only_the_signals_say_is_a_reminder() -> None:
    (one,) = found("造成2人死亡。", Known({"deaths": (10, False)}))
    assert (one.blocks, "线索里读到的是 10 人" in one.words) == (False, True)


def test_a_number_other_than_the_wordings_is_a_reminder_with_its_own_way_out() -> None:
    (one,) = found("造成2人死亡。", Known({}, wording="目前死亡3人。"))
    assert (one.rule, one.blocks, "先更新口径" in one.words) == ("wording", False, True)


def test_nobody_hurt_is_a_number_too() -> None:
    assert numbers("无人员伤亡。")["deaths"][0] == 0


# ── personal data ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "blocks"),
    [
        ("联系人：张三丰", True),
        ("电话13912345678", True),
        ("身份证231222199001011234", True),
        ("咨询电话：0455-5551234", False),
        ("李四(男，35岁)受轻伤", False),
    ],
)
def test_personal_data_blocks_and_an_offices_number_reminds(words: str, blocks: bool) -> None:
    findings = [one for one in found(f"园区起火。{words}。") if one.rule == "personal"]
    assert [one.blocks for one in findings] == [blocks]


@pytest.mark.parametrize("words", ["李某(男，35岁)受轻伤", "一名工人(男，35岁)受轻伤", "死者〔姓名〕"])
def test_what_names_nobody_is_let_be(words: str) -> None:
    assert [one for one in found(words) if one.rule == "personal"] == []


def test_the_finding_does_not_tell_the_whole_number() -> None:
    (one,) = [one for one in found("电话13912345678。") if one.rule == "personal"]
    assert "13912345678" not in one.words


def test_every_masked_place_is_found_in_a_text_with_several() -> None:
    text = "张先生电话13912345678，王女士电话13812345678。"
    assert [text[a:b] for _, a, b in masked(text)] == ["13912345678", "13812345678"]


# ── promises, words, disclosure, outlets ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sentence", "lacking"),
    [
        ("将尽快公布调查结果。", "由哪个单位、何时"),
        ("市应急管理局将及时公布调查结果。", "何时"),
        ("将于11月25日公布调查结果。", "由哪个单位"),
        ("市应急管理局将于3日内公布调查结果。", ""),
        ("伤者已将情况告知家属。", ""),
    ],
)
def test_a_promise_says_who_and_when(sentence: str, lacking: str) -> None:
    said = [one.words for one in found(sentence) if one.rule == "promise"]
    assert said == [] if not lacking else f"没有写明{lacking}；" in said[0]


def test_words_better_not_used_remind_and_a_sites_own_may_block() -> None:
    assert rules(found("我市高度重视。")) == [("words", False)]
    assert rules(found("情况可控。", Known({}, avoid=(Avoid("情况可控", "写明依据", True),)))) == [
        ("words", True)
    ]
    assert all(not one.blocks for one in AVOID)


def test_a_word_of_the_title_is_said_to_stand_there() -> None:
    (one,) = found(title="关于网络谣言的通报")
    assert (one.words.startswith("标题里用了“网络谣言”"), one.start) == (True, None)


@pytest.mark.parametrize(
    ("given", "reason", "words"),
    [
        (None, "", "没有写公开属性，予以退文"),
        (Disclosure.NONE, "", "拟“不予公开”没有说明理由"),
        (Disclosure.ON_REQUEST, "", "拟“依申请公开”没有说明理由"),
        (Disclosure.REDACTED, "", "没有“删减后公开”"),
        (Disclosure.NONE, "国家秘密", ""),
    ],
)
def test_the_disclosure_is_named_and_reasoned(given: Disclosure | None, reason: str, words: str) -> None:
    three = Known({}, disclosures=(Disclosure.PROACTIVE, Disclosure.ON_REQUEST, Disclosure.NONE))
    said = [one for one in found(known=three, disclosure=given, disclosure_reason=reason) if one.blocks]
    assert len(said) == bool(words)
    assert all(words in one.words for one in said)


def test_without_the_website_it_reminds_unless_only_some_are_told() -> None:
    assert rules(found(outlets=(Outlet.WEIBO,))) == [("outlet", False)]
    assert found(outlets=(Outlet.WEIBO,), audience="三号楼住户") == []


def test_what_blocks_comes_first() -> None:
    order = [one.blocks for one in found("我市高度重视，电话13912345678。", disclosure=None)]
    assert order == sorted(order, reverse=True)


# ── the hash ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"title": "通报二"},
        {"text": CLEAN.text + " "},
        {"unit": "市政府"},
        {"disclosure": Disclosure.REDACTED},
        {"audience": "住户"},
        {"outlets": (Outlet.WEBSITE, Outlet.WEIBO)},
        {"kind": EvidenceKind.UPDATE},
    ],
)
def test_the_hash_is_of_the_words_and_of_how_they_are_told(change: dict[str, object]) -> None:
    assert dataclasses.replace(CLEAN, **change).sha256 != CLEAN.sha256  # type: ignore[arg-type]
    assert digest(CLEAN.title, CLEAN.text, CLEAN.attributes) == CLEAN.sha256


# ── packages ──────────────────────────────────────────────────────────────────────────────────


def test_each_outlet_gets_its_files() -> None:
    names = [file.name for file in package("通报", CLEAN.text, "市政府", tuple(Outlet))]
    assert names == [
        "网站.html",
        "网站.md",
        "网站.txt",
        "微博.txt",
        "微信.html",
        "客户端.txt",
        "新闻通稿.txt",
    ]


def test_markdown_becomes_html_and_nothing_else_does() -> None:
    text = "# 一\n**要点** <b>x</b>\n- 甲\n- 乙\n[网站](https://a.cn/?a=1&b=2) [坏](javascript:x)"
    made = page(text)
    assert made.splitlines()[:2] == ["<h2>一</h2>", "<p><strong>要点</strong> &lt;b&gt;x&lt;/b&gt;</p>"]
    assert "<ul>\n<li>甲</li>\n<li>乙</li>\n</ul>" in made
    assert '<a href="https://a.cn/?a=1&amp;b=2">网站</a> [坏](javascript:x)' in made


def test_the_public_reads_no_headings_and_no_marks() -> None:
    assert plain("## 事实\n**起火**。\n\n- 甲\n") == "起火。\n\n甲"


def test_a_short_text_goes_whole_and_a_long_one_in_whole_sentences() -> None:
    assert short("通报", CLEAN.text) == "【通报】园区起火。消防已到场。火已扑灭。"
    long = short("通报", TEXT.format(facts="园区起火，情况正在核查之中。" * 20), 60)
    assert width(long) <= 60
    assert long.endswith("。全文见门户网站。")


def test_two_latin_characters_are_one() -> None:
    assert width("abcd") == 2
    assert width("一abc") == 3


WORDS = st.text(
    st.sampled_from("事实措施结果将于死亡2人张某(男，)。；## *-[](\n〔姓名〕139a1@"), max_size=200
)


@given(text=WORDS, wording=WORDS)
def test_whatever_is_written_is_read_to_its_end(text: str, wording: str) -> None:
    findings = lint(dataclasses.replace(CLEAN, text=text), Known({"deaths": (3, True)}, wording=wording))
    assert all(one.start is None or 0 <= one.start <= (one.end or 0) <= len(text) for one in findings)
    assert "<script" not in page(text + "<script>")
    assert package("通报", text, "市政府", tuple(Outlet))


# ── beside the text, and in bad faith ─────────────────────────────────────────────────────────


def test_a_title_and_those_who_are_told_are_checked_as_the_text_is() -> None:
    known = Known({"deaths": (3, True)})
    said = {
        one.rule: (one.blocks, one.start, one.words)
        for one in found("造成3人死亡。", known, title="事故造成13人死亡，家属电话13912345678")
        if one.rule != "title"
    }
    assert said["facts"][:2] == (True, None) and "标题里死亡写的是 13 人，核实的是 3 人" in said["facts"][2]
    assert said["personal"][:2] == (True, None) and said["personal"][2].startswith("标题里有电话")
    assert rules(found(audience="住户 13912345678")) == [("personal", True)]


def test_a_title_that_says_another_number_than_its_text_is_told() -> None:
    (one,) = found("造成2人死亡。", title="事故造成13人死亡")
    assert (one.rule, "写的是 13 人，正文写的是 2 人" in one.words) == ("title", True)


def test_wide_digits_are_digits_and_what_is_hidden_keeps_the_rest_as_written() -> None:
    text = "园区起火，电话１３９１２３４５６７８。"
    assert [one.blocks for one in found(text) if one.rule == "personal"] == [True]
    assert hide(text) == "园区起火，电话〔电话〕。"


def test_a_heading_of_many_blanks_is_read_at_once() -> None:
    text = ("# a" + " " * 20_000 + "b\n") * 3 + "## 事实  ## \n起火。\n"
    started = time.process_time()
    assert parts(text)["事实"] == "起火。"
    assert "<h2>事实</h2>" in page(text)
    assert time.process_time() - started < 20  # milliseconds alone
