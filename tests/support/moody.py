"""A receiver of alerts with moods: it takes most, and remembers of each request what a proof needs."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from support.receiver import Answer, Receiver, Request
from support.sites import SECRET

MOODS = (
    ("busy", 0.03, Answer(429, b"{}", {"Retry-After": "1"})),
    ("broken", 0.03, Answer(500, b"{}")),
    ("hung up", 0.02, Answer(close=True)),
    ("half said", 0.01, Answer(200, b'{"taken": true}', truncate=True)),
    ("silent", 0.003, Answer(hang=True)),
)
"""What it does other than take the alert, and how often."""

Telling = tuple[str, str, str, str, str, str]


@dataclass
class Log:
    """What has come in. `ids` gives for each thing told to each person the webhook-ids it came under."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)  # webhook-id → how often answered 2xx
    ids: dict[Telling, set[str]] = field(default_factory=dict)
    forged: int = 0  # a signature that does not fit, or a body that names another alert
    known: set[str] = field(default_factory=set)


class Moody(Receiver):
    """Answers by its moods until `calm` is set; then it takes everything."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.log, self.calm = Log(), False
        self._dice = random.Random(seed)
        self._key = Webhook(SECRET.encode())

    def take(self, request: Request) -> Answer:
        genuine = self._genuine(request)
        with self._lock:
            mood, answer = self._mood()
            self._note(request, genuine, mood, answer)
        return answer

    def _mood(self) -> tuple[str, Answer]:
        roll = 1.0 if self.calm else self._dice.random()
        for name, share, answer in MOODS:
            roll -= share
            if roll < 0:
                return name, answer
        return "taken", Answer()

    def _genuine(self, request: Request) -> bool:
        try:
            self._key.verify(request.body, request.headers)
        except WebhookVerificationError:
            return False
        return bool(request.json()["alert_id"] == request.headers["webhook-id"])

    def _note(self, request: Request, genuine: bool, mood: str, answer: Answer) -> None:
        body, one = request.json(), request.headers["webhook-id"]
        clock = body["clock"]
        told = (
            body["incident"]["id"],
            clock["id"],
            clock["started_at"],
            clock["due_at"],
            body["step"]["key"],
            body["recipient"]["person"],
        )
        self.log.requests += 1
        self.log.answers[mood] += 1
        self.log.forged += not genuine
        self.log.known.add(one)
        self.log.ids.setdefault(told, set()).add(one)
        if not (answer.hang or answer.close) and answer.status < 300:
            self.log.taken[one] += 1
