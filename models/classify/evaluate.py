"""Every figure of the model card, from one run over the labelled sets.

What is measured is never learned from: each figure comes from texts that were left out, and copies
of one text stay on one side. The 453 raw messages occur in the segmented file too; a raw message
and its twin are always left out together.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from models.classify import answering, train
from models.classify.corpora import EMERGENCY, ORDINARY, Corpora, Sample, read, rows_of
from models.classify.features import Floats
from models.classify.judge import Judge, blend, leaning
from models.classify.kind import NONE, likeliest
from models.classify.linear import softmax
from models.classify.weights_file import load
from models.core.cluster import same
from models.core.facts import extract
from models.core.hearsay import beyond_reach
from models.core.moment import CST
from models.core.numerals import NUMERAL, number
from models.core.text import canonical
from models.core.topics import Filing, Tree
from models.core.vocabulary import OpinionKind

Clock = Callable[[], float]
Report = dict[str, Any]
_FOLDS = 5
TREE = "topic_taxonomy_517.csv"
"""A real classification; measured where the data folder holds it, and never part of what ships."""


def evaluate(data_dir: Path, clock: Clock | None = None) -> Report:
    """Topic, sentiment, kinds, rumour, facts, pairs, answering and, given a clock in seconds, speed.

    Fits the heads anew on parts of the data: some minutes. Raises CorpusError.
    """
    corpora = read(data_dir)
    report: Report = {
        "topic": topic_report(corpora, data_dir),
        "sentiment": mood_report(corpora),
        "kind": kind_report(corpora),
        "rumour": rumour_report(corpora, data_dir),
        "facts": facts_report(data_dir),
        "pairs": pairs_report(data_dir),
        "answering": answering.report(data_dir, load().rarity()),
    }
    if clock:
        report["speed"] = speed_report(corpora, clock)
    return report


def lines(report: Report) -> list[str]:
    """The report for people: one `name value` a line, confusion tables last."""
    flat = [f"{name:<44} {value}" for name, value in _flat(report, "") if "confusion" not in name]
    tables = [f"{name} {value}" for name, value in _flat(report, "") if "confusion" in name]
    return [*flat, *tables]


def _flat(report: Report, prefix: str) -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    for key, value in report.items():
        if isinstance(value, dict):
            out += _flat(value, f"{prefix}{key}.")
        else:
            out.append((f"{prefix}{key}", value))
    return out


# ── topic ────────────────────────────────────────────────────────────────────────────────────────


def topic_report(corpora: Corpora, data_dir: Path) -> Report:
    """Five folds; messages that were left out, segmented and raw apart."""
    samples = _with_twins(corpora.topic, data_dir)
    others = [train.matrix(train.texts(part)) for part in (corpora.mood, corpora.rumour)]
    guess, margin = cross_topic(samples, others)
    truth = train.labels(samples)
    raw = np.array([one.source == "topic_raw" for one in samples])
    sure = margin >= np.quantile(margin, 0.1)
    tree = {"tree": tree_report(samples, guess, sure, data_dir)} if (data_dir / TREE).is_file() else {}
    return {
        "all": _scores(truth, guess),
        "segmented": _scores(truth[~raw], guess[~raw]),
        "raw": _scores(truth[raw], guess[raw]),
        "accuracy_deferring_least_sure_tenth": _round((truth == guess)[sure].mean()),
        "calibration_error": _calibration(margin, truth == guess),
        **tree,
        "confusion": _confusion(truth, guess),
    }


def tree_report(samples: Sequence[Sample], guess: Any, sure: Any, data_dir: Path) -> Report:
    """A site's wider tree on messages that carry a first level only, so the first level is all that can be
    measured: by the words of the labels alone, and with the other classes left out and its own favoured where
    the judge (fitted without the message) is sure."""
    tree = Tree(_paths(data_dir / TREE), load().rarity())
    seven = sorted(set(train.labels(samples)))
    hints = [
        ([label for label in seven if label != said], str(said)) if clear else ((), "")
        for said, clear in zip(guess, sure, strict=True)
    ]
    alone = [tree.file(one.text) for one in samples]
    guided = [tree.file(one.text, *hint) for one, hint in zip(samples, hints, strict=True)]
    raw = np.array([one.source == "topic_raw" for one in samples])
    truth = train.labels(samples)
    return {
        f"{way}.{name}": _filings(truth[part], [found[k] for k in np.flatnonzero(part)])
        for way, found in (("words_alone", alone), ("with_the_seven", guided))
        for name, part in (("segmented", ~raw), ("raw", raw))
    }


def _paths(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [tuple(name for name in row if name) for row in list(csv.reader(file))[1:]]


def _filings(truth: Any, found: Sequence[Filing]) -> Report:
    first = np.array([one.placed[0].path[0] if one.placed else "" for one in found])
    clear = np.array([not one.unsure for one in found])
    third = np.array([not one.unsure and len(one.placed) > 1 and not one.placed[1].unsure for one in found])
    return {
        "first_level_accuracy": _round((first == truth).mean()),
        "below_the_margin": _round(1 - clear.mean()),
        "first_level_accuracy_above": _round((first == truth)[clear].mean()),
        "third_level_above_too": _round(third.mean()),
    }


def cross_topic(samples: Sequence[Sample], others: Sequence[Any]) -> tuple[Any, Any]:
    """(label, probability of it) of each sample from a model that did not see it or a copy.

    `others` are the tables of the other tasks, which share the idf as they do in what ships.
    """
    table = train.matrix(train.texts(samples))
    guess = np.empty(len(samples), dtype="<U16")
    chance = np.zeros(len(samples), np.float32)
    for learn, held in train.folds(samples, _FOLDS, train.SEED + 1):  # settings were chosen on SEED
        learners = [samples[k] for k in learn]
        idf = train.inverse_frequency([table[learn], *others])
        rows = train.tfidf(table, idf)
        head = train.topic_head(rows[learn], learners)
        warmth = np.float32(train.certainty(rows[learn], learners)[0])
        scores = np.asarray(rows[held] @ head.weights + head.bias, np.float32)
        guess[held] = np.array(head.labels)[scores.argmax(axis=1)]
        chance[held] = softmax(scores * warmth).max(axis=1)
    return guess, chance


def _with_twins(samples: Sequence[Sample], data_dir: Path) -> list[Sample]:
    """A segmented message and the raw one it came from get one group."""
    segmented = [set(row["words"].lower().split()) for row in rows_of(data_dir, "topic_segmented_8283")]
    out, groups = list(samples), _Groups(len(samples))
    by_word = _index(segmented)
    for place, one in enumerate(samples):
        if one.source == "topic_raw":
            for twin in _twins(one.text, segmented, by_word):
                groups.join(place, twin)
    return [replace(one, group=str(groups.root(k))) for k, one in enumerate(_same_print(out, groups))]


class _Groups:
    """Union-find: which samples must stay on one side."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, place: int) -> int:
        while self._parent[place] != place:
            place = self._parent[place]
        return place

    def join(self, a: int, b: int) -> None:
        """The earliest place is the root, whatever the order of joining: folds stay the same."""
        first, later = sorted((self.root(a), self.root(b)))
        self._parent[later] = first


