"""Where it happened: province, city, county, from the words of a text.

Names come from `divisions`. A name that two places bear (朝阳区, 通州) is told apart by what stands
beside it, then by the other places of the text, then by the site's own region; what stays open is
given as far as it is known and marked unsure. A name that is a road, a paper, a dish or a person's
home (南京路, 北京日报, 四川籍) is no place of an event. Linear in the bounded text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import ahocorasick_rs

from models.core.divisions import NAMES
from models.core.text import LIMIT


@dataclass(frozen=True, slots=True)
class Place:
    """A division and the words that name it: `text[start:end]`. Levels that are not said are empty.

    `sure`: one division only, and nothing in the text that speaks for another.
    """

    province: str = ""
    city: str = ""
    county: str = ""
    start: int = 0
    end: int = 0
    sure: bool = True

    @property
    def zh(self) -> str:
        """浙江省温州市鹿城区; a municipality once: 北京市朝阳区."""
        return "".join(dict.fromkeys(part for part in (self.province, self.city, self.county) if part))

    @property
    def depth(self) -> int:
        return 3 if self.county else 2 if self.city else 1 if self.province else 0

    def within(self, other: Place) -> bool:
        """Nothing said of either contradicts the other, and this one is no wider."""
        return self.depth >= other.depth and all(
            not wide or wide == narrow
            for wide, narrow in (
                (other.province, self.province),
                (other.city, self.city),
                (other.county, self.county),
            )
        )


_MINORITY: Final = (
    "蒙古族|藏族|羌族|彝族|回族|苗族|侗族|土家族|布依族|傣族|景颇族|傈僳族|哈尼族|壮族|白族|朝鲜族|瑶族|仡佬族|水族|满族|畲族"
    "|黎族|拉祜族|佤族|布朗族|独龙族|怒族|普米族|纳西族|裕固族|哈萨克族|保安族|东乡族|撒拉族|土族|仫佬族|毛南族|达斡尔族"
    "|锡伯|塔吉克|柯尔克孜|哈萨克|蒙古|维吾尔|回|各族"
)
_SUFFIX = re.compile(
    rf"(?:特别行政区|(?:(?:{_MINORITY})+)?自治(?:区|州|县|旗)|省|地区|林区|矿区|新区|市|县|区|旗|盟)$"
)
_WORDS: Final = frozenset(
    [
        "德州", "来宾", "日照", "大庆", "阿里", "朝阳", "中山", "东方", "白银", "普洱", "大理", "怒江", "红河", "黄山",
        "海西", "海北", "海东", "黄南", "山南", "甘南", "湘西", "黔南", "安康", "平安", "四平", "三明", "大同", "保山",
        "吉林", "河源", "广元", "河池", "玉树", "金昌", "商洛", "宝山", "和平", "新华", "解放", "长安", "西湖", "南山",
        "白云", "通州", "西安区", "海南", "海州", "鼓楼", "五家渠",
    ]
)  # fmt: skip
"""Short names that are words, provinces or other places too: they count beside their parent alone."""

_COMMON: Final = frozenset(
    [
        "古城",
        "新城",
        "老城",
        "城关",
        "城中",
        "城东",
        "城西",
        "城北",
        "东城",
        "西城",
        "开发",
        "江南",
        "海港",
        "桥东",
        "桥西",
    ]
)
"""Stems of counties that are plain words: 丽江古城 is a sight."""

_NOT_HERE = re.compile(
    r"(?:[东西南北中]?[一二三四五]?(?:路|街(?!道)|大道|大街|巷|胡同)|时间"
    r"|现代|奔驰|大众|啤酒|拉面|小吃|火锅|扑克|炒饭|烧烤|茅台|银行|证券|航空"
    r"|籍|话(?![语说])|菜(?![市场园])|牌照|号牌|日报|晚报|晨报|早报"
    r"|都市报|青年报|商报|时报|卫视|电视台|广播|在线|头条|新闻网|新闻(?!发布)|网讯|警方在)"
)
_FROM_THERE = re.compile(
    r"人(?![民社大员行工口防才数文造家命]|均)|[^,。]{0,2}(?:游客|旅客|老乡|姑娘|小伙|考生|大妈|网友|球迷|留学生)"
)
_DATELINE = re.compile(r"\d{1,2}月\d{1,2}日电|\d{1,2}日电|电[(:]|讯[(:]")
_ABROAD: Final = re.compile(
    r"美国|日本|韩国|朝鲜半岛|泰国|印度|缅甸|越南|老挝|柬埔寨|菲律宾|马来西亚|新加坡|印尼|俄罗斯|乌克兰|英国|法国|德国|意大利"
    r"|西班牙|土耳其"
    r"|伊朗|伊拉克|以色列|加沙|叙利亚|巴基斯坦|阿富汗|孟加拉|尼泊尔|斯里兰卡|澳大利亚|新西兰|加拿大|墨西哥"
    r"|巴西|阿根廷|埃及|南非|尼日利亚|肯尼亚|当地时间"
    r"|海域|海峡|群岛|瓦努阿图|斐济|汤加|秘鲁|智利|阿拉斯加|堪察加|太平洋|印度洋|大西洋"
)
_REGIONAL: Final[Mapping[str, str]] = {
    "鲁": "山东省", "豫": "河南省", "粤": "广东省", "苏": "江苏省", "皖": "安徽省", "赣": "江西省", "川": "四川省",
    "湘": "湖南省", "闽": "福建省", "桂": "广西壮族自治区", "浙": "浙江省", "冀": "河北省", "晋": "山西省",
    "黔": "贵州省",
    "滇": "云南省", "陕": "陕西省", "陇": "甘肃省", "鄂": "湖北省", "辽": "辽宁省",
}  # fmt: skip
_COMPOUNDS: Final[Mapping[str, str]] = {
    "川渝": "四川省", "京津冀": "北京市", "江浙沪": "江苏省", "苏浙沪": "江苏省", "长三角": "上海市",
    "珠三角": "广东省",
    "粤港澳": "广东省", "云贵川": "云南省", "陕甘宁": "陕西省", "黑吉辽": "黑龙江省",
}  # fmt: skip
_BETWEEN = re.compile(r"(?:省|市|州|区|县|的|·|-|/| |,|、)?")
_HEADLINE: Final = re.compile(
    r"[一某多两]|发生|突发|突降|遭|致|有|警方|官方|通报|暴雨|山洪|洪水|地震|火灾|[^,。]{0,6}(?:起火|爆炸|坍塌|垮塌|车祸|溺水)"
)
_EDGE: Final = frozenset(" \n,，。;；:：!！?？【】[]()《》“”\"'、|#")

FULL, SHORT, BARE = 3, 2, 1


@dataclass(frozen=True, slots=True)
class _Named:
    """What a pattern may mean beside a parent (`where`) and by itself (`alone`), and how far it can be
    trusted: a whole name, a known short one, or a stem."""

    where: tuple[Place, ...]
    alone: tuple[Place, ...]
    trust: int


@cache
def _gazetteer() -> tuple[ahocorasick_rs.AhoCorasick, tuple[_Named, ...]]:
    found: dict[str, dict[Place, int]] = {}
    for place in _divisions():
        for name, trust in _names(place):
            found.setdefault(name, {})[place] = trust
    for words, province in _regions():
        found.setdefault(words, {Place(province, sure=False): SHORT})
    named = tuple(_best(where) for where in found.values())
    kind = ahocorasick_rs.MatchKind.LeftmostLongest
    return ahocorasick_rs.AhoCorasick(tuple(found), matchkind=kind), named


def _regions() -> Iterator[tuple[str, str]]:
    """川渝, 鲁南: words for a part of a province, or for several of which the first is given."""
    yield from _COMPOUNDS.items()
    for char, province in _REGIONAL.items():
        yield from ((char + side, province) for side in "东西南北中")


def _best(where: Mapping[Place, int]) -> _Named:
    """By itself a province comes before a city of its short name (吉林), 长沙市 before the stem of 长沙县."""
    trust = max(where.values())
    trusted = [place for place, level in where.items() if level == trust]
    provinces = [place for place in trusted if place.depth == 1]
    return _Named(tuple(where), tuple(provinces or trusted), trust)


def _divisions() -> Iterator[Place]:
    province = city = ""
    for line in NAMES.splitlines():
        words = line.split()
        if not line.startswith(" "):
            province = words[0]
            yield Place(province)
            continue
        if not line.startswith("  "):
            city = "" if words[0] == "-" else words[0]
            if city and city != province:
                yield Place(province, city)
            words = words[1:]
        yield from (Place(province, city, word) for word in words)


def _names(place: Place) -> Iterator[tuple[str, int]]:
    """The whole name; a province's or city's short one; the stem of a county beside its parent."""
    name = place.county or place.city or place.province
    yield name, FULL
    stem = _SUFFIX.sub("", name)
    if place.city.endswith("自治州") and not place.county:
        yield stem + "州", FULL
    if place.county.startswith("市"):  # 济南市中区 is no 中区 of 济南市
        yield _SUFFIX.sub("", place.city) + place.county, FULL
    if len(stem) < 2 or stem == name or (place.county and stem in _COMMON):
        return
    if place.county or (place.city and stem in _WORDS):
        yield stem, BARE
    else:
        yield stem, SHORT


@dataclass(frozen=True, slots=True)
class _Chain:
    """Names that stand side by side: 浙江温州鹿城区. `weak`: it says where from, or who reports."""

    where: tuple[Place, ...]
    start: int
    end: int
    weak: bool
    trust: int


def locate(text: str, home: str = "") -> Place | None:
    """The place of the event that a canonical text speaks of, or None. `home`: the site's region."""
    text = text[:LIMIT]
    chains = list(_chains(text))
    if not chains:
        return None
    known = [_settled(chain, chains, home) for chain in chains]
    strong = [k for k, chain in enumerate(chains) if not chain.weak]
    order = strong or range(len(chains))
    first = min(order, key=lambda k: (chains[k].trust == BARE, chains[k].start))
    best = _deepened(known[first], [known[k] for k in order])
    others = [known[k] for k in strong if not best.within(replace(known[k], county=""))]
    doubt = not strong or bool(others) or _abroad(text, best.start)
    return replace(best, sure=best.sure and not doubt)


