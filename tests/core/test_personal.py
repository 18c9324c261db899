"""No personal data is left on a page, and numbers that are nobody's stay readable."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.personal import (
    BEFORE_A_HOME,
    BEFORE_A_NAME,
    BUILDINGS,
    headline,
    mask_name,
    mask_personal,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("电话13800138000，请回电", "电话〔电话〕，请回电"),
        ("手机 138 0013 8000", "手机 〔电话〕"),
        ("打139-0013-9000", "打〔电话〕"),
        ("+86 13900139000", "〔电话〕"),
        ("座机0851-86660000", "座机〔电话〕"),
        ("座机(0851)8666 0000转12", "座机〔电话〕"),
        ("致电010-62345678或02087654321", "致电〔电话〕或〔电话〕"),
        ("联系电话：86660000", "联系电话：〔电话〕"),
        ("身份证11010119900307123X", "身份证〔身份证〕"),
        ("证件11010519491231002X，已核", "证件〔身份证〕，已核"),
        ("证件110105 19491231 002x，已核", "证件〔身份证〕，已核"),
        ("老身份证号110105491231002", "老身份证号〔身份证〕"),
        ("卡号6222 0212 3456 7890 128", "卡号〔银行卡〕"),
        ("尾款打到4111111111111111", "尾款打到〔银行卡〕"),
        ("账号：621700123456789", "账号：〔银行卡〕"),
        ("车牌粤B·D12345和京A12345", "车牌〔车牌〕和〔车牌〕"),
        ("网约车沪a12345、川A1234警、粤Z1234港", "网约车〔车牌〕、〔车牌〕、〔车牌〕"),
        ("写信到 li.ming@example.org.cn 吧", "写信到 〔邮箱〕 吧"),
        ("临江路12号3栋2单元501室漏水", "临江路12号〔门牌〕漏水"),
        ("阳光小区5号楼1201无水", "阳光小区〔门牌〕无水"),
        ("东坪村3组12号停电", "东坪村〔门牌〕停电"),
        ("本人家住临江路88号，噪声扰民", "本人家住〔门牌〕，噪声扰民"),
        ("我叫王小明，今年", "我叫〔姓名〕，今年"),
        ("联系人：欧阳建国 电话13800138000", "联系人：〔姓名〕 电话〔电话〕"),
        ("来电人张伟，楼上漏水", "来电人〔姓名〕，楼上漏水"),
        ("甲栋二单元四〇一漏水", "甲栋〔门牌〕漏水"),
    ],
)
def test_personal_data_is_masked_whole(text: str, left: str) -> None:
    assert mask_personal(text) == left


@pytest.mark.parametrize("word", BEFORE_A_NAME)
def test_a_name_is_masked_after_each_of_its_words_in_a_text_without_a_digit(word: str) -> None:
    assert mask_personal(f"昨夜有噪声，{word}王小明，请尽快处理") == f"昨夜有噪声，{word}〔姓名〕，请尽快处理"


@pytest.mark.parametrize("word", BUILDINGS)
def test_a_household_is_masked_in_a_text_without_a_digit(word: str) -> None:
    assert mask_personal(f"阳光小区三{word}二单元四〇一室漏水") == "阳光小区〔门牌〕漏水"


@pytest.mark.parametrize("word", BEFORE_A_HOME)
def test_an_address_is_masked_after_each_of_its_words_in_a_text_without_a_digit(word: str) -> None:
    assert mask_personal(f"{word}临江路八号，噪声扰民") == f"{word}〔门牌〕，噪声扰民"


@pytest.mark.parametrize(
    "text",
    [
        "工单20261121000123456",
        "工单编号13800138000",
        "受理编号：0851-86660000",
        "死亡3人，损失12000000元",
        "中标价13800138000元",
        "合同额6222021234567890128元",
        "2026-11-21 02:13",
        "12345热线、12333、96110、400-820-8820",
        "设备序号 110105194912310020",  # the check digit is wrong
        "流水号4111111111111111",
        "雪花编号1790123456789012345",  # a snowflake id: 19 digits, begins with 1
        "批次110105491231002",  # fifteen digits, nobody says it is an identity card
        "微博https://weibo.example/4111111111111111",
        "市值3.13800138000亿",
        "股票600519、雪球组合ZH123456",
        "新GB18030标准",
        "京A级景区、贵A股、沪G1234次列车",
        "临江路12号化工厂起火",
        "3号楼塌了",
        "规划建成8座28层的高楼",
        "小区5栋300户居民停水",
        "事故现场在5号楼附近",
        "东湖区3组工人",
        "2026年座谈会",
        "联系人：物业公司",
        "当事人已送医",
        "",
    ],
)
def test_numbers_and_places_that_are_nobodys_stay(text: str) -> None:
    assert mask_personal(text) == text


def test_the_name_of_a_tickets_name_column_disappears_from_its_text() -> None:
    text = "王小明反映停水，王小明的邻居也停水"
    assert mask_personal(text, ("王小明",)) == "〔姓名〕反映停水，〔姓名〕的邻居也停水"
    assert mask_personal("市民反映停水", ("市民", None, "", "李")) == "市民反映停水"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("王小明", "王**"), ("王", "*"), ("李四", "李*"), ("欧阳建国", "欧***"), (None, None), ("", "")],
)
def test_a_name_keeps_its_family_name_only(name: str | None, shown: str | None) -> None:
    assert mask_name(name) == shown


def test_what_a_signal_is_called_shows_no_half_of_a_number() -> None:
    assert headline("", "停水三天，电话13812345678", "hotline", None, 14) == "停水三天，电话〔电话〕"
    assert headline("停水", "电话13812345678", "hotline", None, 14) == "停水"
    assert headline("", "王小明反映停水" * 9, "hotline", "王小明", 8) == "〔姓名〕反映停水"


TRICKY = st.sampled_from(
    [*"0123456789 -xX京A栋室号组住址家姓名王我叫卡号身份证@.a：，(", "13800138000", "0851"]
)


@given(st.one_of(st.text(max_size=200), st.lists(TRICKY, max_size=60).map("".join)))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask_personal(text)
    assert mask_personal(once) == once


@given(st.lists(TRICKY, max_size=40).map("".join))
def test_what_is_passed_by_in_one_look_holds_nothing_to_mask(text: str) -> None:
    looked_through = mask_personal("@\n" + text)  # the mark makes every pattern have its turn
    assert mask_personal(text) == looked_through.removeprefix("@\n")


@pytest.mark.parametrize(
    "piece", ["1", "138", "1-", "京A", "3栋2", "家住一", "卡号1 ", "a@", "0851", "(0", "姓名", "号1"]
)
def test_a_flood_is_masked_in_linear_time(piece: str) -> None:
    started = time.monotonic()
    mask_personal(piece * (100_000 // len(piece)))
    assert time.monotonic() - started < 20  # a moment alone; what grows with the square takes minutes