def _same_print(samples: list[Sample], groups: _Groups) -> list[Sample]:
    """Join exact copies too."""
    first: dict[str, int] = {}
    for place, one in enumerate(samples):
        groups.join(place, first.setdefault(one.group, place))
    return samples


def _index(segmented: Sequence[set[str]]) -> dict[str, list[int]]:
    by_word: dict[str, list[int]] = defaultdict(list)
    for place, words in enumerate(segmented):
        for word in words:
            if len(word) > 1:
                by_word[word].append(place)
    return by_word


def _twins(text: str, segmented: Sequence[set[str]], by_word: dict[str, list[int]]) -> list[int]:
    """Messages of whose longer words nearly all stand in the text."""
    shared: Counter[int] = Counter()
    for word, places in by_word.items():
        if word in text:
            shared.update(places)
    return [p for p, n in shared.items() if n >= 0.85 * sum(len(w) > 1 for w in segmented[p])]


# ── sentiment and rumour ─────────────────────────────────────────────────────────────────────────


def mood_report(corpora: Corpora) -> Report:
    """Four of five folds, left out in turn; settings were chosen on the first, which is not counted."""
    parts = (corpora.mood, corpora.topic, corpora.rumour)
    tables = [train.matrix(train.texts(part)) for part in parts]
    folds = train.folds(corpora.mood, _FOLDS)[1:]
    found = [mood_chances(corpora.mood, tables, learn, held) for learn, held in folds]
    tests = [one for fold, _, _ in found for one in fold]
    chances, leans = (np.concatenate([one[part] for one in found]) for part in (1, 2))
    return {
        name: _mood([one for one in tests if one.source == source], *_only(tests, source, chances, leans))
        for name, source in (("emergency", EMERGENCY), ("ordinary", ORDINARY))
    }


