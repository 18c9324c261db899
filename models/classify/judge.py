"""One pass over a batch of texts: sentiment, topic, kind of opinion, rumour.

`Judge` holds about 40 MB of numbers and nothing else; it neither reads a clock nor a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from models.classify.bayes import Scorer, damped
from models.classify.drift import unseen
from models.classify.features import Floats, Rows, chunks, rows
from models.classify.kind import likeliest
from models.classify.linear import Bank, sigmoid, softmax
from models.classify.weights_file import Weights, load
from models.core.text import canonical

Sentiment = Literal["neg", "neu", "pos"]


@dataclass(frozen=True, slots=True)
class TopicScore:
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """`sentiment_score` -1…1: P(pos) - P(neg), its zero moved by the weights' caution; `topic_margin` =
    P(first) - P(second), `topic_unsure` when it is among the least sure tenth: ask a person; `kind_chance`
    is the probability of `kind`; `rumour` is a reason to verify, never a verdict."""

    sentiment: Sentiment
    sentiment_score: float
    topic: str
    topic_margin: float
    topics: tuple[TopicScore, ...]
    kind: str | None
    rumour: float
    versions: Mapping[str, str]
    topic_unsure: bool = False
    kind_chance: float = 0.0


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

    def strangeness(self, texts: Sequence[str]) -> tuple[float, float]:
        """Of the features of these canonical texts the share that no training text had, and the usual share."""
        return unseen(self._weights, texts), self._weights.unseen

    def judge(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement for each text, in order; an empty text gets the most usual answers."""
        return self.judge_canonical([canonical(text) for text in texts])

    def judge_canonical(self, texts: Sequence[str]) -> list[Judgement]:
        """The same for texts that are in canonical form already."""
        return [judgement for piece in chunks(texts) for judgement in self._piece(piece)]

    def _piece(self, texts: Sequence[str]) -> list[Judgement]:
        features = rows(texts)
        mood, topic, rumour, kinds = self.probabilities(features)
        leans = leaning(mood, self._weights.caution)
        parts = (mood.tolist(), leans.tolist(), topic.tolist(), rumour.tolist(), kinds.tolist())
        return [self._one(text, *one) for text, *one in zip(texts, *parts, strict=True)]

    def probabilities(self, features: Rows) -> tuple[Floats, Floats, Floats, Floats]:
        """Sentiment (texts × 3), topic (× 7), rumour (texts), kind (× 9): each row adds up to one."""
        scores = self._bank.scores(features)
        odds = damped(*self._bayes.odds(features))
        mood = softmax(blend(scores["sentiment"], odds) @ self._weights.blend)
        topic = softmax(scores["topic"] * np.float32(self._weights.temperature))
        return (
            mood,
            topic,
            sigmoid(scores["rumour"][:, 0]),
            softmax(scores["kind"] * np.float32(self._weights.kind_warmth)),
        )

    def _one(
        self, text: str, mood: list[float], lean: float, topic: list[float], rumour: float, kinds: list[float]
    ) -> Judgement:
        order = sorted(range(len(topic)), key=topic.__getitem__, reverse=True)
        margin = topic[order[0]] - topic[order[1]]
        kind, chance = likeliest(text, self._weights.heads["kind"].labels, kinds)
        return Judgement(
            sentiment=_feeling(mood, lean),
            sentiment_score=round(lean, 4),
            topic=self.topics[order[0]],
            topic_margin=round(margin, 4),
            topics=tuple(TopicScore(self.topics[k], round(topic[k], 4)) for k in order[:3]),
            kind=kind,
            rumour=round(rumour, 4),
            versions=self.versions,
            topic_unsure=margin < self._weights.doubt,
            kind_chance=round(chance, 4),
        )


def leaning(chances: Floats, caution: float) -> Floats:
    """(P(pos) + P(neg)) · tanh((ln P(pos)/P(neg) - caution) / 2): without caution P(pos) - P(neg)."""
    odds = np.log(chances[:, 2] + 1e-9) - np.log(chances[:, 0] + 1e-9)
    return np.asarray((chances[:, 0] + chances[:, 2]) * np.tanh((odds - caution) / 2), np.float32)


def _feeling(mood: list[float], lean: float) -> Sentiment:
    """`mood` is P(neg), P(neu), P(pos); between neg and pos the lean decides, as the score's sign does."""
    if mood[1] >= max(mood[0], mood[2]):
        return "neu"
    return "neg" if lean < 0 else "pos"


def blend(scores: Floats, odds: Floats) -> Floats:
    """What the last step of sentiment sees: three scores, Bayes' damped odds, a one."""
    return np.column_stack([scores, odds, np.ones(len(odds), np.float32)]).astype(np.float32)
