"""Has what comes in changed since the classifiers learned? Numbers for the board, no verdict.

Mixes of answers are compared with the site's own past, not with the training sets: a town's usual
mix of topics is its own. The words are compared with the training sets: what no training text had,
the classifiers cannot weigh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from models.classify.features import GRAMS, rows
from models.classify.weights_file import Weights

CHANGED: Final = 0.25  # the usual reading of the index: 0.1 some, 0.25 much
FEWEST: Final = 200  # judgements on either side; below it chance alone moves the index


def stability_index(before: Mapping[str, int], now: Mapping[str, int]) -> float | None:
    """Population stability index Σ (q - p) ln q/p of two counts of answers; None where there are few."""
    if min(sum(before.values()), sum(now.values())) < FEWEST:
        return None
    names = sorted({*before, *now})
    p, q = (np.array([counts.get(name, 0) + 0.5 for name in names]) for counts in (before, now))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def unseen(weights: Weights, texts: Sequence[str]) -> float:
    """Of the features of these canonical texts, the share no training text had (usual: `weights.unseen`)."""
    buckets = rows(texts).bucket
    if not len(buckets):
        return 0.0
    highest = np.where(buckets < GRAMS, weights.idf[:GRAMS].max(), weights.idf[GRAMS:].max())
    return float((weights.idf[buckets] >= highest).mean())