def _only(tests: Sequence[Sample], source: str, chances: Floats, leans: Floats) -> tuple[Floats, Floats]:
    here = _of(tests, source)
    return chances[here], leans[here]


def mood_chances(
    samples: Sequence[Sample], tables: Sequence[Any], learn: Any, held: Any
) -> tuple[list[Sample], Floats, Floats]:
    """The samples left out, their probabilities and leans, from the whole chain fitted on the others."""
    learners, tests = [samples[k] for k in learn], [samples[k] for k in held]
    table, *others = tables
    rows = train.tfidf(table, train.inverse_frequency([table[learn], *others]))
    head = train.mood_head(rows[learn], learners)
    scores = np.asarray(rows[held] @ head.weights + head.bias, np.float32)
    odds = train.bayes_odds(train.count(learners), train.texts(tests))
    mixed, caution = train.blend_weights(rows[learn], learners)
    chances = softmax(blend(scores, odds) @ mixed)
    return tests, chances, leaning(chances, caution)


def _of(samples: Sequence[Sample], source: str) -> Any:
    return np.array([one.source == source for one in samples])


def _mood(tests: Sequence[Sample], chances: Floats, leans: Floats) -> Report:
    truth, binary = train.labels(tests), np.where(leans < 0, "neg", "pos")
    neutral = chances[:, 1] >= np.maximum(chances[:, 0], chances[:, 2])
    guess = np.where(neutral, "neu", binary)
    two = truth != "neu"
    likeliest = np.array(train.MOOD_LABELS)[chances.argmax(axis=1)]
    return {
        "three_way": _scores(truth, guess),
        "binary": _scores(truth[two], binary[two]),
        "binary_negative_recall": _round(recall_score(truth[two], binary[two], pos_label="neg")),
        "calibration_error": _calibration(chances.max(axis=1), likeliest == truth),
        "confusion": _confusion(truth, guess),
    }


def kind_report(corpora: Corpora) -> Report:
    """Five folds over our own sentences, whole subjects left out; the joined ones are not counted."""
    samples = corpora.kind
    table, idf = train.matrix(train.texts(samples)), load().idf
    chances = np.zeros((len(samples), len(OpinionKind) + 1), np.float32)
    names: tuple[str, ...] = ()
    for learn, held in train.folds(samples, _FOLDS):
        head = train.kind_head(train.tfidf(table[learn], idf), [samples[k] for k in learn])
        names = head.labels
        scores = np.asarray(train.tfidf(table[held], idf) @ head.weights) + head.bias
        chances[held] = softmax(scores * np.float32(load().kind_warmth))
    counted = np.array([one.weight == 1.0 for one in samples])
    daily = np.array([one.source != "kinds" for one in samples])
    said = [
        likeliest(one.text, names, row.tolist())[0] or NONE for one, row in zip(samples, chances, strict=True)
    ]
    truth, guess = train.labels(samples)[counted], np.array(said)[counted]
    right = np.array(names)[chances.argmax(axis=1)] == train.labels(samples)
    return {
        **_scores(truth, guess),
        "calibration_error": _calibration(chances.max(axis=1)[counted], right[counted]),
        "ordinary_posts_and_news_given_a_kind": _round((np.array(said)[daily] != NONE).mean()),
        "confusion": _confusion(truth, guess),
    }


