"""Words that an incident's signals share."""

from __future__ import annotations

from models.core.keywords import common_words


def test_what_most_titles_name_is_a_keyword() -> None:
    titles = [
        "江东化工园区一声巨响",
        "快讯：江东化工园区一企业爆燃",
        "江东化工园区爆燃现场",
        "图书馆延长开放",
    ]
    found = common_words(titles)
    assert any(word.startswith("江东化工园区") for word in found)
    assert "爆燃" in found
    assert not any("图书" in word for word in found)


def test_one_title_alone_names_nothing_in_common() -> None:
    assert common_words(["江东化工园区一声巨响"]) == ()
    assert common_words([]) == ()


def test_a_part_of_a_longer_common_word_is_left_out() -> None:
    assert common_words(["自来水异味", "自来水异味求解释", "小区自来水异味"]) == ("自来水异味",)
