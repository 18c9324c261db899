"""A statement 稿件 as it is written: what its hash is of, and what is wrong with it. Pure.

Three parts 事实、措施、结果 (S-025); numbers that differ from what is known of the incident; personal data
(S-059, N-150); promises that nobody keeps; words better not used; 公开属性 with its reason (S-053…S-055,
N-011). A finding that blocks keeps the draft from being handed in; the others are shown to its reviewers.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from models.core.casework import Disclosure, Outlet
from models.core.facts import UNITS, ZH, Fact, extract
from models.core.personal import MASKS, mask_personal
from models.core.text import LIMIT, canonical
from models.core.vocabulary import EvidenceKind

MOST_BYTES: Final = 200_000
LONGEST_TITLE: Final = 60  # characters that a list of a website shows whole
KINDS: Final = (
    EvidenceKind.STATEMENT,
    EvidenceKind.RESPONSE,
    EvidenceKind.UPDATE,
    EvidenceKind.CLARIFICATION,
    EvidenceKind.INTERPRETATION,
    EvidenceKind.INVESTIGATION,
)
"""What a text of ours can become when it is released."""
HIDDEN: Final = frozenset({Disclosure.NONE, Disclosure.ON_REQUEST})
"""公开属性 that need a reason, and with which nothing is released (S-054, S-055)."""
TEMPLATE: Final = "## 事实\n\n\n\n## 措施\n\n\n\n## 结果\n\n"


@dataclass(frozen=True, slots=True)
class Content:
    """All that a signature is for: the words, and how they are to be told."""

    kind: EvidenceKind
    title: str
    text: str
    unit: str
    disclosure: Disclosure | None = None
    disclosure_reason: str = ""
    audience: str = ""
    outlets: tuple[Outlet, ...] = (Outlet.WEBSITE,)

    @property
    def attributes(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "unit": self.unit,
            "disclosure": self.disclosure.value if self.disclosure else None,
            "disclosure_reason": self.disclosure_reason,
            "audience": self.audience,
            "outlets": [outlet.value for outlet in self.outlets],
        }

    @property
    def sha256(self) -> str:
        return digest(self.title, self.text, self.attributes)


def digest(title: str, text: str, attributes: Mapping[str, Any]) -> str:
    """Hex SHA-256 over title, text and attributes in one canonical form."""
    whole = {"title": title, "text": text, "attributes": dict(attributes)}
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def refused(title: str, text: str) -> str:
    """What no draft may be, in words; "" when it may be kept."""
    if not title.strip():
        return "稿件没有标题；请写标题(title)"
    if not text.strip():
        return "稿件没有内容；请写正文"
    size = len(text.encode())
    if size > MOST_BYTES:
        return f"稿件有 {size // 1000} kB，最多 {MOST_BYTES // 1000} kB；请删减，长材料另作附件"
    return ""


# ── what is wrong with it ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule`: parts, facts, personal, promise, words, disclosure, outlet, title, wording; `start`, `end`: its
    place in the text, None when it has none; `blocks`: it keeps the draft from being handed in."""

    rule: str
    words: str
    blocks: bool = False
    start: int | None = None
    end: int | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Avoid:
    """An expression that is better not used, and why; `blocks`: it must not be used."""

    expression: str
    why: str
    blocks: bool = False


AVOID: Final = (
    Avoid("网络谣言", "还没有查清就称谣言，容易失实；建议写明哪一句不属实、事实是什么"),
    Avoid("别有用心", "评判动机；建议只说事实"),
    Avoid("临时工", "以身份推卸责任；建议写明单位和责任"),
    Avoid("情绪稳定", "套话，容易引起反感；建议写明安抚、救助做了什么"),
    Avoid("不明真相", "贬低群众；建议删去"),
    Avoid("一小撮", "贬低群众；建议删去"),
    Avoid("正常现象", "淡化问题；建议说明原因和标准"),
    Avoid("高度重视", "套话；建议写具体措施"),
)
"""Ours, as suggestions; no document gives such a list. A site may add its own and leave these out."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a draft is held against. `facts`: name → (value, confirmed by a person); `disclosures`: those
    that the site's profile knows; `wording`: the shared 口径, "" when there is none yet."""

    facts: Mapping[str, tuple[float, bool]]
    disclosures: Sequence[Disclosure] = tuple(Disclosure)
    wording: str = ""
    avoid: Sequence[Avoid] = AVOID


