"""What kind of publication is this: 通报, 续报, 发布会, 澄清 or 回应? By its own words, with the reason.

The title decides first, then the opening. A notice that a press conference will be held is not the
conference (国办发〔2016〕61号 counts its actual beginning, N-003).
"""

from __future__ import annotations

import re
from typing import Final

from models.core.vocabulary import EvidenceKind

_OPENING: Final = 200  # characters
_AHEAD = re.compile(r"公告|预告|预报|[将定拟]于|[将拟](?:召开|举行)")
_SERIAL = re.compile(r"续报|(?:通报|通告|公告)\s*[(（]?\s*(?:第?[二三四五六七八九十2-9]\s*[号期次)）])")
_RULES: Final = (
    (EvidenceKind.UPDATE, _SERIAL),
    (EvidenceKind.CLARIFICATION, re.compile(r"辟谣|澄清|不实|谣言")),
    (EvidenceKind.STATEMENT, re.compile(r"通报|情况说明|通告|公告|声明")),
)


def kind_of(title: str, body: str = "") -> tuple[EvidenceKind, str]:
    """The kind of evidence that the item is, and why."""
    for part, words in (("标题", title), ("开头", body[:_OPENING])):
        if "发布会" in words:
            return _conference(part, words)
        for kind, rule in _RULES:
            if found := rule.search(words):
                return kind, f"{part}有“{found[0].strip()}”，记为{kind.zh}"
    return EvidenceKind.RESPONSE, f"没有通报、续报、发布会、澄清的字样，记为{EvidenceKind.RESPONSE.zh}"


def _conference(part: str, words: str) -> tuple[EvidenceKind, str]:
    if ahead := _AHEAD.search(words):
        return EvidenceKind.UPDATE, f"{part}有“{ahead[0]}”，是发布会的预告，不是发布会"
    return EvidenceKind.PRESS_CONFERENCE, f"{part}有“发布会”，记为{EvidenceKind.PRESS_CONFERENCE.zh}"