def _abroad(text: str, at: int) -> bool:
    return _ABROAD.search(text, max(0, at - 60), at + 60) is not None


def abroad(text: str) -> bool:
    """A foreign country or the open sea is named."""
    return _ABROAD.search(text[:LIMIT]) is not None


def _deepened(place: Place, others: Iterable[Place]) -> Place:
    """湖北… later 恩施市: the same place, said more closely."""
    closer = [other for other in others if other.depth > place.depth and other.within(place)]
    return closer[0] if closer else place


def _settled(chain: _Chain, chains: Sequence[_Chain], home: str) -> Place:
    """One of the places that the words may mean."""
    where = _outermost(chain.where)
    if len(where) > 1:
        near = [one.where[0] for one in chains if one is not chain and len(one.where) == 1]
        for known in (*near, *_home(home)):
            inside = tuple(place for place in where if place.within(known))
            if len(inside) == 1:
                return replace(inside[0], start=chain.start, end=chain.end, sure=inside[0].sure)
        return replace(_shared(where), start=chain.start, end=chain.end, sure=False)
    sure = where[0].sure and chain.trust != BARE
    return replace(where[0], start=chain.start, end=chain.end, sure=sure)


def _outermost(where: tuple[Place, ...]) -> tuple[Place, ...]:
    """云南大理: the prefecture, of which the city of that name is a part."""
    widest = min(where, key=lambda place: place.depth)
    return (widest,) if all(place.within(widest) for place in where) else where


