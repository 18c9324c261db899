"""From labelled sets to numbers: `train` reads, fits and writes `judge.npz`.

scikit-learn and snownlp are needed here and nowhere in the running system. Everything is seeded:
the same sets give the same file.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from models.classify.bayes import Bayes, Scorer, count_with_snownlp, damped
from models.classify.corpora import EMERGENCY, Corpora, Sample, read
from models.classify.features import GRAMS, WIDTH, Floats, Rows, chunks, rows, token_buckets
from models.classify.judge import blend
from models.classify.linear import Head, softmax
from models.classify.weights_file import Weights, load, save

SEED = 20_161
MOOD_LABELS = ("neg", "neu", "pos")
_TOPIC_C, _MOOD_C, _RUMOUR_C = 2.0, 10.0, 10.0
_TOKEN_WEIGHT = 1.5  # a whole word says more than a pair of characters
_FOLDS = 3
_EMERGENCY_TIMES = 3  # snownlp's counts know no weights, so an emergency post is counted thrice


def train(data_dir: Path, out_dir: Path, corrections: Path | None = None) -> dict[str, Any]:
    """Fit on everything and write the weights; says what was learned from and the new version.

    Raises CorpusError for a missing or unreadable set.
    """
    corpora = read(data_dir, corrections)
    path = save(fit(corpora), out_dir)
    saved = load(out_dir)
    return {"file": path.name, "bytes": path.stat().st_size, "version": saved.version, **saved.meta}


def fit(corpora: Corpora) -> Weights:
    """All heads on one idf."""
    tables = [matrix(texts(part)) for part in (corpora.topic, corpora.mood, corpora.rumour)]
    idf = inverse_frequency(tables)
    topic_x, mood_x, rumour_x = (tfidf(table, idf) for table in tables)
    topic = topic_head(topic_x, corpora.topic)
    mood = mood_head(mood_x, corpora.mood)
    heads = {"topic": topic, "sentiment": mood, "rumour": rumour_head(rumour_x, corpora.rumour)}
    return Weights(
        idf=idf,
        heads=heads,
        bayes=count(corpora.mood),
        temperature=temperature(topic_x, corpora.topic),
        blend=blend_weights(mood_x, corpora.mood),
        meta=_meta(corpora),
    )


def texts(samples: Sequence[Sample]) -> list[str]:
    return [one.text for one in samples]


def labels(samples: Sequence[Sample]) -> npt.NDArray[np.str_]:
    return np.array([one.label for one in samples])


def weights_of(samples: Sequence[Sample]) -> npt.NDArray[np.float64]:
    return np.array([one.weight for one in samples])


def matrix(canonical_texts: Sequence[str]) -> sp.csr_matrix:
    """Rows of 1 + ln count."""
    return sp.vstack([_sparse(rows(piece)) for piece in chunks(canonical_texts)]).tocsr()


def _sparse(found: Rows) -> sp.csr_matrix:
    return sp.csr_matrix((found.weight(), (found.row, found.bucket)), shape=(found.size, WIDTH))


def inverse_frequency(tables: Sequence[sp.csr_matrix]) -> Floats:
    """ln((1+n)/(1+df)) + 1 over all sets together, rounded as it will be stored."""
    size = sum(table.shape[0] for table in tables)
    seen = np.sum([np.bincount(table.indices, minlength=WIDTH) for table in tables], axis=0)
    idf = np.log((1 + size) / (1 + seen)) + 1
    idf[GRAMS:] *= _TOKEN_WEIGHT
    return np.asarray(idf, np.float16).astype(np.float32)


def tfidf(table: sp.csr_matrix, idf: Floats) -> sp.csr_matrix:
    """Rows of length one."""
    weighted = table @ sp.diags(idf)
    norm = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags(1 / np.maximum(norm, 1e-6)) @ weighted)


def topic_head(table: sp.csr_matrix, samples: Sequence[Sample]) -> Head:
    model = _svm(table, samples)
    return Head(tuple(model.classes_), model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))


def _svm(table: sp.csr_matrix, samples: Sequence[Sample]) -> LinearSVC:
    model = LinearSVC(C=_TOPIC_C, class_weight="balanced", random_state=SEED)
    return model.fit(table, labels(samples), sample_weight=weights_of(samples))


def mood_head(table: sp.csr_matrix, samples: Sequence[Sample]) -> Head:
    """Multinomial logistic regression over neg, neu, pos."""
    model = _logistic(_MOOD_C)
    model.fit(table, labels(samples), sample_weight=weights_of(samples))
    return Head(MOOD_LABELS, model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))


def rumour_head(table: sp.csr_matrix, samples: Sequence[Sample]) -> Head:
    model = _logistic(_RUMOUR_C)
    model.fit(table, labels(samples), sample_weight=weights_of(samples))
    return Head(("rumour",), model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32))


def _logistic(strength: float) -> LogisticRegression:
    warnings.filterwarnings("ignore", message="lbfgs failed to converge")  # 100 steps are enough: measured
    return LogisticRegression(C=strength, max_iter=100, tol=1e-3, random_state=SEED)


def count(samples: Sequence[Sample]) -> Bayes:
    """snownlp's Bayes over rjieba tokens; it knows two classes, so neutral texts are left out."""
    return count_with_snownlp(
        (token_buckets(one.text[:2_000]), one.label == "pos")
        for one in samples
        if one.label != "neu"
        for _ in range(_EMERGENCY_TIMES if one.source == EMERGENCY else 1)
    )


