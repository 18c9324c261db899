"""Champion and challenger: would officers' corrections make the classifiers better or worse?

Both learn on the same folds, the challenger from the corrections too; both answer the same texts that
neither saw: those of the labelled sets, and the corrections. The difference comes with its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.classify import train
from models.classify.corpora import Sample, read
from models.classify.linear import Head
from models.classify.weights_file import load

Report = dict[str, Any]
_FOLDS: Final = 5
_DRAWS: Final = 500
_HEADS: Final[dict[str, Callable[[Any, Sequence[Sample]], Head]]] = {
    "topic": train.topic_head,
    "mood": train.mood_head,
    "kind": train.kind_head,
}


def challenge(data_dir: Path, corrections: Path) -> Report:
    """Task → the labelled texts and the corrections, each with both macro-F1 and their difference.

    Only tasks that have corrections are measured. Raises CorpusError.
    """
    corpora = read(data_dir, corrections)
    tasks = {task: getattr(corpora, task) for task in _HEADS}
    return {task: _task(task, list(part)) for task, part in tasks.items() if any(map(_is_fix, part))}


def worse(report: Report) -> list[str]:
    """The tasks in which the challenger is surely worse on the labelled texts: its whole interval below 0."""
    return [task for task, found in report.items() if found["labelled"]["difference_95"][1] < 0]


def _is_fix(one: Sample) -> bool:
    return one.source == "corrections"


def _task(task: str, samples: Sequence[Sample]) -> Report:
    idf = load().idf
    table = train.tfidf(train.matrix(train.texts(samples)), idf)
    fixes = np.array([_is_fix(one) for one in samples])
    champion, challenger = (np.empty(len(samples), dtype="<U16") for _ in range(2))
    for learn, held in train.folds(samples, _FOLDS):
        before = learn[~fixes[learn]]
        champion[held] = _answers(_HEADS[task], table, samples, before, held)
        challenger[held] = _answers(_HEADS[task], table, samples, learn, held)
    truth = train.labels(samples)
    return {
        "labelled": difference(truth[~fixes], champion[~fixes], challenger[~fixes]),
        "corrections": difference(truth[fixes], champion[fixes], challenger[fixes]),
    }


def _answers(
    fit: Callable[[Any, Sequence[Sample]], Head], table: Any, samples: Any, learn: Any, held: Any
) -> Any:
    head = fit(table[learn], [samples[k] for k in learn])
    return np.array(head.labels)[np.asarray(table[held] @ head.weights + head.bias).argmax(axis=1)]


def difference(truth: Any, champion: Any, challenger: Any) -> Report:
    """Both macro-F1 and what the challenger adds, with a 95 % interval: the same texts drawn for both."""
    names, codes = np.unique(np.concatenate([truth, champion, challenger]), return_inverse=True)
    answers = codes.reshape(3, -1)
    dice = np.random.default_rng(train.SEED)
    drawn = [_gain(answers[:, dice.integers(0, len(truth), len(truth))], len(names)) for _ in range(_DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {
        "texts": len(truth),
        "champion": round(_macro(answers[0], answers[1], len(names)), 4),
        "challenger": round(_macro(answers[0], answers[2], len(names)), 4),
        "difference": round(_gain(answers, len(names)), 4),
        "difference_95": [round(float(low), 4), round(float(high), 4)],
    }


def _gain(answers: Any, size: int) -> float:
    return _macro(answers[0], answers[2], size) - _macro(answers[0], answers[1], size)


def _macro(truth: Any, guess: Any, size: int) -> float:
    """Macro-F1 over the labels that occur in the truth."""
    hits = np.bincount(truth[truth == guess], minlength=size)
    all_true, all_said = np.bincount(truth, minlength=size), np.bincount(guess, minlength=size)
    there = all_true > 0
    return float((2 * hits[there] / (all_true + all_said)[there]).mean())
