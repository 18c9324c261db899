"""Words before judgement: one plain form of every text, and a fingerprint for copies.

Everything here is linear in a bounded length: text from outside is hostile (law 15).
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import opencc

LIMIT = 50_000  # characters of one text that are read at all; a ticket has 400, a notice 5,000
_PIECE = 512  # NFKC sorts runs of combining marks in quadratic time, so it sees pieces

# NUL and other controls, soft hyphen, zero-width and bidi marks, variation selectors, tags:
# nothing a reader sees, everything a filter trips over
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff\ud800-\udfff]+"
)


def normalise(text: str) -> str:
    """NFKC, unseen characters gone, blanks folded to one, line ends kept; at most LIMIT characters.

    `ＮＯ．３` and `NO.3` become the same; the words are not changed (see `simplify`).
    """
    text = _UNSEEN.sub("", text[:LIMIT])
    if not text.isascii():
        text = "".join(
            unicodedata.normalize("NFKC", text[i : i + _PIECE]) for i in range(0, len(text), _PIECE)
        )[:LIMIT]
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


@cache
def _converter() -> opencc.OpenCC:
    """OpenCC's Traditional → Simplified tables, built when first needed."""
    return opencc.OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional → Simplified characters (OpenCC t2s): 傷亡 → 伤亡."""
    return text if text.isascii() else str(_converter().convert(text))


def canonical(text: str) -> str:
    """The form that is judged: normalised, Simplified, lower case."""
    return simplify(normalise(text)).lower()


_LINK = re.compile(r"https?://[\x21-\x7e]+|//@[^:\s]{1,30}:|转发微博")
_LETTERS = re.compile(r"[\W_]+")


def fingerprint(text: str) -> str:
    """32 hex digits, equal for copies that differ only in spacing, marks, links, script or case.

    Digits count: 死亡3人 and 死亡5人 are two reports. A text without any letter is fingerprinted
    as it stands, so that two different rows of emoji stay two.
    """
    plain = canonical(text)
    letters = _LETTERS.sub("", _LINK.sub("", plain))
    return hashlib.sha256((letters or plain).encode("utf-8", "replace")).hexdigest()[:32]


def visible(text: str) -> str:
    """For a terminal: what would move its cursor, colour it or turn its direction shows as U+FFFD."""
    return _UNSEEN.sub("\ufffd", text.replace("\r", "\ufffd"))


def harmless(cell: str) -> str:
    """A cell that a spreadsheet reads as text: one that begins like a formula gets an apostrophe."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")) else cell


def storable(text: str) -> str:
    """A text that every database and every encoding takes: NUL as U+FFFD, a lone surrogate as \\ud800.

    The surrogates are written out and not replaced, so that two ids that differ only there stay two.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\x00", "\ufffd")


def storable_json(value: object) -> Any:
    """The same for what JSON holds, names and all; a number that is none (NaN, infinite) as its text."""
    if isinstance(value, Mapping):
        return {storable(str(name)): storable_json(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(one) for one in value]
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return storable(str(value))
