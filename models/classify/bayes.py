"""snownlp's naive Bayes over token buckets, in vector form.

snownlp's own class counts the words (`count_with_snownlp`); what ships is its counts, and scoring
is its formula for two classes over whole batches. Importing snownlp costs 430 MB, because it loads
its dictionaries, so it is imported for training and in the test that proves both forms equal, and
never by the running system.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.classify.features import GRAMS, TOKENS, Floats, Ints, Rows
from models.classify.linear import total

POS, NEG = 0, 1


@dataclass(frozen=True, slots=True)
class Bayes:
    """`counts[class, bucket]` as snownlp's AddOneProb holds them: 0 unseen, else count + 1."""

    counts: Ints

    def totals(self) -> tuple[float, float]:
        return float(self.counts[POS].sum()), float(self.counts[NEG].sum())

    def log_odds(self) -> Floats:
        """ln P(bucket | pos) - ln P(bucket | neg); an unseen bucket counts one, as in snownlp."""
        pos, neg = self.totals()
        seen = np.maximum(self.counts, 1).astype(np.float64)
        return np.asarray(np.log(seen[POS] / pos) - np.log(seen[NEG] / neg), np.float32)

    def prior(self) -> float:
        pos, neg = self.totals()
        return float(np.log(pos / neg))


class Scorer:
    """Log-odds of `pos` for batches of rows."""

    def __init__(self, bayes: Bayes) -> None:
        self._odds = np.concatenate([np.zeros(GRAMS, np.float32), bayes.log_odds()])
        self._prior = bayes.prior()

    def odds(self, rows: Rows) -> tuple[Floats, Floats]:
        """(log-odds of pos, number of tokens), one of each per text."""
        token = (rows.bucket >= GRAMS) * rows.count
        sums = total(rows, np.stack([self._odds[rows.bucket] * rows.count, token], axis=1))
        return sums[:, 0] + np.float32(self._prior), sums[:, 1]


def count_with_snownlp(documents: Iterable[tuple[Sequence[int], bool]]) -> Bayes:
    """Train snownlp's class on (token buckets, is positive) and take its counts."""
    model = snownlp_bayes()
    model.train([[buckets, POS if positive else NEG] for buckets, positive in documents])
    counts = np.zeros((2, TOKENS), np.int64)
    for label, prob in model.d.items():
        counts[label, list(prob.d.keys())] = list(prob.d.values())
    return Bayes(counts)


def to_snownlp(bayes: Bayes) -> Any:
    """The shipped counts back in snownlp's own class."""
    from snownlp.utils.frequency import AddOneProb

    model = snownlp_bayes()
    for label in (POS, NEG):
        prob = AddOneProb()
        buckets = np.flatnonzero(bayes.counts[label])
        prob.d = {int(b): int(bayes.counts[label, b]) for b in buckets}
        prob.total = float(bayes.counts[label].sum())
        model.d[label] = prob
    model.total = sum(bayes.totals())
    return model


def snownlp_bayes() -> Any:
    """A new, empty Bayes of snownlp."""
    from snownlp.classification.bayes import Bayes as SnowBayes

    return SnowBayes()


def damped(odds: Floats, tokens: Floats) -> npt.NDArray[np.float32]:
    """Log-odds grow with length although evidence repeats itself: divide by the root of it."""
    return np.asarray(odds / np.sqrt(tokens + 1), np.float32)
