"""The wider tree of topics: a site's own classification, matched by the words of its labels.

Every hotline has a tree of its own, and no labelled texts for it. So nothing is learned: a text goes
where the names along a path share the most rare character pairs with it. The margin to the runner-up says
how sure that is; below it a person is asked.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from models.core.cluster import unit

Path = tuple[str, ...]
Weight = Callable[[str], float]

LEVELS: Final = 3
MOST: Final = 10_000
"""Paths of one tree: the widest that hotlines publish have some thousands."""
SURE_AT: Final = 0.15
"""How far the best must stand above the runner-up, as a share of itself (model card, "The wider tree")."""
READ: Final = 2_000  # characters of a text
SHOWN: Final = 3  # words named in the reason
TOPIC: Final = "主题"
"""How every reason of a filing begins, so that it is found among the reasons of a signal."""

_LEFTOVER: Final = frozenset({"其他", "其它", "其他问题", "其它问题", "其他类"})
"""Names that say nothing: nobody's words point there."""
_COMMON: Final = 200  # a pair of more names than that points nowhere, and would cost the most
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Placed:
    """One level at which a text was placed: `path` down to it, `score` 0..1 (cosine per level), `unsure`
    when another label is nearly as near."""

    path: Path
    score: float
    unsure: bool

    @property
    def label(self) -> str:
        return self.path[-1]

    @property
    def level(self) -> int:
        return len(self.path)


@dataclass(frozen=True, slots=True)
class Filing:
    """Where a text belongs in the tree: its second level and, if its words reach there, its third."""

    placed: tuple[Placed, ...]
    reason: str

    @property
    def unsure(self) -> bool:
        """Is the second level in doubt?"""
        return not self.placed or self.placed[0].unsure


@dataclass(slots=True)
class _Branch:
    """A second-level label: what its own name and its first level share with the text, and the two likest
    of its third level."""

    base: float = 0.0
    best: float = 0.0
    leaf: Path = ()
    next: float = 0.0

    def take(self, leaf: Path, score: float) -> None:
        if score > self.best:
            self.best, self.leaf, self.next = score, leaf, self.best
        elif score > self.next:
            self.next = score

    def favour(self, factor: float) -> None:
        self.base, self.best, self.next = self.base * factor, self.best * factor, self.next * factor

    @property
    def score(self) -> float:
        return self.base + self.best


class Tree:
    """A classification made ready once, for many texts. A text costs what its pairs hit, not what the tree
    holds."""

    def __init__(self, paths: Iterable[Path], weight: Weight) -> None:
        """`paths`: first, second and where there is one third level. `weight`: character pair → its idf."""
        self._weight = weight
        self._branches: dict[str, list[Path]] = defaultdict(list)  # first level → its second level
        self._seconds: dict[str, list[Path]] = defaultdict(list)  # name → where it is a second level
        self._leaves: dict[str, list[Path]] = defaultdict(list)
        for path in dict.fromkeys(paths):
            self._grow(path)
        self.firsts = frozenset(self._branches)
        self._postings: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for name in sorted({*self.firsts, *self._seconds, *self._leaves} - _LEFTOVER):
            for pair, worth in unit(_weighed(name.lower(), weight)).items():
                self._postings[pair].append((name, worth))
        for pair in [pair for pair, names in self._postings.items() if len(names) > _COMMON]:
            del self._postings[pair]

    def _grow(self, path: Path) -> None:
        second = path[:2]
        if second not in self._branches[path[0]]:
            self._branches[path[0]].append(second)
            self._seconds[second[1]].append(second)
        if len(path) == LEVELS:
            self._leaves[path[2]].append(path)

    def file(self, text: str, without: Collection[str] = (), likely: str = "") -> Filing:
        """Where a canonical text belongs. `without`: first levels that are known to be wrong; `likely`: one
        that is worth a margin more, so that it decides where words alone would not."""
        vector = unit(_weighed(text[:READ], self._weight))
        scored = self._scored(self._likeness(vector), without)
        for path, branch in scored.items():
            branch.favour(1 + SURE_AT if path[0] == likely else 1.0)
        likest = heapq.nlargest(2, scored.items(), key=_by_score)
        if not likest:
            return Filing((), "主题二级不确定：与分类表没有共同的字词，请人工归类")
        (path, branch), *rest = likest
        placed = _placed(path, branch, rest[0][1].score if rest else 0.0)
        return Filing(placed, self._reason(placed, rest[0][0] if rest else None, vector))

    def _likeness(self, vector: dict[str, float]) -> dict[str, float]:
        """Name → its cosine with the text, where they share anything."""
        found: dict[str, float] = defaultdict(float)
        for pair, worth in vector.items():
            for name, share in self._postings.get(pair, ()):
                found[name] += worth * share
        return found

    def _scored(self, likeness: dict[str, float], without: Collection[str]) -> dict[Path, _Branch]:
        """Every second-level label that the text touches, with what speaks for it."""
        found: dict[Path, _Branch] = defaultdict(_Branch)
        for name, score in likeness.items():
            for path in self._branches.get(name, ()):
                found[path].base += score
            for path in self._seconds.get(name, ()):
                found[path].base += score
            for path in self._leaves.get(name, ()):
                found[path[:2]].take(path, score)
        return {path: branch for path, branch in found.items() if path[0] not in without}

    def _reason(self, placed: Sequence[Placed], other: Path | None, vector: dict[str, float]) -> str:
        deepest = placed[-1]
        shared = "、".join(f"“{word}”" for word in self._shared(deepest.path, vector))
        if placed[0].unsure:
            rival = f"，也可能是 {shown(other)}" if other else ""
            return f"主题二级不确定：{shown(placed[0].path)}{rival}；请人工归类"
        if deepest.unsure:
            return f"主题二级：{shown(placed[0].path)}；三级不确定，近似 {deepest.label}，请人工归类"
        return f"主题归类：{shown(deepest.path)}，共有字词 {shared}"

    def _shared(self, path: Path, vector: dict[str, float]) -> list[str]:
        """The pairs of the path's names that stand in the text, the weightiest first."""
        pairs = {f"{a}{b}" for name in path for a, b in pairwise(_MARKS.sub("", name.lower()))}
        return heapq.nlargest(SHOWN, sorted(pairs & vector.keys()), key=vector.__getitem__)


def _placed(path: Path, branch: _Branch, rival: float) -> tuple[Placed, ...]:
    """Second and third level; the third only where its own name is touched."""
    whole = branch.score
    unsure = whole - rival < SURE_AT * whole
    second = Placed(path, round(min(1.0, whole / LEVELS), 4), unsure)
    if not branch.leaf:
        return (second,)
    close = branch.best - branch.next < SURE_AT * whole
    return second, Placed(branch.leaf, second.score, unsure or close)


def shown(path: Path | None) -> str:
    """城乡建设 / 供水."""
    return " / ".join(path or ())


def _by_score(scored: tuple[Path, _Branch]) -> float:
    return scored[1].score


def _weighed(text: str, weight: Weight) -> dict[str, float]:
    letters = _MARKS.sub("", text)
    counts = Counter(f"{a}{b}" for a, b in pairwise(letters))
    return {pair: (1 + math.log(n)) * weight(pair) for pair, n in counts.items()}