def lint(content: Content, known: Known) -> list[Finding]:
    """Everything that is wrong, what blocks first, then in the order of the text."""
    found = [
        *_title(content),
        *_title_numbers(content, known),
        *_parts(content),
        *_disclosure(content, known.disclosures),
        *_outlets(content),
        *_facts(content.text, known),
        *_unread(content.text),
        *personal(content.text),
        *_personal_beside(content),
        *_promises(content.text),
        *_avoided(content.title + "\n" + content.text, known.avoid, len(content.title) + 1),
    ]
    return sorted(found, key=lambda one: (not one.blocks, one.start if one.start is not None else -1))


def _title(content: Content) -> Iterator[Finding]:
    if len(content.title) > LONGEST_TITLE:
        yield Finding(
            "title", f"标题有 {len(content.title)} 字，列表里显示不全；建议不超过 {LONGEST_TITLE} 字"
        )


# ── the three parts ───────────────────────────────────────────────────────────────────────────

_HEADING = re.compile(r"^#{1,6}[ \t]*(\S.*)$", re.MULTILINE)
_PARTS: Final = {
    "事实": re.compile("事实|情况|经过|调查|核查"),
    "措施": re.compile("措施|处置|工作|政策|做法|救援|整改"),
    "结果": re.compile("结果|结论|进展|下一步|后续|处理"),
}
_MUST_HAVE: Final = frozenset({EvidenceKind.STATEMENT, EvidenceKind.RESPONSE, EvidenceKind.UPDATE})
_PARTS_BASIS: Final = "海南省2016年政务公开工作要点 五(二)，S-025"


def parts(text: str) -> dict[str, str]:
    """What stands under each of 事实, 措施, 结果: a heading of each name, or one of its like. A missing part
    has no key."""
    marks = [*_HEADING.finditer(text)]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    made: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=False):
        name = next(
            (part for part, like in _PARTS.items() if part not in made and like.search(mark[1])), None
        )
        if name is not None:
            made[name] = text[mark.end() : end].strip()
    return made


def _parts(content: Content) -> Iterator[Finding]:
    there, blocks = parts(content.text), content.kind in _MUST_HAVE
    for name in _PARTS:
        if name not in there:
            words = f"没有“{name}”部分；加一节“## {name}”，还不清楚的写明正在核查"
            yield Finding("parts", words, blocks, basis=_PARTS_BASIS)
        elif not there[name]:
            words = f"“{name}”一节是空的；写明{name}，还不清楚的写明正在核查"
            yield Finding("parts", words, blocks, basis=_PARTS_BASIS)


# ── 公开属性, where it is told ────────────────────────────────────────────────────────────────


def _disclosure(content: Content, allowed: Sequence[Disclosure]) -> Iterator[Finding]:
    basis, given = "黔财办〔2017〕14号 (一)3，S-053、S-054", content.disclosure
    if given is None:
        names = "、".join(one.zh for one in allowed)
        yield Finding("disclosure", f"没有写公开属性，予以退文；请选 {names}", True, basis=basis)
    elif given not in allowed:
        names = "、".join(one.zh for one in allowed)
        yield Finding("disclosure", f"本站点的公开属性没有“{given.zh}”；可选 {names}", True, basis=basis)
    elif given in HIDDEN and not content.disclosure_reason:
        why = f"拟“{given.zh}”没有说明理由，予以退文；请写明理由"
        yield Finding("disclosure", why, True, basis=f"{basis}；国办发〔2016〕80号 一(一)，N-011")


def _outlets(content: Content) -> Iterator[Finding]:
    if Outlet.WEBSITE in content.outlets or content.disclosure in HIDDEN or content.audience:
        return
    words = "发布渠道里没有门户网站，它是信息公开第一平台；请加上网站，或写明只向哪些人公示(audience)"
    yield Finding("outlet", words, basis="西政办发〔2016〕55号 通知三，S-099")


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


