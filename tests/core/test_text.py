"""One plain form, one fingerprint, no personal data left."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.text import LIMIT, canonical, fingerprint, mask_personal, normalise, simplify


def test_full_width_forms_and_half_width_forms_become_the_same() -> None:
    assert normalise("ＮＯ．３　号楼") == "NO.3 号楼"


def test_unseen_characters_are_removed() -> None:
    assert normalise("死\u200b亡\u202e三\u2066人\x00\ufeff") == "死亡三人"


def test_blanks_fold_and_line_ends_stay() -> None:
    assert normalise("  标题 \t 一 \r\n\r\n  正文\u3000二 ") == "标题 一\n正文 二"


def test_a_line_of_one_megabyte_is_cut_at_the_limit() -> None:
    assert len(normalise("水" * 1_000_000)) == LIMIT
    assert len(normalise("\ufdfa" * 1_000_000)) <= LIMIT  # one character that unfolds into eighteen


def test_a_flood_of_combining_marks_comes_back_normalised_in_bounded_size() -> None:
    flood = normalise("e" + "\u0323\u0301" * 100_000)
    assert 0 < len(flood) <= LIMIT


@given(st.text(max_size=300))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.text(max_size=200))
def test_a_normalised_text_is_in_compatibility_form(text: str) -> None:
    assert unicodedata.is_normalized("NFKC", normalise(text))


def test_traditional_becomes_simplified() -> None:
    assert simplify("傷亡慘重，災區斷電") == "伤亡惨重，灾区断电"


def test_copies_in_other_script_spacing_and_punctuation_have_one_fingerprint() -> None:
    plain = fingerprint("临江市化工园区今晨起火，消防已到场。")
    assert plain == fingerprint("臨江市化工園區今晨起火 消防已到場!!")
    assert plain == fingerprint("//@某人:临江市化工园区今晨起火，消防已到场。 https://example.org/a?b=1")


def test_another_number_of_dead_is_another_report() -> None:
    assert fingerprint("事故已致死亡3人") != fingerprint("事故已致死亡5人")


def test_texts_without_any_letter_keep_apart() -> None:
    assert fingerprint("😀😀") != fingerprint("😡")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("电话13800138000，请回电", "电话〔电话〕，请回电"),
        ("手机 138 0013 8000", "手机 〔电话〕"),
        ("+86 13900139000", "〔电话〕"),
        ("座机0851-86660000", "座机〔电话〕"),
        ("身份证11010119900307123X", "身份证〔身份证〕"),
        ("卡号6222 0212 3456 7890 128", "卡号〔银行卡〕"),
        ("车牌粤B·D12345和京A12345", "车牌〔车牌〕和〔车牌〕"),
        ("写信到 li.ming@example.org.cn 吧", "写信到 〔邮箱〕 吧"),
    ],
)
def test_personal_numbers_are_masked_whole(text: str, left: str) -> None:
    assert mask_personal(text) == left


@pytest.mark.parametrize(
    "text", ["工单20261121000123456", "死亡3人，损失12000000元", "2026-11-21 02:13", "12345热线"]
)
def test_numbers_that_are_nobody_stay(text: str) -> None:
    assert mask_personal(text) == text


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask_personal(text)
    assert mask_personal(once) == once


def test_canonical_text_is_simplified_and_lower_case() -> None:
    assert canonical("網傳ＡＢＣ廠") == "网传abc厂"
