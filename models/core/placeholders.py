"""What a gateway's template may ask of an alert: `{title}`, `{due}` … one short phrase each."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = {
    "phone": "收件人的号码",
    "text": "一句话说清：级别、标题、时钟、时限、编号",
    "ref": "编号，例如 舆-2026-0012 首次发布 75%",
    "title": "标题",
    "grade": "级别，例如 II 级",
    "name": "收件人姓名",
    "why": "缘由",
    "due": "时限，例如 11-21 07:10",
    "left": "还剩多久",
    "link": "一次性签收链接；没有时为页面地址",
    "alert_id": "提醒编号，重发时相同",
}
LINKS = frozenset({"link", "text"})
"""What may hold an address; the platforms' templates refuse one in a variable."""
_PLACE = re.compile(r"\{([^{}]*)\}")


def strange(template: str) -> list[str]:
    """The placeholders of a template that are none of ours, in order."""
    return [name for name in _PLACE.findall(template) if name not in WORDS]


def asked(template: str) -> frozenset[str]:
    return frozenset(_PLACE.findall(template))


def filled(template: str, words: Mapping[str, str]) -> str:
    """`template` with every placeholder's words; what is not ours stays as it is."""
    return _PLACE.sub(lambda found: words.get(found[1], found[0]), template)
