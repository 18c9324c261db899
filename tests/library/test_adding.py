"""Feeds added to sources.yaml: comments stay, and what cannot be added to safely is left alone."""

from __future__ import annotations

import pytest

from playbooks.adding import sorted_out, with_feeds
from playbooks.checked import checked
from playbooks.loader import parse
from playbooks.problem import Problems
from playbooks.sources_paper import SourcesSource

NEW = [{"id": "bbs", "name": '论坛: "甲" # 一', "url": "https://bbs.example/rss?a=1&b=2"}]
LINE = '- {id: "bbs", name: "论坛: \\"甲\\" # 一", url: "https://bbs.example/rss?a=1&b=2"}'
OLD = "{id: a, name: A, url: http://a.example/}"


def sources(text: str) -> SourcesSource:
    return checked(SourcesSource, parse(text, "sources.yaml"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f"feeds:\n  {LINE}\n"),
        ("# 说明\ntickets: []\n", f"# 说明\ntickets: []\nfeeds:\n  {LINE}\n"),
        ("feeds: []   # 还没有\ntickets: []\n", f"feeds:   # 还没有\n  {LINE}\ntickets: []\n"),
        ("feeds:\n# 空\n", f"feeds:\n  {LINE}\n# 空\n"),
        (
            f"feeds:\n- {OLD}  # 老的\n\n# 工单\ntickets: []\n",
            f"feeds:\n- {OLD}  # 老的\n{LINE}\n\n# 工单\ntickets: []\n",
        ),
        (f"feeds:\n    - {OLD}", f"feeds:\n    - {OLD}\n    {LINE}\n"),
    ],
)
def test_feeds_are_added_at_the_end_of_the_list_and_nothing_else_changes(text: str, expected: str) -> None:
    assert with_feeds(text, "sources.yaml", NEW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "feeds:\n  - id: a\n    name: A\n    url: http://a.example/\n    # 末\ntickets: []\n",
        "feeds:\n  - {id: a, name: A,\n     url: http://a.example/\n    }\n# 尾\n",
        "feeds:\n  - id: a\n    url: http://a.example/\n    name: >-\n      很长的\n      名称\n",
    ],
)
def test_items_over_several_lines_are_followed_by_the_new_ones(text: str) -> None:
    after = with_feeds(text, "sources.yaml", NEW)
    assert [feed.id for feed in sources(after).feeds] == ["a", "bbs"]
    assert all(line in after for line in text.splitlines())


@pytest.mark.parametrize("text", [f"feeds: [{OLD}]\n", f"{{feeds: [{OLD}]}}\n"])
def test_a_list_that_cannot_be_added_to_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(Problems, match="改成每行一个"):
        with_feeds(text, "sources.yaml", NEW)


def test_a_broken_file_is_not_touched() -> None:
    with pytest.raises(Problems, match=r"sources\.yaml:2"):
        with_feeds("feeds:\n  - {id: a, nam: A}\n", "sources.yaml", NEW)


def test_two_thousand_feeds_fit_into_a_file() -> None:
    many = [
        {"id": f"f{n}", "name": f"信源 {n}", "url": f"https://n{n}.example/rss.xml"} for n in range(2_000)
    ]
    assert len(sources(with_feeds("# 头\n", "sources.yaml", many)).feeds) == 2_000


def test_what_is_there_already_is_told_and_every_new_feed_gets_an_id_of_its_own() -> None:
    known = sources(f"feeds:\n  - {OLD}\ntickets:\n  - {{id: b-example, name: B, file: b.csv}}\n")
    offered = [
        ("又一次", "https://A.example"),
        ("乙", "https://b.example/1"),
        ("丙", "https://b.example/2"),
        ("丙又一次", "http://b.example/2/"),
        ("坏", "javascript:alert(1)"),
        ("中文域名", "https://新闻.example/"),
    ]
    fresh, there, wrong = sorted_out(known, offered)
    assert [feed["id"] for feed in fresh] == ["b-example-2", "b-example-3", "example"]
    assert ["已登记为“A”" in there[0], "已登记为“丙”" in there[1], len(there)] == [True, True, 2]
    assert ["不是网址" in line for line in wrong] == [True]
