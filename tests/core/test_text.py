"""One plain form, one fingerprint."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from models.core.text import LIMIT, canonical, fingerprint, harmless, normalise, simplify, visible


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


def test_a_formula_in_a_cell_becomes_text_and_a_number_below_zero_too() -> None:
    assert [harmless(cell) for cell in ("=1+1", "@x", "-3", "停水", "")] == [
        "'=1+1",
        "'@x",
        "'-3",
        "停水",
        "",
    ]


def test_a_terminal_is_not_moved_coloured_or_turned_by_text_from_outside() -> None:
    assert visible("停\x1b[31m水\r电\u202e反") == "停\ufffd[31m水\ufffd电\ufffd反"
    assert visible("第一行\n第二行\t完") == "第一行\n第二行\t完"


def test_canonical_text_is_simplified_and_lower_case() -> None:
    assert canonical("網傳ＡＢＣ廠") == "网传abc厂"