def numbers(text: str) -> dict[str, tuple[float, tuple[Fact, ...]]]:
    """The counts that a text states: name → its value, and the words it was read from."""
    read = extract(canonical(text))
    stated = {name: getattr(read, name) for name in ZH}
    return {name: (value, read.shown(name)) for name, value in stated.items() if value is not None}


def _facts(text: str, known: Known) -> Iterator[Finding]:
    shared = {name: value for name, (value, _) in numbers(known.wording).items()}
    for name, (value, read) in numbers(text).items():
        held, confirmed = known.facts.get(name, (None, False))
        start, end = place(text, read[0].words) if read else (None, None)
        if held is not None and held != value:
            words = _differs(name, value, held, "核实的" if confirmed else "线索里读到的", _ANSWERED)
            yield Finding("facts", words, confirmed, start, end, "国办发〔2018〕123号 四(二)，N-016")
        if name in shared and shared[name] != value:
            yield Finding(
                "wording", _differs(name, value, shared[name], "口径里的", _SHARED), False, start, end
            )


_ANSWERED: Final = "请核对，确已核实的送审时写明核实情况(facts_reason)"
_SHARED: Final = "请改稿，或先更新口径"


def _differs(name: str, value: float, held: float, whose: str, way_out: str) -> str:
    unit = UNITS.get(name, "人")
    return f"{ZH[name]}写的是 {value:g} {unit}，{whose}是 {held:g} {unit}；{way_out}"


def _title_numbers(content: Content, known: Known) -> Iterator[Finding]:
    """A title is read by more people than the text; its numbers are the text's, and known ones."""
    stated = numbers(content.text)
    for name, (value, _) in numbers(content.title).items():
        if name in stated and stated[name][0] != value:
            yield Finding(
                "title", "标题里" + _differs(name, value, stated[name][0], "正文写的", "请改成一致")
            )
    for found in _facts(content.title, known):
        yield replace(found, words="标题里" + found.words, start=None, end=None)


def _unread(text: str) -> Iterator[Finding]:
    if len(text) > LIMIT:
        yield Finding("facts", f"正文超过 {LIMIT // 10_000} 万字，其后的数字没有核对；请人工核对，或分成几份")


def place(text: str, words: str) -> tuple[int, int] | tuple[None, None]:
    """Where the words, read from a normalised text, stand in the text as it was written."""
    plain, at = _compact(text)
    wanted, _ = _compact(words)
    found = plain.find(wanted) if wanted else -1
    return (at[found], at[found + len(wanted) - 1] + 1) if found >= 0 else (None, None)


def _compact(text: str) -> tuple[str, list[int]]:
    """The text without blanks and widths, and where each of its characters stood."""
    kept = [
        (char, n)
        for n, written in enumerate(text)
        for char in unicodedata.normalize("NFKC", written).lower()
        if not char.isspace()
    ]
    return "".join(char for char, _ in kept), [n for _, n in kept]


# ── personal data ─────────────────────────────────────────────────────────────────────────────

_PERSONAL_BASIS: Final = "个人信息保护法 28、34，N-150；2022年大理州政务公开工作要点 一(五)，S-059"
_OFFICE: Final = frozenset({"〔邮箱〕", "〔电话〕"})
_MOBILE: Final = re.compile(r"1[3-9]\d")
_PERSON: Final = re.compile(
    r"(?<![\u4e00-\u9fa5])[\u4e00-\u9fa5]{2,3}(?=[(（,，]\s*(?:男|女)[,，)）])|(?<=[为系是])[\u4e00-\u9fa5]{2,3}(?=[(（](?:男|女)[,，])"
)
_NOBODY: Final = re.compile(r"某|[人者员工生民客师机警士]$")


def personal(text: str) -> Iterator[Finding]:
    """Blocks, but for what may be an office's own telephone or address."""
    for mask, start, end in masked(text):
        found = _narrow(text[start:end])
        office = mask in _OFFICE and not _MOBILE.match(re.sub(r"\D", "", found))
        words = (
            f"有{mask.strip('〔〕')}“{_short(found)}”；"
            f"{'请核对是对外公布的办公号码' if office else '个人信息不得公开，请删去或遮盖'}"
        )
        yield Finding("personal", words, not office, start, end, _PERSONAL_BASIS)
    for name in _PERSON.finditer(text):
        if not _NOBODY.search(name[0]):
            words = f"像是写了当事人姓名“{name[0]}”；建议写“{name[0][0]}某”"
            yield Finding("personal", words, False, name.start(), name.end(), _PERSONAL_BASIS)


