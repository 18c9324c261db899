"""A receiver of alerts with moods: it takes most, and remembers of each request what a proof needs."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from support.receiver import Answer, Receiver, Request
from support.sites import SECRET

MOODS = (
    ("busy", 0.06, Answer(429, b"{}", {"Retry-After": "1"})),
    ("broken", 0.06, Answer(500, b"{}")),
    ("hung up", 0.04, Answer(close=True)),
    ("half said", 0.02, Answer(200, b'{"taken": true}', truncate=True)),
    ("silent", 0.006, Answer(hang=True)),
)
"""What it does other than take the alert, and how often."""

THINKS_S = 0.06
"""So long at the most it takes over an answer, until it is calm: a real channel is not instantaneous."""
CHAT = "/chat/"
"""Under this path it plays a chat platform that refuses everything."""
NO = "200 that says no"

Telling = tuple[str, ...]
Payload = dict[str, Any]


@dataclass
class Log:
    """What has come in. A message may carry several alerts (`also`); each is noted by its own id.

    `ids` gives for each thing told to each person the alert ids it came under, `refs` for each alert
    the references it bore.
    """

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)  # alert id → how often answered 2xx
    ids: dict[Telling, set[str]] = field(default_factory=dict)
    refs: dict[str, set[str]] = field(default_factory=dict)
    forged: int = 0  # a signature that does not fit, or a body that names another alert

    @property
    def known(self) -> set[str]:
        return set(self.refs)


def carried(body: Payload) -> list[Payload]:
    """Every alert of one message: its own, then those that came along. The system's own alarm goes
    past the outbox and is none."""
    return [one for one in (body, *body.get("also", ())) if one.get("kind") != "alarm"]


def told(alert: Payload) -> Telling:
    """What an alert tells whom, in words that a second sending must repeat."""
    person = str(alert["recipient"]["person"])
    if "clock" not in alert:
        return (str(alert["ref"]), person)
    clock = alert["clock"]
    times = (str(clock["started_at"]), str(clock["due_at"]))
    return (str(alert["incident"]["id"]), str(clock["id"]), *times, str(alert["step"]["key"]), person)


class Moody(Receiver):
    """Answers by its moods until `calm` is set; then it takes everything."""

    def __init__(self, seed: int, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self.log, self.calm = Log(), False
        self._dice = random.Random(seed)
        self._key = Webhook(SECRET.encode())

    def take(self, request: Request) -> Answer:
        if request.path.startswith(CHAT):
            return self._say_no()
        genuine = self._genuine(request)
        time.sleep(0.0 if self.calm else self._dice.uniform(0.0, THINKS_S))
        with self._lock:
            mood, answer = self._mood()
            self._note(request, genuine, mood, answer)
        return answer

    def _say_no(self) -> Answer:
        """As chat platforms do: HTTP 200, and in the body that it was not taken."""
        with self._lock:
            self.log.answers[NO] += 1
        return Answer(200, b'{"ok": false, "error": "channel_not_found"}')

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
        self.log.requests += 1
        self.log.answers[mood] += 1
        self.log.forged += not genuine
        accepted = not (answer.hang or answer.close) and answer.status < 300
        for alert in carried(request.json()):
            one = str(alert["alert_id"])
            self.log.ids.setdefault(told(alert), set()).add(one)
            self.log.refs.setdefault(one, set()).add(str(alert["ref"]))
            self.log.taken[one] += accepted
