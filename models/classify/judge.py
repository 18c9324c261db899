"""One pass over a batch of texts: sentiment, topic, kind of opinion, rumour.

`Judge` holds about 40 MB of numbers and nothing else; it neither reads a clock nor a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np

from models.classify.bayes import Scorer, damped
from models.classify.features import Floats, chunks, rows
from models.classify.kind import kind_of
from models.classify.linear import Bank, sigmoid, softmax
from models.classify.weights_file import Weights, load
from models.core.lexicon import scan
from models.core.text import canonical

Sentiment = Literal["neg", "neu", "pos"]


@dataclass(frozen=True, slots=True)
class TopicScore:
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """`sentiment_score` = P(pos) - P(neg); `topic_margin` = P(first) - P(second); `rumour` is a
    reason to verify, never a verdict."""

    sentiment: Sentiment
    sentiment_score: float
    topic: str
    topic_margin: float
    topics: tuple[TopicScore, ...]
    kind: str | None
    rumour: float
    versions: Mapping[str, str]


class Judge:
    """Load once, judge many. Safe to share between threads: it only reads."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._bank = Bank(weights.idf, weights.heads)
        self._bayes = Scorer(weights.bayes)
        self.versions: Mapping[str, str] = {"judge": weights.version}
        self.rarity = weights.rarity()  # character pair → idf, for `core.cluster`

    @classmethod
    def load(cls, weights_dir: Path | None = None) -> Judge:
        """The shipped weights, or those in a folder. Raises WeightsError with the way out."""
        return cls(load(weights_dir))

    @property
    def topics(self) -> tuple[str, ...]:
        return self._weights.heads["topic"].labels

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement for each text, in order; an empty text gets the most usual answers."""
        return self.judge_canonical([canonical(text) for text in texts])

    def judge_canonical(self, texts: Sequence[str]) -> list[Judgement]:
        """The same for texts that are in canonical form already."""
        return [judgement for piece in chunks(texts) for judgement in self._piece(piece)]

    def _piece(self, texts: Sequence[str]) -> list[Judgement]:
        mood, topic, rumour = self.probabilities(texts)
        kinds = [kind_of(scan(text)) for text in texts]
        return [
            self._one(m, t, r, kind.value if kind else None)
            for m, t, r, kind in zip(mood.tolist(), topic.tolist(), rumour.tolist(), kinds, strict=True)
        ]

    def probabilities(self, texts: Sequence[str]) -> tuple[Floats, Floats, Floats]:
        """Sentiment (texts × 3), topic (texts × 7), rumour (texts): each row adds up to one."""
        features = rows(texts)
        scores = self._bank.scores(features)
        odds = damped(*self._bayes.odds(features))
        mood = softmax(blend(scores["sentiment"], odds) @ self._weights.blend)
        topic = softmax(scores["topic"] * np.float32(self._weights.temperature))
        return mood, topic, sigmoid(scores["rumour"][:, 0])

    def _one(self, mood: list[float], topic: list[float], rumour: float, kind: str | None) -> Judgement:
        feel = dict(zip(self._weights.heads["sentiment"].labels, mood, strict=True))
        order = sorted(range(len(topic)), key=lambda k: -topic[k])
        return Judgement(
            sentiment=cast("Sentiment", max(feel, key=lambda label: feel[label])),
            sentiment_score=round(feel["pos"] - feel["neg"], 4),
            topic=self.topics[order[0]],
            topic_margin=round(topic[order[0]] - topic[order[1]], 4),
            topics=tuple(TopicScore(self.topics[k], round(topic[k], 4)) for k in order[:3]),
            kind=kind,
            rumour=round(rumour, 4),
            versions=self.versions,
        )


def blend(scores: Floats, odds: Floats) -> Floats:
    """What the last step of sentiment sees: three scores, Bayes' damped odds, a one."""
    return np.column_stack([scores, odds, np.ones(len(odds), np.float32)]).astype(np.float32)