def folds(samples: Sequence[Sample], parts: int, seed: int = SEED) -> list[tuple[Any, Any]]:
    """Copies of one text stay on one side."""
    split = GroupKFold(parts, shuffle=True, random_state=seed)
    return list(split.split(texts(samples), groups=[one.group for one in samples]))


def temperature(table: sp.csr_matrix, samples: Sequence[Sample]) -> float:
    """The factor that makes the softmax of topic scores mean what it says on texts left out."""
    truth, scores = [], []
    for learn, held in folds(samples, _FOLDS):
        model = _svm(table[learn], [samples[k] for k in learn])
        scores.append(model.decision_function(table[held]))
        truth.append(np.searchsorted(model.classes_, labels([samples[k] for k in held])))
    every, right = np.concatenate(scores), np.concatenate(truth)
    grid = np.arange(0.5, 8.0, 0.1)
    return float(min(grid, key=lambda t: _surprise(softmax(every * t), right)))


def _surprise(chances: Floats, right: npt.NDArray[np.int64]) -> float:
    return float(-np.log(chances[np.arange(len(right)), right] + 1e-9).mean())


def blend_weights(table: sp.csr_matrix, samples: Sequence[Sample]) -> Floats:
    """How the linear scores and Bayes are weighed, learned on texts that neither had seen."""
    seen, held_labels, held_weights = [], [], []
    for learn, held in folds(samples, _FOLDS):
        learners, tests = [samples[k] for k in learn], [samples[k] for k in held]
        head = mood_head(table[learn], learners)
        scores = np.asarray(table[held] @ head.weights + head.bias, np.float32)
        seen.append(blend(scores, bayes_odds(count(learners), texts(tests))))
        held_labels.append(labels(tests))
        held_weights.append(weights_of(tests))
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=500, random_state=SEED)
    model.fit(np.concatenate(seen), np.concatenate(held_labels), sample_weight=np.concatenate(held_weights))
    return np.asarray(model.coef_.T, np.float32)


def bayes_odds(model: Bayes, canonical_texts: Sequence[str]) -> Floats:
    scorer = Scorer(model)
    return np.concatenate([damped(*scorer.odds(rows(piece))) for piece in chunks(canonical_texts)])


def _meta(corpora: Corpora) -> dict[str, Any]:
    """For the model card and the doctor: which sets, how many, which tools."""
    sets: dict[str, int] = {}
    for one in (*corpora.topic, *corpora.mood, *corpora.rumour):
        sets[one.source] = sets.get(one.source, 0) + 1
    tools = {name: version(name) for name in ("snownlp", "rjieba", "scikit-learn", "numpy")}
    return {"sets": sets, "tools": tools, "seed": SEED}
