"""The main text of a published page, and whether it still says what it said. Pure.

Pages move around their text: menus, dates, visitors' counts, "related". So the main text is made of the
lines that read like sentences, and what counts is how much of the first text still stands, not what else
has come to the page. A few characters mended is an edit; a text rewritten or taken back is a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from models.core.text import normalise

CHANGED_BELOW: Final = 0.80
"""Share of the first text that must still stand (a proposal); below it the page is another one."""
READABLE: Final = 30  # characters: a page with less (pictures, a script) cannot be compared
_SENTENCE_LIKE: Final = 0.60  # a sentence less like its old self than this is gone
_LEAST_LINE: Final = 12
_SHOWN: Final = 6  # sentences of a difference that are shown
_MOST: Final = 400  # sentences of a page that are compared
_MARKS = re.compile(r"[，。；：、！？“”（）,;!?]")
_FURNITURE = re.compile(
    r"版权所有|备案|网站标识码|主办单位|承办|技术支持|浏览次数|阅读[:：次量]|访问量|来源[:：]|责任编辑|分享到|"
    r"打印本页|关闭窗口|字体[:：]|上一[篇条]|下一[篇条]|相关(?:阅读|链接|新闻|稿件)|当前位置|扫一扫|copyright",
    re.IGNORECASE,
)
_END = re.compile(r"(?<=[。！？!?；;])|\n")
_TAKEN_BACK = re.compile(
    r"(?:本|该|上述|此前|原)[^。\n]{0,12}(?:撤回|作废|废止|收回)|撤稿|内容有误[^。\n]{0,12}(?:更正|为准)"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """`kept`: 0..1, how much of the old text still stands; `gone`, `new`: sentences, at most six each."""

    kept: float
    gone: tuple[str, ...]
    new: tuple[str, ...]
    taken_back: bool = False

    @property
    def same(self) -> bool:
        return not self.gone and not self.new

    @property
    def rewritten(self) -> bool:
        """No longer what it was: so little is left, or it says itself that it is taken back."""
        return self.kept < CHANGED_BELOW or self.taken_back

    def __str__(self) -> str:
        parts = [
            f"删: {'｜'.join(self.gone)}" if self.gone else "",
            f"增: {'｜'.join(self.new)}" if self.new else "",
        ]
        return "；".join([f"原文尚存 {self.kept:.0%}", *filter(None, parts)])


def main_text(text: str) -> str:
    """The lines of a page's words that read like sentences, in order."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if _speaks(line))


def _speaks(line: str) -> bool:
    return len(line) >= _LEAST_LINE and bool(_MARKS.search(line)) and not _FURNITURE.search(line)


def compare(old: str, new: str) -> Difference:
    """Two main texts, sentence by sentence, each against the likest of the other."""
    before, after = _sentences(old), _sentences(new)
    if before == after:
        return Difference(1.0, (), ())
    stands = [_likest(one, after) for one in before]
    weight = sum(map(len, before)) or 1
    kept = sum(len(one) * share for one, share in zip(before, stands, strict=True)) / weight
    gone = [one for one, share in zip(before, stands, strict=True) if share < 1]
    fresh = [one for one in after if one not in before]
    taken_back = any(_TAKEN_BACK.search(one) for one in fresh)
    return Difference(round(kept, 3), _shown(gone), _shown(fresh), taken_back)


def _sentences(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(_plain, _END.split(text)))))[:_MOST]


def _plain(sentence: str) -> str:
    """As it is compared: blanks and the width of characters say nothing."""
    return "".join(normalise(sentence).split())


def _likest(sentence: str, others: Sequence[str]) -> float:
    """1 when it stands as it was, its likeness when it was mended, 0 when it is gone."""
    if sentence in others:
        return 1.0
    best = max((fuzz.ratio(sentence, other) / 100 for other in others), default=0.0)
    return best if best >= _SENTENCE_LIKE else 0.0


def _shown(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(_short(sentences))


def _short(sentences: Sequence[str]) -> Iterator[str]:
    for sentence in sentences[:_SHOWN]:
        yield sentence if len(sentence) <= 80 else sentence[:79] + "…"
    if len(sentences) > _SHOWN:
        yield f"…另 {len(sentences) - _SHOWN} 句"
