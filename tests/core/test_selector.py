from __future__ import annotations

import pytest

from connectors.markup import tree
from models.core.selector import parse

PAGE = """<div id="main" class="box news"><ul class="list">
<li class="hot"><a href="/1" title="甲全名">甲…</a><span>1</span>
<li><a href="/2">乙</a><span class="date new">2</span></ul><p>尾<a data-x="abc" href="/3">丙</a></div><p>外"""


def found(selector: str) -> list[str]:
    wanted = parse(selector)
    return [f"{node.tag}:{node.text()}".replace("\n", "") for node in tree(PAGE).below() if wanted.fits(node)]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("li", ["li:甲…1", "li:乙2"]),
        ("ul.list > li.hot a", ["a:甲…"]),
        ("#main a", ["a:甲…", "a:乙", "a:丙"]),
        ("div.news.box > p > a", ["a:丙"]),
        ("li:first-child span, li:last-child span", ["span:1", "span:2"]),
        ("li:nth-child(2) a", ["a:乙"]),
        ("li:nth-child(odd)", ["li:甲…1"]),
        ("a[title]", ["a:甲…"]),
        ("[data-x^=a][data-x$='c'][data-x*=\"b\"]", ["a:丙"]),
        ("span[class~=new]", ["span:2"]),
        ("a + span.date", ["span:2"]),
        ("ul ~ p", ["p:尾丙"]),
        ("ul > a", []),
        ("*.hot", ["li:甲…1"]),
    ],
)
def test_a_selector_finds_what_a_browser_would(selector: str, expected: list[str]) -> None:
    assert found(selector) == expected


def test_an_attribute_may_be_asked_for_instead_of_the_words() -> None:
    assert (parse("a@title").attr, parse("a[href*='@']").attr, parse("a[href*='@']@href").attr) == (
        "title",
        None,
        "href",
    )


@pytest.mark.parametrize(
    "selector", ["", "  ", "li >", "> li", "li::before", "a:hover", "ul,,li", "[x", "a" * 301]
)
def test_what_cannot_be_read_is_named(selector: str) -> None:
    with pytest.raises(ValueError, match="选择器"):
        parse(selector)
