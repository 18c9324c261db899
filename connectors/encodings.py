"""Bytes → text, told apart the way Chinese sources need it.

A byte order mark decides; then a declaration, when the text that it gives is believable; then
what gives the most ordinary Chinese. Declared charsets are often wrong in practice, so a
declaration is a strong hint and no more.
"""

from __future__ import annotations

import codecs
import functools
import itertools
import re

import chardet

SAMPLE = 2_000  # characters that a judgement looks at
_PEEK = 65_536  # bytes shown to chardet
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]{2,40})|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""",
    re.IGNORECASE,
)
# text charsets only: Python also knows zlib, hex, punycode, utf-7 and others that outsiders must not reach
_TEXT = re.compile(
    r"utf-(8|16|32)([_-].*)?|gb2312|gbk|gb18030|hz|big5.*|cp\d+|iso8859.*|koi8.*|euc_.*|shift_.*|iso2022.*"
    r"|ascii|tis-620|mac-.*|johab|ptcp154|kz1048"
)
_WIDER = {
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "cp950": "big5hkscs",
    "iso8859-1": "cp1252", "ascii": "utf-8", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip
_ENDS = {name: (f"{name}-be", f"{name}-le") for name in ("utf-16", "utf-32")}  # no mark: either end first
_CHINESE = ("utf-8", "gb18030", "big5hkscs")
_WIDE = ("utf-16-le", "utf-16-be")
# the everyday words of both scripts: what a wrong reading hardly ever produces
_EVERYDAY = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行"
    "所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日市区"
    "這個們來為國說時會對於著過發後裡種經麼學現當沒動還進樣開從實區，。、；：！？“”（）《》「」"
)
_MARKUP = re.compile(rb"\s*<[A-Za-z!?]")
# chance hardly ever makes well-formed UTF-8, and nearly any pair of bytes is some character of UTF-16
_LIKELIER = {"utf-8": 0.5, "utf-16-le": -0.25, "utf-16-be": -0.25}
_NON_ASCII = re.compile(r"[^\x00-\x7f]")


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of `data`. `declared` is a charset name from outside (a header), if there was one.

    Never raises. Bytes that fit no reading become U+FFFD in the best one, as the last resort.
    """
    name = guess(data, declared)
    text = data.decode(name, errors="replace")
    return text.removeprefix("\ufeff")


def guess(data: bytes, declared: str | None = None) -> str:
    """The name of the Python codec that reads `data` best. Never raises."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    if data.isascii() and b"\x00" not in data:
        return _shifted(data) or "utf-8"
    if end := _nul_end(data):
        return end
    named = (known(declared), known(_inner_declaration(data)))
    hints = [hint for name in named if name for hint in _ENDS.get(name, (name,))]
    for hint in hints:
        if _believable(data, hint):
            return hint
    return _best(data, hints)


def known(name: str | None) -> str | None:
    """A declared charset → the codec to read it with (gb2312 → gb18030), None for an unknown one."""
    try:
        codec = codecs.lookup((name or "").strip().strip("\"'")[:40]).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(codec, codec) if _TEXT.fullmatch(codec) else None


def _shifted(data: bytes) -> str | None:
    """HZ and ISO-2022 are Chinese and Japanese in ASCII's clothes."""
    name = "hz" if b"~{" in data else "iso2022_jp" if b"\x1b$" in data else None
    text = _strict(data, name) if name else None
    return name if text is not None and likelihood(text) > 0.5 and not text.isascii() else None


def _inner_declaration(data: bytes) -> str | None:
    found = _DECLARED.search(data[:2_048].replace(b"\x00", b""))
    return (found[1] or found[2]).decode("ascii", "replace") if found else None


def _strict(data: bytes, name: str) -> str | None:
    if name in _WIDE and not _wide(data):
        return None
    try:
        return data.decode(name)
    except (UnicodeError, ValueError):
        return None


def _nul_end(data: bytes) -> str | None:
    """UTF-16 with ASCII in it shows by its NULs, and their places tell which end comes first."""
    head = data[: 4 * SAMPLE]
    first, second = head[::2].count(0), head[1::2].count(0)
    if len(data) % 2 or first + second < len(head) / 20 or min(first, second) * 10 > max(first, second):
        return None
    name = "utf-16-be" if first > second else "utf-16-le"
    return name if _strict(data, name) is not None else None


