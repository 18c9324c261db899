"""Which kind of opinion 舆情类别 (S-030…S-041): learned from our own sentences, held back by rules.

Two kinds set things going that no likeness of wording may start: a notice of the network office is
one only where that office is named, and an emergency that has not spread only where somebody says so
or reports it by duty. The officer's choice replaces all of this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from models.core.lexicon import Hits, scan
from models.core.vocabulary import Medium, OpinionKind

NONE: Final = "none"
_NEEDS: Final = {
    OpinionKind.CAC_NOTICE.value: re.compile("网信|互联网信息办|舆情(?:转办|交办|督办|通报)"),
    OpinionKind.NOT_YET_SPREAD.value: re.compile(
        "^(?!.*(?:#|//@|https?:|记者|网讯|日电))(?:"
        ".*(?:未|没|无|不|暂|尚).{0,8}(?:传播|扩散|外传|传出|上网|发网|网络|网上|网民|网帖|发帖|搜不到|媒体|知情|知道|知晓|"
        "不知|察觉|公开|公布|公告|广播|拍|发视频|议论|讨论|关注|反应|舆情|发布|直播|披露|消息|动静|掌握)"
        "|.*(?:网[上络](?:安静|平静)|值班|接报|接.{1,6}电话|首报|先报|特报|速报|先行|报告|报[:：]|内部|专报|特急|消息(?:仅|限|控制)))",
        re.DOTALL,
    ),
}
_PRIVATE: Final = frozenset(
    {Medium.HOTLINE, Medium.MAILBOX, Medium.MESSAGE, Medium.SITE_ERROR, Medium.MANUAL, Medium.CAC_NOTICE}
)
_SURE: Final = 0.4  # below it the watched words are asked (nine answers: 0.11 is a guess)
_SEVERAL: Final = 2  # so many watched words of one kind outweigh "no opinion at all"
# of kinds with equally many words the earlier wins: what needs more done stands first
_ORDER: Final = (
    OpinionKind.FALSE_INFO,
    OpinionKind.MAJOR_PROBLEM,
    OpinionKind.UNINFORMED,
    OpinionKind.HARDSHIP,
    OpinionKind.CONSTRUCTIVE,
)


def likeliest(text: str, names: Sequence[str], chances: Sequence[float]) -> tuple[str | None, float]:
    """(kind or None, its probability) of a canonical text: the likeliest that its words allow; where
    that is not sure, the kind most of its watched words point to, if any does."""
    place = max(range(len(names)), key=lambda k: chances[k] if allowed(text, names[k]) else 0.0)
    kind: str | None = names[place]
    if chances[place] < _SURE or kind == NONE:
        kind = _pointed(scan(text), 1 if chances[place] < _SURE else _SEVERAL) or kind
    return (None if kind == NONE else kind), chances[names.index(kind)] if kind else 0.0


def _pointed(hits: Hits, at_least: int) -> str | None:
    counts = [(len(hits.of(kind)), -place, kind) for place, kind in enumerate(_ORDER)]
    most, _, kind = max(counts)
    return kind.value if most >= at_least else None


def allowed(text: str, kind: str) -> bool:
    needs = _NEEDS.get(kind)
    return needs is None or needs.search(text) is not None


def through(medium: Medium, kind: str | None) -> str | None:
    """What the door adds: the network office's notices are their own kind whatever they say, and what
    is said in public has spread."""
    if medium is Medium.CAC_NOTICE:
        return OpinionKind.CAC_NOTICE.value
    spread = kind == OpinionKind.NOT_YET_SPREAD.value and medium not in _PRIVATE
    return None if spread else kind