def rumour_report(corpora: Corpora, data_dir: Path) -> Report:
    """CED three ways: by chance, with whole events left out, and the latest fifth from the earlier
    posts. Another corpus is harder: see the model card."""
    samples = corpora.rumour
    events = [replace(one, group=group) for one, group in zip(samples, _told_alike(samples), strict=True)]
    times = [_seconds(row.get("time")) for row in rows_of(data_dir, "rumor_ced")][: len(samples)]
    late = np.argsort(np.array(times), kind="stable")[-len(times) // 5 :]
    early = np.setdiff1d(np.arange(len(samples)), late)
    return {
        "by_chance": _rumours(samples, train.folds(samples, _FOLDS)),
        "events_left_out": _rumours(samples, train.folds(events, _FOLDS)),
        "latest_fifth": _rumours(samples, [(early, late)]),
        "latest_fifth_with_spread": _rumours(samples, [(early, late)], _spreads(data_dir, len(samples))),
    }


def _spreads(data_dir: Path, most: int) -> np.ndarray[Any, Any]:
    """What the spread of each post adds to its log-odds."""
    rows = list(rows_of(data_dir, "rumor_ced"))[:most]
    counts = [
        {"reposts": _number(row.get("n_repost")), "followers": _number(row.get("followers"))} for row in rows
    ]
    return np.array([beyond_reach(one) for one in counts])


def _number(value: Any) -> int:
    return int(value) if str(value).isdigit() else 0


def _rumours(samples: Sequence[Sample], folds: Sequence[tuple[Any, Any]], spread: Any = None) -> Report:
    table, truth = train.matrix(train.texts(samples)), train.labels(samples)
    said = np.full(len(samples), "", dtype="<U1")
    for learn, held in folds:
        rows = train.tfidf(table, train.inverse_frequency([table[learn]]))
        head = train.rumour_head(rows[learn], [samples[k] for k in learn])
        odds = np.asarray(rows[held] @ head.weights)[:, 0] + head.bias[0]
        said[held] = np.where(odds + (0 if spread is None else spread[held]) > 0, "1", "0")
    counted = said != ""
    return {**_scores(truth[counted], said[counted]), "confusion": _confusion(truth[counted], said[counted])}


def _told_alike(samples: Sequence[Sample]) -> list[str]:
    """Posts on one event get one group: cosine of character triples above 0.35, and whom that joins."""
    table = TfidfVectorizer(analyzer="char", ngram_range=(3, 3)).fit_transform(train.texts(samples))
    _, groups = connected_components((table @ table.T) > 0.35, directed=False)
    return [str(group) for group in groups]


def _seconds(stamp: Any) -> float:
    """A time as the set gives it, seconds or words, made comparable."""
    words = str(stamp or 0)
    if words.replace(".", "").isdigit():
        return float(words)
    day, year = words.split(), words.split()[-1]  # "Sat Jun 29 12:40:09 CST 2013"
    return datetime.strptime(" ".join([*day[1:4], year]), "%b %d %H:%M:%S %Y").replace(tzinfo=CST).timestamp()


# ── facts and pairs ──────────────────────────────────────────────────────────────────────────────


def facts_report(data_dir: Path) -> Report:
    """Deaths and injured in texts annotated with a disaster or accident (only there is it complete)."""
    rows = [row for row in rows_of(data_dir, "duee1_dev") if _is_disaster(row)]
    found = [extract(canonical(row["text"])) for row in rows]
    return {
        "texts": len(rows),
        "deaths": _fact_scores([_said(row, "死亡人数") for row in rows], [f.deaths for f in found]),
        "injured": _fact_scores([_said(row, "受伤人数") for row in rows], [f.injured for f in found]),
    }


def _is_disaster(row: dict[str, Any]) -> bool:
    return any(event["event_type"].startswith("灾害/意外") for event in row["event_list"])


def _said(row: dict[str, Any], role: str) -> set[int]:
    """The numbers annotated for one role."""
    words = [a["argument"] for e in row["event_list"] for a in e["arguments"] if a["role"] == role]
    return {value for word in words if (value := _count(canonical(word))) is not None}


def _count(word: str) -> int | None:
    if re.search(".男.女", word):
        return int(sum(number(part[0]) or 0 for part in re.findall("(.)[男女]", word)))
    match = re.search(NUMERAL, word)
    value = number(match.group()) if match else None
    return None if value is None else int(value)


def _fact_scores(truth: Sequence[set[int]], found: Sequence[int | None]) -> Report:
    right = sum(f in t for t, f in zip(truth, found, strict=True) if f)
    wrong = sum(f not in t for t, f in zip(truth, found, strict=True) if f)
    missed = sum(bool(t) and f not in t for t, f in zip(truth, found, strict=True))
    return {"f1": _round(2 * right / max(1, 2 * right + wrong + missed)), "annotated": sum(map(bool, truth))}


def pairs_report(data_dir: Path) -> Report:
    rows = list(rows_of(data_dir, "pairs_sohu_486"))
    truth = np.array([int(row["same_topic"]) for row in rows])
    weight = load().rarity()
    found = [same(canonical(row["a"]), canonical(row["b"]), weight) for row in rows]
    guess = np.array([int(is_same) for is_same, _ in found])
    return {"f1": _round(f1_score(truth, guess)), "accuracy": _round((truth == guess).mean())}


# ── speed and arithmetic ─────────────────────────────────────────────────────────────────────────


def speed_report(corpora: Corpora, clock: Clock) -> Report:
    """Texts per second through `Judge` on this machine, in batches of 500."""
    judge = Judge.load()
    short = [one.text[:40] for one in corpora.mood if len(one.text) >= 40][:5_000]
    long = [one.text[:400] for one in corpora.topic if len(one.text) >= 400][:1_000]
    return {
        "judge_40_chars_per_s": _rate(judge, short, clock),
        "judge_400_chars_per_s": _rate(judge, long, clock),
    }


def _rate(judge: Judge, batch: Sequence[str], clock: Clock) -> int:
    judge.judge(batch[:50])
    begun = clock()
    for start in range(0, len(batch), 500):
        judge.judge(batch[start : start + 500])
    return int(len(batch) / max(1e-9, clock() - begun))


def _scores(truth: Any, guess: Any) -> Report:
    return {
        "macro_f1": _round(f1_score(truth, guess, average="macro")),
        "macro_f1_95": _interval(truth, guess),
        "accuracy": _round((truth == guess).mean()),
        "texts": len(truth),
    }


def _interval(truth: Any, guess: Any, draws: int = 1_000) -> list[float]:
    """95 % bootstrap interval of macro-F1: texts drawn again with replacement, which for a confusion
    table is one draw of its cells."""
    names = sorted(set(truth))
    cells = confusion_matrix(truth, guess, labels=names)
    drawn = np.random.default_rng(train.SEED).multinomial(cells.sum(), cells.ravel() / cells.sum(), draws)
    tables = drawn.reshape(draws, len(names), len(names))
    hits = np.diagonal(tables, axis1=1, axis2=2)
    f1 = 2 * hits / np.maximum(tables.sum(axis=1) + tables.sum(axis=2), 1)
    return [_round(value) for value in np.quantile(f1.mean(axis=1), [0.025, 0.975])]


def _calibration(chance: Any, right: Any, bins: int = 10) -> float:
    """Expected calibration error: how far a stated probability is from the share that is right."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        abs(chance[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)
    ]
    return _round(sum(gaps))


def _confusion(truth: Any, guess: Any) -> dict[str, dict[str, int]]:
    """Truth → guess → texts."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for t, g in zip(truth, guess, strict=True):
        table[str(t)][str(g)] += 1
    return {t: dict(row) for t, row in sorted(table.items())}


def _round(value: float) -> float:
    return round(float(value), 4)
