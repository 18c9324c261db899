"""OPML 2.0: lists of feeds, as readers exchange them. Source: http://opml.org/spec2.opml"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from connectors import encodings, plaintext
from connectors.ports import Refused

MAX_BYTES = 5_000_000
MAX_OUTLINES = 20_000
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,300}\?>")


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed in a list: its name, its address, the page of people it belongs to."""

    name: str
    url: str
    page: str = ""


def read(body: bytes, place: str) -> list[Outline]:
    """The feeds of a list, folders flattened, in order. `place`: the file in words.

    Raises Refused when it is no OPML, too large, or declares entities (a bomb's fuse).
    """
    if len(body) > MAX_BYTES:
        raise Refused(f"{place} 超过 {MAX_BYTES:,} 字节，不像订阅清单；请拆成几个文件")
    text = _DECLARATION.sub("", encodings.decode(body), count=1).lstrip()
    if "<!ENTITY" in text or "<!DOCTYPE" in text:
        raise Refused(f"{place} 带有 DOCTYPE 或实体定义，未读；请删去这几行再导入")
    try:
        root = ET.fromstring(text)
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise Refused(f"{place} 不是完好的 XML（{error}）；请从阅读器重新导出 OPML") from None
    if root.tag.lower() != "opml":
        raise Refused(f"{place} 的根元素是 <{root.tag[:60]}>，不是 OPML；请从阅读器导出 OPML")
    found = [_outline(node.attrib) for node in root.iter("outline")][:MAX_OUTLINES]
    return [outline for outline in found if outline.url]


def _outline(given: dict[str, str]) -> Outline:
    attrs = {name.lower(): value for name, value in given.items()}
    url = plaintext.clean(attrs.get("xmlurl", ""), 2_000)
    name = attrs.get("title") or attrs.get("text") or url
    return Outline(plaintext.clean(name, 200) or url, url, plaintext.clean(attrs.get("htmlurl", ""), 2_000))


def write(title: str, feeds: Iterable[Outline], now: datetime) -> str:
    """A list as XML text, for any reader."""
    root = ET.Element("opml", version="2.0")
    head, body = ET.SubElement(root, "head"), ET.SubElement(root, "body")
    ET.SubElement(head, "title").text = title
    ET.SubElement(head, "dateCreated").text = format_datetime(now)
    for feed in feeds:
        attrs = {"type": "rss", "text": feed.name, "title": feed.name, "xmlUrl": feed.url}
        ET.SubElement(body, "outline", attrs | ({"htmlUrl": feed.page} if feed.page else {}))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
