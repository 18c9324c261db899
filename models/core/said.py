"""Is it said to have happened, here and now? A sentence may suppose, rehearse, deny or remember.

All marks are looked for in a short stretch of the same sentence, so time is bounded by the text. In
doubt a count stands: a death that is missed costs more than one that an officer strikes out (law 14).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

STOP: Final = re.compile(r"[。;；!！?？\n]")
NEAR: Final = 24
FAR: Final = 48
HISTORY: Final = timedelta(days=60)
"""A dated sentence older than this before the publication tells of another event."""

_SUPPOSED = re.compile(
    r"如果(?!不是)|假如|倘若|若是|要是(?!不是)|一旦|万一|假设|假定|设想|可能(?:会|造成|导致|有)|足以|避免|防止|以免"
    r"|杜绝|险些|差点|谨防|威胁要|扬言|预计(?:将|会|有|\d)|或将|恐将"
)
_REHEARSED = re.compile(
    r"模拟|(?:演练|演习|推演|桌面推演|拉练)(?!(?:中|时|期间|过程中|现场)?[^。;!?\n]{0,8}(?:发生|突发|意外|事故|坠|爆炸|相撞))"
    r"|电影(?![院城节厅人])|电视剧|小说|剧中|剧情|剧本|游戏(?:里|中)|科幻|考题|例题|案例题"
)
_MADE_UP = re.compile(
    r"辟谣|谣传|造谣|谎称|编造|虚构|捏造|散布|杜撰|(?:误传|误报|不存在|并非|并没有|不是(?!一))[^,;。]*$"
)
_HEARSAY = re.compile(
    r"网传|传言|传闻|谣言|所谓|[网有][民友人](?:称|说|发布|传)|消息称|流传|视频称|文章称|帖子"
)
_UNTRUE = re.compile(
    r"谣言|不实|虚假|假消息|误传|不属实|无中生有|子虚乌有|没有此事|没有的事|未发生|捏造|编造|移花接木|系旧闻|纯属"
)
_RULED = re.compile(
    r"以上(?:的|、|或|,|死|重伤|受伤|失踪|遇难|中毒|被困)[^。;!?\n]{0,40}(?:的为|的是|属于?|的?事故[,。;]?(?:为|是|由)|启动|的[,、])|是指"
)
_ASKED = re.compile(r"[^,，。;；!！\n]{0,4}?(?:[?？]|吗|么(?![,，]))")

_RECENT = re.compile(
    r"今|昨|前天|近日|日前|目前|截至|刚刚|刚才|当日|当天|当晚|凌晨|此次|本次|这起|这次|该起|最新|仍有|本月|本周|上周|连日"
)
_DATED = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:年(?:(\d{1,2})月(?:(\d{1,2})日)?|(?=[^,。;!?\n]{0,16}(?:曾|发生|大?地震|事故|惨案|爆炸案|空难|矿难|海啸)))"
    r"|[·.\-年]?[“\"]?\d{1,2}[·.]\d{1,2})"
    r"(?![^,。;!?\n]{0,6}(?:投产|建成|开业|成立|竣工|出生|入职|投用|通车|注册|建造|开工|上市|实施|印发|毕业))"
)
_ONCE = re.compile(
    r"去年(?!以来|至今|底)|前年|上世纪|上个世纪|[\d一二两三四五六七八九十几多数]年前|当年|历史上|曾(?:经)?(?:发生|造成|致|导致|出现)"
    r"|忌日|悼念|缅怀|同胞|回顾|战争年代"
)

_REMEMBERED = re.compile(r"周年|公祭|大屠杀|抗战")


def sentence_start(text: str, at: int, reach: int = FAR) -> int:
    """Where the sentence that holds `at` begins, at most `reach` characters back."""
    low = max(0, at - reach)
    return max((m.end() for m in STOP.finditer(text, low, at)), default=low)


def sentence_end(text: str, at: int, reach: int = FAR) -> int:
    """Where the sentence that holds `at` ends, at most `reach` characters on."""
    found = STOP.search(text, at, at + reach)
    return found.start() if found else min(len(text), at + reach)


def unreal(text: str, start: int, end: int) -> bool:
    """Supposed, rehearsed, invented or denied; `start` and `end` bound the words of the count."""
    low = sentence_start(text, start)
    near = max(low, start - NEAR)
    return (
        _SUPPOSED.search(text, near, end) is not None
        or _REHEARSED.search(text, low, end) is not None
        or _MADE_UP.search(text[near:start]) is not None
        or _denied_later(text, low, start, end)
        or _RULED.search(text, start, sentence_end(text, end)) is not None
    )


def _denied_later(text: str, low: int, start: int, end: int) -> bool:
    """网传5人死亡，系谣言: a tale before it and a denial after."""
    return _HEARSAY.search(text, low, start) is not None and _UNTRUE.search(text, end, end + 32) is not None


def asked(text: str, end: int) -> bool:
    """The clause ends as a question: 死了3个人？"""
    return _ASKED.match(text, end) is not None


def past(text: str, start: int, said: date | None) -> bool:
    """The sentence speaks of an earlier event: 2015年8月12日…, 去年曾…; never where it also says 昨日 or 目前."""
    low = sentence_start(text, start, 80)
    if _REMEMBERED.search(text, low, start):
        return True
    if _RECENT.search(text, low, start):
        return False
    if _ONCE.search(text, low, start):
        return True
    dated = list(_DATED.finditer(text, low, start))
    return bool(dated) and said is not None and said - _latest(dated[-1]) > HISTORY


def _latest(dated: re.Match[str]) -> date:
    """The last day that the words can mean."""
    year, month, day = int(dated[1]), int(dated[2] or 12), int(dated[3] or 28)
    return date(year, min(12, max(1, month)), min(28, max(1, day)))
