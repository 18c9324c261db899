"""From labelled sets to numbers: `train` reads, fits and writes `judge.npz`.

scikit-learn and snownlp are needed here and nowhere in the running system. Everything is seeded:
the same sets give the same file.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold
from sklearn.svm import LinearSVC

from models.classify.bayes import Bayes, Scorer, count_with_snownlp, damped
from models.classify.corpora import EMERGENCY, Corpora, Sample, read
from models.classify.features import GRAMS, WIDTH, Floats, Rows, chunks, rows, token_buckets
from models.classify.judge import blend, leaning
from models.classify.linear import Head, softmax
from models.classify.weights_file import Weights, load, save

SEED = 20_161
MOOD_LABELS = ("neg", "neu", "pos")
_TOPIC_C, _TOPIC_NB_C, _MOOD_C, _RUMOUR_C, _KIND_C = 2.0, 1.0, 3.0, 10.0, 10.0
_TOKEN_WEIGHT = 1.5  # a whole word says more than a pair of characters
_FOLDS = 3
_TELLING = 0.5  # how far a feature's own log-ratio scales it (Wang & Manning 2012): between 0 and 1
_TOPIC_PRIOR, _MOOD_PRIOR = 0.5, 0.1  # added to every count before the ratio
_DEFERRED = 0.1  # the share of messages whose topic is "unsure"
_F1_GIVEN = 0.003  # macro-F1 given up for fewer negative posts missed
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
    kind_x = tfidf(matrix(texts(corpora.kind)), idf)
    heads = {"topic": topic, "sentiment": mood, "rumour": rumour_head(rumour_x, corpora.rumour)}
    warmth, doubt = certainty(topic_x, corpora.topic)
    kind_warmth, _ = certainty(kind_x, corpora.kind, kind_head)
    mixed, caution = blend_weights(mood_x, corpora.mood)
    return Weights(
        idf=idf,
        heads={**heads, "kind": kind_head(kind_x, corpora.kind)},
        bayes=count(corpora.mood),
        temperature=warmth,
        kind_warmth=kind_warmth,
        blend=mixed,
        doubt=doubt,
        caution=caution,
        unseen=unseen_share([topic_x, mood_x, rumour_x]),
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
    """A linear SVM and its sum with one on features scaled by their log-ratio: still one table."""
    model = _svm(_TOPIC_C).fit(table, labels(samples), sample_weight=weights_of(samples))
    names = tuple(str(name) for name in model.classes_)
    told = _telling_head(table, samples, names, _svm(_TOPIC_NB_C), _TOPIC_PRIOR)
    return Head(
        names,
        (model.coef_.T + told.weights).astype(np.float32),
        (model.intercept_ + told.bias).astype(np.float32),
    )


def _svm(strength: float) -> LinearSVC:
    return LinearSVC(C=strength, class_weight="balanced", random_state=SEED)


def mood_head(table: sp.csr_matrix, samples: Sequence[Sample]) -> Head:
    """One logistic regression for each of neg, neu, pos, on features scaled by their log-ratio."""
    return _telling_head(table, samples, MOOD_LABELS, _logistic(_MOOD_C), _MOOD_PRIOR)


def _telling_head(
    table: sp.csr_matrix, samples: Sequence[Sample], names: Sequence[str], model: Any, prior: float
) -> Head:
    """Each class against the rest; the scaling is folded into the weights, so it costs nothing later."""
    truth, weight = labels(samples), weights_of(samples)
    there = table.sign()
    columns, bias = [], []
    for name in names:
        scale = telling(there, truth == name, weight, prior)
        model.fit(table @ sp.diags(scale), truth == name, sample_weight=weight)
        columns.append(model.coef_[0] * scale)
        bias.append(model.intercept_[0])
    return Head(tuple(names), np.stack(columns, axis=1).astype(np.float32), np.array(bias, np.float32))


def telling(there: sp.csr_matrix, inside: Any, weight: Any, prior: float) -> npt.NDArray[np.float64]:
    """How much each feature tells of a class: |ln P(feature | class) / P(feature | rest)|, damped."""
    within = prior + np.asarray((weight * inside) @ there).ravel()
    beyond = prior + np.asarray((weight * ~inside) @ there).ravel()
    ratio = np.abs(np.log(within / within.sum()) - np.log(beyond / beyond.sum()))
    return np.asarray(_TELLING * ratio + 1 - _TELLING, np.float64)


def kind_head(table: sp.csr_matrix, samples: Sequence[Sample]) -> Head:
    """Multinomial logistic regression over the kinds of opinion and `none`."""
    used = np.unique(table.indices)  # few of the buckets occur: the others stay zero
    model = _logistic(_KIND_C).fit(table[:, used], labels(samples), sample_weight=weights_of(samples))
    weights = np.zeros((table.shape[1], len(model.classes_)), np.float32)
    weights[used] = model.coef_.T
    names = tuple(str(name) for name in model.classes_)
    return Head(names, weights, model.intercept_.astype(np.float32))


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


def certainty(
    table: sp.csr_matrix,
    samples: Sequence[Sample],
    fit_head: Callable[[sp.csr_matrix, Sequence[Sample]], Head] = topic_head,
) -> tuple[float, float]:
    """On texts left out: the factor that makes the softmax of scores mean what it says, and the
    margin below which the least sure tenth lies."""
    truth, scores, weights = [], [], []
    for learn, held in folds(samples, _FOLDS):
        weights.append(weights_of([samples[k] for k in held]))
        head = fit_head(table[learn], [samples[k] for k in learn])
        scores.append(np.asarray(table[held] @ head.weights + head.bias))
        truth.append(np.searchsorted(head.labels, labels([samples[k] for k in held])))
    every, right, weight = np.concatenate(scores), np.concatenate(truth), np.concatenate(weights)
    grid = np.arange(0.3, 12.0, 0.1)
    warmth = float(min(grid, key=lambda t: _surprise(softmax(every * t), right, weight)))
    return warmth, float(np.quantile(margins(softmax(every * warmth)), _DEFERRED))


def margins(chances: Floats) -> Floats:
    """The likeliest less the next."""
    ordered = np.sort(chances, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2], np.float32)


def _surprise(chances: Floats, right: npt.NDArray[np.int64], weight: npt.NDArray[np.float64]) -> float:
    return float(-np.average(np.log(chances[np.arange(len(right)), right] + 1e-9), weights=weight))


def blend_weights(table: sp.csr_matrix, samples: Sequence[Sample]) -> tuple[Floats, float]:
    """How the linear scores and Bayes are weighed, learned on texts that neither had seen; and how
    far the balance of negative and positive leans (`caution_of`)."""
    seen, held_labels, held_weights = [], [], []
    for learn, held in folds(samples, _FOLDS):
        learners, tests = [samples[k] for k in learn], [samples[k] for k in held]
        head = mood_head(table[learn], learners)
        scores = np.asarray(table[held] @ head.weights + head.bias, np.float32)
        seen.append(blend(scores, bayes_odds(count(learners), texts(tests))))
        held_labels.append(labels(tests))
        held_weights.append(weights_of(tests))
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=500, random_state=SEED)
    every, truth, weight = np.concatenate(seen), np.concatenate(held_labels), np.concatenate(held_weights)
    model.fit(every, truth, sample_weight=weight)
    mixed = np.asarray(model.coef_.T, np.float32)
    felt = (truth != "neu") & (weight >= 1)
    return mixed, caution_of(softmax(every[felt] @ mixed), truth[felt])


def caution_of(chances: Floats, truth: npt.NDArray[np.str_]) -> float:
    """The largest lean towards negative whose macro-F1 stays within `_F1_GIVEN` of the best:
    a complaint taken for praise costs more than praise read twice."""
    grid = [step / 20 for step in range(21)]
    found = [f1_score(truth, np.where(leaning(chances, s) < 0, "neg", "pos"), average="macro") for s in grid]
    return max(s for s, f1 in zip(grid, found, strict=True) if f1 >= max(found) - _F1_GIVEN)


def bayes_odds(model: Bayes, canonical_texts: Sequence[str]) -> Floats:
    scorer = Scorer(model)
    return np.concatenate([damped(*scorer.odds(rows(piece))) for piece in chunks(canonical_texts)])


def unseen_share(tables: Sequence[sp.csr_matrix]) -> float:
    """Of the features of every fifth text, the share that the other four fifths never showed."""
    table = sp.vstack(tables).tocsr()
    fifth = np.arange(table.shape[0]) % 5 == 0
    known = np.bincount(table[~fifth].indices, minlength=WIDTH) > 0
    return float(1 - known[table[fifth].indices].mean())


def _meta(corpora: Corpora) -> dict[str, Any]:
    """For the model card and the doctor: which sets, how many, which tools."""
    sets: dict[str, int] = {}
    for one in (*corpora.topic, *corpora.mood, *corpora.rumour, *corpora.kind):
        sets[one.source] = sets.get(one.source, 0) + 1
    tools = {name: version(name) for name in ("snownlp", "rjieba", "scikit-learn", "numpy")}
    return {"sets": sets, "tools": tools, "seed": SEED}
