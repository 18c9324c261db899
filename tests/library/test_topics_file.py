"""topics.csv: the site's own classification, checked at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from playbooks.lint import lint
from playbooks.problem import Problems
from playbooks.site import load_site
from playbooks.topics_paper import read_topics
from support.sites import ENVIRON, write_site

GOOD = "\ufeff一级分类,二级分类,三级分类\r\n市政公用,供水服务,水压不足\r\n市政公用,路灯照明,\r\n\r\n"


def _site(tmp_path: Path, topics: str | None) -> Path:
    site = write_site(tmp_path / "site", "http://127.0.0.1:9", site={"topics": "topics.csv"})
    if topics is not None:
        (site / "topics.csv").write_text(topics, encoding="utf-8", newline="")
    return site


def test_a_classification_is_read_with_the_site(tmp_path: Path) -> None:
    site = load_site(_site(tmp_path, GOOD), ENVIRON)
    assert site.topics == (("市政公用", "供水服务", "水压不足"), ("市政公用", "路灯照明"))


def test_a_site_without_one_has_none(tmp_path: Path) -> None:
    assert load_site(write_site(tmp_path / "site", "http://127.0.0.1:9"), ENVIRON).topics == ()


def test_every_wrong_row_is_named_by_its_line(tmp_path: Path) -> None:
    rows = [
        "一级分类,二级分类,三级分类",
        ",供水服务,水压",
        "市政公用,,水压",
        "甲,乙,丙,丁",
        f"甲,{'长' * 61},",
    ]
    (tmp_path / "topics.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(Problems) as caught:
        read_topics(tmp_path / "topics.csv")
    found = [(one.line, one.column, one.message) for one in caught.value.problems]
    assert found[:3] == [(2, 1, "一级分类空着"), (3, 2, "二级分类空着"), (4, 1, "这一行有 4 列")]
    assert found[3][:2] == (5, 2)
    assert all(one.hint for one in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("类别,细类\n甲,乙\n", "表头不是"),
        ("一级分类,二级分类,三级分类\n", "没有一行分类"),
        ("一级分类,二级分类,三级分类\n" + "".join(f"甲,乙,丙{n}\n" for n in range(10_001)), "最多 10,000 条"),
    ],
)
def test_a_table_that_is_no_classification_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "topics.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Problems, match=said):
        read_topics(tmp_path / "topics.csv")


def test_a_row_that_stands_twice_is_only_a_warning(tmp_path: Path) -> None:
    found = lint([_site(tmp_path, GOOD + "市政公用,路灯照明,\r\n")])
    assert [(one.line, one.warning) for one in found if one.file.endswith("topics.csv")] == [(5, True)]


def test_lint_knows_a_sites_classification_and_one_that_is_missing(tmp_path: Path) -> None:
    wrong = _site(tmp_path, GOOD + "市政公用,,\r\n")
    assert any("topics.csv:5:2: 二级分类空着" in str(one) for one in lint([wrong]))
    assert any("topics.csv:5:2: 二级分类空着" in str(one) for one in lint([wrong / "topics.csv"]))
    (wrong / "topics.csv").unlink()
    assert any("没有主题分类表 topics.csv" in one.message for one in lint([wrong]))


def test_other_tables_of_a_commit_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("id,title\n1,停水\n", encoding="utf-8")
    assert lint([tmp_path / "calls.csv"], skip_foreign=True) == []
    assert lint([tmp_path / "calls.csv"]) != []