def _shared(where: Sequence[Place]) -> Place:
    """What all of them have in common."""
    return Place(
        _same(place.province for place in where),
        _same(place.city for place in where),
        _same(place.county for place in where),
    )


def _same(names: Iterable[str]) -> str:
    different = set(names)
    return different.pop() if len(different) == 1 else ""


@cache
def _home(home: str) -> tuple[Place, ...]:
    """The site's own region as places, the closest first."""
    chains = list(_chains(home)) if home else []
    if not chains or len(chains[-1].where) != 1:
        return ()
    own = replace(chains[-1].where[0], sure=True)
    wider = (own, replace(own, county=""), replace(own, county="", city=""))
    return tuple(dict.fromkeys(place for place in wider if place.depth))


def _chains(text: str) -> Iterator[_Chain]:
    automaton, named = _gazetteer()
    open_: _Chain | None = None
    for pattern, start, end in automaton.find_matches_as_indexes(text):
        longer = _joined(text, open_, named[pattern], start, end)
        if longer is not None:
            open_ = longer
            continue
        if open_ is not None:
            yield _finished(text, open_)
        open_ = _begun(text, named[pattern], start, end)
    if open_ is not None:
        yield _finished(text, open_)


def _joined(text: str, chain: _Chain | None, name: _Named, start: int, end: int) -> _Chain | None:
    """The chain with one name more, when that lies within it and stands beside it."""
    if chain is None or not _BETWEEN.fullmatch(text, chain.end, start):
        return None
    if _NOT_HERE.match(text, end) and name.trust != FULL:
        return None
    inside = tuple(
        place
        for place in name.where
        if any(place.depth > wide.depth and place.within(wide) for wide in chain.where)
    )
    return _Chain(inside, chain.start, end, False, FULL) if inside else None


def _begun(text: str, name: _Named, start: int, end: int) -> _Chain | None:
    """A name by itself; a county's stem only where a headline begins with it."""
    if name.trust != FULL and _NOT_HERE.match(text, end):
        return None
    if name.trust == BARE and not _headline(text, name, start, end):
        return None
    return _Chain(name.alone, start, end, False, name.trust)


def _headline(text: str, name: _Named, start: int, end: int) -> bool:
    """义乌一仓库起火: a rare name at the very edge, with an event behind it."""
    edge = start == 0 or text[start - 1] in _EDGE
    rare = len(name.alone) == 1 and text[start:end] not in _WORDS
    return edge and rare and _HEADLINE.match(text, end) is not None


def _finished(text: str, chain: _Chain) -> _Chain:
    """Who comes from there, and where a report was written, is weak."""
    weak = (
        _FROM_THERE.match(text, chain.end)
        or _DATELINE.match(text, chain.end)
        or _NOT_HERE.match(text, chain.end)
    )
    return replace(chain, weak=weak is not None)
