"""A linear head over hashed features: one number per bucket and class, and a bias.

Scores are w · x / |x| + b with x = idf × (1 + ln count): tf-idf rows of length one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classify.features import Floats, Rows


@dataclass(frozen=True, slots=True)
class Head:
    """`weights` is WIDTH × classes, `bias` one number per class, in the order of `labels`."""

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats


class Bank:
    """All heads side by side in one table, so that every feature is looked up once."""

    def __init__(self, idf: Floats, heads: dict[str, Head]) -> None:
        self.idf = idf.astype(np.float32)
        self.heads = heads
        columns = np.concatenate([head.weights for head in heads.values()], axis=1)
        self._table = np.ascontiguousarray(columns.astype(np.float32) * self.idf[:, None])

    def scores(self, rows: Rows) -> dict[str, Floats]:
        """Head name → texts × classes."""
        weight = rows.weight()
        norm = np.sqrt(total(rows, ((weight * self.idf[rows.bucket]) ** 2)[:, None]))
        sums = total(rows, self._table[rows.bucket] * weight[:, None]) / np.maximum(norm, np.float32(1e-6))
        out: dict[str, Floats] = {}
        start = 0
        for name, head in self.heads.items():
            out[name] = np.asarray(sums[:, start : start + len(head.bias)] + head.bias, np.float32)
            start += len(head.bias)
        return out


def total(rows: Rows, values: Floats) -> Floats:
    """Sums `values` (features × columns) over each text; zeros for a text without features."""
    out = np.zeros((rows.size, values.shape[1]), np.float32)
    if len(rows.row):
        starts = np.flatnonzero(np.diff(rows.row, prepend=-1))
        out[rows.row[starts]] = np.add.reduceat(values, starts, axis=0)
    return out


def softmax(scores: npt.NDArray[np.floating]) -> Floats:
    """Rows that add up to one."""
    high = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(high / high.sum(axis=1, keepdims=True), np.float32)


def sigmoid(scores: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(scores, -30, 30))), np.float32)
