from __future__ import annotations

from datetime import datetime

import pytest

from connectors.opml import Outline, read, write
from connectors.ports import Refused
from models.core.moment import CST

NOW = datetime(2026, 11, 21, 2, 13, tzinfo=CST)
LIST = """<?xml version="1.0" encoding="gb2312"?>
<opml version="1.0"><head><title>信源</title></head><body>
<outline text="本市"><outline type="rss" text="临江新闻" xmlUrl="https://news.example/a?x=1&amp;y=2" htmlUrl="https://news.example/"/>
<outline TITLE="论坛" XMLURL="https://bbs.example/rss"/><outline text="没有地址"/></outline></body></opml>"""


def test_folders_are_flattened_and_names_of_attributes_may_be_written_anyhow() -> None:
    assert read(LIST.encode("gb18030"), "a.opml") == [
        Outline("临江新闻", "https://news.example/a?x=1&y=2", "https://news.example/"),
        Outline("论坛", "https://bbs.example/rss"),
    ]


def test_what_is_written_is_read_back() -> None:
    feeds = [
        Outline('甲 <&> "乙"', "https://a.example/?a=1&b=2", "https://a.example/"),
        Outline("丙", "http://b/"),
    ]
    assert read(write("临江市政府办公室", feeds, NOW).encode(), "a.opml") == feeds


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml/>', "DOCTYPE"),
        (b"<rss/>", "<rss>"),
        (b"<opml><body>", "XML"),
        (b"", "XML"),
        (b"<opml>" + b" " * 5_000_001, "5,000,000"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_do(body: bytes, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        read(body, "a.opml")
    assert "；" in str(caught.value)