def _personal_beside(content: Content) -> Iterator[Finding]:
    """The same in what goes out beside the text, where it has no place to be shown."""
    for where, words in (("标题里", content.title), ("公示对象里", content.audience)):
        for found in personal(words):
            yield replace(found, words=where + found.words, start=None, end=None)


def _short(found: str) -> str:
    """Enough to find it, not enough to use it."""
    return found if len(found) < 5 else f"{found[:3]}…{found[-2:]}"


_MASKED: Final = re.compile("|".join(map(re.escape, MASKS)))


def masked(text: str) -> list[tuple[str, int, int]]:
    """What would be masked: (mask, start, end), by what the masked text kept of this one."""
    text = _narrow(text)
    hidden = mask_personal(text)
    if hidden == text:
        return []
    literals, masks = _MASKED.split(hidden), _MASKED.findall(hidden)
    found, at = [], len(literals[0])
    for mask, literal in zip(masks, literals[1:], strict=True):
        end = text.find(literal, at + 1) if literal else len(text)
        end = len(text) if end < 0 else end
        found.append((mask, at, end))
        at = end + len(literal)
    return [one for one in found if text[one[1] : one[2]] != one[0]]  # a mask that the author wrote


def hide(text: str) -> str:
    """The text as it was written, with its personal data masked."""
    for mask, start, end in reversed(masked(text)):
        text = text[:start] + mask + text[end:]
    return text


def _narrow(text: str) -> str:
    """Wide digits and letters narrow, each character at its own place."""
    plain = ((char, unicodedata.normalize("NFKC", char)) for char in text)
    return "".join(narrow if len(narrow) == 1 else char for char, narrow in plain)


# ── promises ──────────────────────────────────────────────────────────────────────────────────

_SENTENCE = re.compile(r"[^。！？!?\n；;]+[。！？!?；;]?")
_PROMISE = re.compile(
    r"(?<![即必行])将(?=会|于|继续|及时|尽快|进一步|依法|第一时间|持续|全力|在|适时|定期|组织|开展|公布|发布|向社会|严肃|对)"
    r"|承诺|保证(?!金)|确保|尽快|适时"
)
_UNIT = re.compile(
    r"[\u4e00-\u9fa5]{1,12}(?:局|委|办|厅|处|部|部门|政府|公司|集团|中心|医院|学校|指挥部|工作组|专班|调查组|办公室|街道|乡|镇)"
)
_WHEN = re.compile(
    r"\d{1,2}月\d{1,2}日|\d{1,2}[:：时点]|[\d一二三四五六七八九十两]+(?:个)?(?:小时|工作日|日|天|周|月)(?:内|之内|以内|前|后)"
    r"|今[天日晚]|明[天日]|本[周月]|每(?:日|天|\d+小时)|年底前"
)


def _promises(text: str) -> Iterator[Finding]:
    for sentence in _SENTENCE.finditer(text):
        if not _PROMISE.search(sentence[0]):
            continue
        lacking = [
            name for name, like in (("由哪个单位", _UNIT), ("何时", _WHEN)) if not like.search(sentence[0])
        ]
        if lacking:
            said = sentence[0].replace("**", "").lstrip("#-* ").strip()
            words = f"承诺“{said if len(said) <= 40 else said[:39] + '…'}”没有写明{'、'.join(lacking)}；请写明，或删去"
            yield Finding("promise", words, False, sentence.start(), sentence.end())


def _avoided(text: str, avoid: Sequence[Avoid], before: int) -> Iterator[Finding]:
    """`before`: the characters of the title in front of the text."""
    for one in avoid:
        start = text.find(one.expression) if one.expression else -1
        if start >= 0:
            inside = start >= before
            yield Finding(
                "words",
                f"{'' if inside else '标题里'}用了“{one.expression}”：{one.why}",
                one.blocks,
                start - before if inside else None,
                start - before + len(one.expression) if inside else None,
            )