def _wide(data: bytes) -> bool:
    """Could this be UTF-16? Plain ASCII, read in pairs, looks like Chinese, but it has neither
    NULs nor the high bytes of Chinese in it."""
    head = data[: 4 * SAMPLE]
    if b"\x00" not in head and _MARKUP.match(head) and b"</" in head:
        return False  # in UTF-16 every letter of a tag would bring a NUL
    return b"\x00" in head or 8 * sum(byte >= 0x80 for byte in head) >= len(head)


def _believable(data: bytes, name: str) -> bool:
    text = _strict(data, name)
    if text is None:
        return False
    if name == "cp1252" and _strict(data, "utf-8") is not None:
        return False  # what servers declare when nobody chose
    mark = likelihood(text)
    if mark >= 0.6:
        return not (name == "gb18030" and _reads_better(data, "utf-8", mark))
    return not any(_reads_better(data, other, mark) for other in _CHINESE if other != name)


def _reads_better(data: bytes, name: str, mark: float) -> bool:
    text = _strict(data, name)
    return text is not None and likelihood(text) > mark + 0.1


def _best(data: bytes, hints: list[str]) -> str:
    wide = _WIDE if len(data) % 2 == 0 else ()
    names = list(dict.fromkeys([*hints, *_CHINESE, *wide]))
    fits = [(likelihood(text), name) for name in names if (text := _strict(data, name)) is not None]
    fits = [(mark + _LIKELIER.get(name, 0.0), name) for mark, name in fits]
    # the order of names breaks ties; max keeps the first
    mark, name = max(fits, key=lambda fit: fit[0], default=(0.0, ""))
    if mark >= 0.5:
        return name
    other = known(chardet.detect(data[:_PEEK])["encoding"])
    if other and (text := _strict(data, other)) is not None and likelihood(text) >= max(mark, 0.5):
        return other
    return name if name else _least_broken(data, [*names, *([other] if other else [])])


def _least_broken(data: bytes, names: list[str]) -> str:
    """No reading fits every byte: the one whose text looks best with the holes in it."""
    fit = [name for name in names if name not in _WIDE or _wide(data)]
    return max(fit, key=lambda name: likelihood(data[: 4 * SAMPLE].decode(name, errors="replace")))


def likelihood(text: str) -> float:
    """How ordinary the characters beyond ASCII are: about 1 for real Chinese, 0 and less for a misreading."""
    seen = [found[0] for found in itertools.islice(_NON_ASCII.finditer(text), SAMPLE)]
    controls = sum(text.count(mark, 0, SAMPLE) for mark in "\x00\x01\x02\x03\x04\x05\x06\x07\x0e\x0f")
    if not seen:
        return 1.0 if not controls else -1.0
    return (sum(map(_weight, seen)) - controls) / len(seen)


def _weight(char: str) -> float:
    if char in _EVERYDAY:
        return 1.5
    if char in _common():
        return 0.8
    code = ord(char)
    if code == 0xFFFD or 0xE000 <= code <= 0xF8FF or 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000:
        return -2.0
    if 0x3000 <= code < 0x3040 or 0xFF00 <= code < 0xFFF0 or 0x2010 <= code < 0x2040 or code >= 0x1F000:
        return 0.6  # punctuation, full-width letters, emoji
    if 0x4E00 <= code < 0xA000:
        return 0.1
    return 0.55 if 0xC0 <= code < 0x250 else 0.2


@functools.cache
def _common() -> frozenset[str]:
    """GB 2312's first level (3,755) and Big5's (5,401), from the codecs themselves."""
    simple = (bytes((hi, lo)) for hi in range(0xB0, 0xD8) for lo in range(0xA1, 0xFF))
    trails = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    full = (bytes((hi, lo)) for hi in range(0xA4, 0xC7) for lo in trails)
    return frozenset(
        itertools.chain(
            "".join(pair.decode("gb2312", "ignore") for pair in simple),
            "".join(pair.decode("big5", "ignore") for pair in full),
        )
    )
