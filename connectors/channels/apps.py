"""What the apps of the chats share: an access token that is fetched when wanted, the buttons of a card and
what comes back when one is pressed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from connectors.channels import posting, robots
from connectors.channels.posting import Answer
from connectors.channels.robots import Codes
from connectors.ports import Delivery, Outcome, Refused
from models.core.mentions import Mention

SNOOZE_MINUTES = 30
PRESSES = {"ack": "签收", "take": "接手", "snooze": f"{SNOOZE_MINUTES} 分钟后再提醒"}
"""Acts of the desk that a card's buttons do, as they are called on it."""
_EARLY_S = 300.0
"""A token is renewed so long before it ends."""


class NotSigned(Refused):
    """What came in is not the platform's, or too old; the words say what to look at."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that somebody pressed. `who`: every name that the platform gave for them; `key`: the same
    when it tells us of the same press again; `others`: its message holds more alerts than it is about."""

    who: tuple[Mention, ...]
    act: str
    about: str
    key: str
    others: bool = False


def pressed(act: object, about: object, who: tuple[Mention, ...], key: str, others: bool = False) -> Press:
    """Raises Refused for a button that is none of ours."""
    if act not in PRESSES or not isinstance(about, str) or not about:
        raise Refused("这个按钮不是本系统发出的；没有执行")
    return Press(who, str(act), about, key, others)


Fetched = tuple[str, float]
"""A token and how many seconds it is good for."""


@dataclass(slots=True, eq=False)
class Ticket:
    """An access token, kept until shortly before it ends; one thread fetches it while the others wait."""

    fetch: Callable[[], Fetched | Delivery] = field(repr=False)
    value: str = field(default="", repr=False)
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self) -> str | Delivery:
        """The token, or why there is none."""
        with self.lock:
            if self.value and time.monotonic() < self.until:
                return self.value
            got = self.fetch()
            if isinstance(got, Delivery):
                return got
            self.value, self.until = got[0], time.monotonic() + max(got[1] - _EARLY_S, 1.0)
            return self.value

    def drop(self, value: str) -> None:
        """The platform takes it no longer."""
        with self.lock:
            if self.value == value:
                self.value = ""


def fetch(
    place: str, line: httpx2.Client, method: str, url: str, content: bytes, codes: Codes, name: str
) -> Fetched | Delivery:
    """A token; its field is `name`, its life stands under expire or expires_in. Nothing has been
    sent yet, so that whatever is unclear is tried again."""
    got: list[Fetched] = []

    def read(answer: Answer) -> Delivery:
        done = robots.judge(place, answer, codes, None)
        if done.outcome is Outcome.ACCEPTED:
            got.extend(_token(robots.told(answer), name))
        if done.outcome is Outcome.UNKNOWN or (done.outcome is Outcome.ACCEPTED and not got):
            return Delivery(Outcome.RETRY, f"{place}: 取令牌的答复读不懂")  # its words may hold the token
        return done

    done = posting.deliver(place, line, url, content, read, method=method)
    if got:
        return got[0]
    reason = done.reason.replace(f"{place}: ", f"{place}: 取令牌 ", 1)
    return replace(done, outcome=_again(done.outcome), reason=reason)


def _token(told: Mapping[str, Any], name: str) -> list[Fetched]:
    token, life = told.get(name), told.get("expire", told.get("expires_in", 0))
    good = isinstance(token, str) and token and isinstance(life, int | float)
    return [(str(token), float(life))] if good else []


def _again(outcome: Outcome) -> Outcome:
    return Outcome.RETRY if outcome is Outcome.UNKNOWN else outcome


def unaddressed(place: str, wrong: tuple[str, str] | None) -> Delivery:
    """An app writes to one person; without one it writes to nobody."""
    words, hint = wrong or ("没有写给谁", "")
    return Delivery(Outcome.REFUSED, f"{place}: {words}；{hint}，请核对 roster.yaml")
