"""Which hot-search titles are of the kind that later gets an official answer? A ranking, learned from the past.

A logistic regression over the judge's hashed features of titles; learned from the titles that were
followed by an official title (`official_links`) against all other titles of the same years. What is
kept are numbers: a weight and an idf for each bucket, and the threshold of about ten titles a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from models.classify.corpora import rows_of
from models.classify.features import WIDTH, Floats, chunks, rows
from models.classify.weights_file import SHIPPED, WeightsError
from models.core.moment import CST
from models.core.text import canonical

NAME: Final = "attention.npz"
STREAM: Final = "hotsearch_to_2025-08"
LINKS: Final = "official_links_to_2025-08"
PER_DAY: Final = 10.0
_AGAIN: Final = timedelta(days=3)  # a title seen again within that is the same one, still standing
_LIKE: Final = 0.35  # cosine from which a title tells the event of a link
_OTHERS: Final = 200_000  # titles without an answer that are learned from
_LINKED: Final = 5.0  # what a linked first title weighs


@dataclass(frozen=True, slots=True)
class Title:
    """A title when it first stood on the list; `text` canonical."""

    at: datetime
    shown: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """A title and the official title that answered it: `members` are the titles between that tell it."""

    first: str
    first_at: datetime
    answered_at: datetime
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Attention:
    """`weights` and `idf` by bucket; a title is noticed from `threshold` on, which is a
    log-odds with the concern added by the caller."""

    weights: Floats
    idf: Floats
    bias: float
    threshold: float

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Attention:
        """The shipped numbers. Raises WeightsError with the way out."""
        try:
            with np.load(folder / NAME, allow_pickle=False) as kept:
                weights, idf = kept["weights"].astype(np.float32), kept["idf"].astype(np.float32)
                bias, threshold = (float(value) for value in kept["numbers"])
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise WeightsError(f"{folder / NAME}: {error}；重新安装，或运行 huiying train") from error
        if weights.shape != (WIDTH,) or idf.shape != (WIDTH,):
            raise WeightsError(f"{folder / NAME}: 与这一版的特征不符；运行 huiying train 重新训练")
        return cls(weights, idf, bias, threshold)

    def save(self, folder: Path) -> Path:
        path = folder / NAME
        numbers = np.array([self.bias, self.threshold])
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                weights=self.weights.astype(np.float16),
                idf=self.idf.astype(np.float16),
                numbers=numbers,
            )
        return path

    def scores(self, texts: Sequence[str]) -> Floats:
        """Log-odds for each canonical text, in order; an empty text is no title at all."""
        parts = [self._piece(piece) for piece in chunks(texts)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _piece(self, texts: Sequence[str]) -> Floats:
        found = rows(texts)
        value = found.weight() * self.idf[found.bucket]
        norm = np.sqrt(np.bincount(found.row, value * value, found.size))
        dot = np.bincount(found.row, value * self.weights[found.bucket], found.size)
        return (dot / np.maximum(norm, 1e-9) + self.bias).astype(np.float32)


def chance(score: float) -> float:
    """The score as people are shown it, 0..1: a rank, not a probability (the classes were weighed)."""
    return float(1 / (1 + np.exp(-score)))


# ── what is learned from ─────────────────────────────────────────────────────────────────────────


def stream(data_dir: Path) -> list[Title]:
    """Each title when it first stood there, in the order of time. Raises CorpusError."""
    last: dict[str, datetime] = {}
    found = []
    for at, shown in _seen(data_dir):
        if shown not in last or at - last[shown] >= _AGAIN:
            found.append(Title(at, shown, canonical(shown)))
        last[shown] = at
    return found


def _seen(data_dir: Path) -> Iterator[tuple[datetime, str]]:
    for day in rows_of(data_dir, STREAM):
        for clock, titles in sorted(day["seen"]):
            at = _time(f"{day['day']} {clock}")
            yield from ((at, title) for title in titles)


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=CST)


def events(data_dir: Path, titles: Sequence[Title]) -> list[Event]:
    """The answered events with the titles between the first one and the answer that tell them."""
    table, _ = _table([title.text for title in titles])
    times = np.array([title.at.timestamp() for title in titles])
    place = {title.text: n for n, title in enumerate(titles)}
    made = []
    for link in rows_of(data_dir, LINKS):
        begin, end = _time(link["first_seen"]), _time(link["official_seen"])
        low, high = np.searchsorted(times, [begin.timestamp(), end.timestamp()])
        asked = [
            place[t] for t in map(canonical, (link["first_title"], link["official_title"])) if t in place
        ]
        alike = (table[low:high] @ table[asked].T).toarray().max(axis=1) if asked else np.zeros(high - low)
        members = {int(low) + int(n) for n in np.nonzero(alike >= _LIKE)[0]}
        named = {n for n in range(low, high) if titles[n].shown == link["first_title"]}
        made.append(Event(link["first_title"], begin, end, tuple(sorted(members | named))))
    return made


def _table(texts: Sequence[str], idf: Floats | None = None) -> tuple[Any, Floats]:
    """Rows of length one, and the idf that weighs them (learned from the texts where none is given)."""
    from scipy import sparse  # type: ignore[import-untyped]

    pieces = []
    for piece in chunks(texts):
        found = rows(piece)
        pieces.append(sparse.csr_matrix((found.weight(), (found.row, found.bucket)), (found.size, WIDTH)))
    table = sparse.vstack(pieces).tocsr()
    if idf is None:
        used = np.bincount(table.indices, minlength=WIDTH)
        idf = (np.log((1 + len(texts)) / (1 + used)) + 1).astype(np.float32)
    table = table @ sparse.diags(idf)
    norm = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    return (sparse.diags(1 / np.maximum(norm, 1e-9)) @ table).tocsr().astype(np.float32), idf


def fit(titles: Sequence[Title], answered: Sequence[Event], before: datetime) -> Attention:
    """Learned from what was seen and answered before that moment; the threshold is still to be set."""
    from sklearn.linear_model import LogisticRegression

    known = [title.text for title in titles if title.at < before]
    members = {n for event in answered if event.answered_at < before for n in event.members}
    good = np.array(sorted(members))
    rest = np.setdiff1d(np.arange(len(known)), good)
    other = np.random.default_rng(0).choice(rest, min(_OTHERS, len(rest)), replace=False)
    table, idf = _table(known)
    chosen = np.concatenate([other, good])
    label = np.isin(chosen, good)
    model = LogisticRegression(C=1.0, max_iter=300)
    model.fit(table[chosen], label, sample_weight=np.where(label, _LINKED, 1.0))
    weights = np.asarray(model.coef_[0], np.float32)
    return Attention(weights, idf, float(model.intercept_[0]), 0.0)
