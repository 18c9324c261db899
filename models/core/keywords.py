"""The words that the signals of one incident have in common: what an answer to it will name again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

_HAN: Final = re.compile(r"[\u4e00-\u9fff]{2,}")
_LONGEST: Final = 8  # characters of a word
_LEAST_SHARE: Final = 0.2  # of the texts


def common_words(texts: Iterable[str], most: int = 8) -> tuple[str, ...]:
    """Up to `most` words of 2–8 Chinese characters that several of the texts share, longest first.

    A word inside a longer one that is nearly as frequent is left out. Texts are short (titles).
    """
    listed = list(texts)
    counts = Counter(word for text in listed for word in _words(text))
    least = max(2, round(len(listed) * _LEAST_SHARE))
    kept: list[str] = []
    for word in sorted((w for w, n in counts.items() if n >= least), key=lambda w: (-len(w), -counts[w], w)):
        if not any(word in longer and counts[longer] * 2 >= counts[word] for longer in kept):
            kept.append(word)
    return tuple(sorted(kept, key=lambda w: -counts[w] * len(w))[:most])


def _words(text: str) -> set[str]:
    return {
        run[at : at + n]
        for run in _HAN.findall(text[:200])
        for n in range(2, _LONGEST + 1)
        for at in range(len(run) - n + 1)
    }
