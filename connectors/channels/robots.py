"""What the group robots share: the words of an alert in lines, parts within a platform's bytes, and
an answer that is only a yes when the platform's own code says so.

A robot's message may be read by a whole group, and its text comes from outside: marks that would
become a link, a heading or a call to everybody are written in their full-width form, which reads the
same and does nothing.

A message that is too long goes as numbered parts. It is accepted when every part was; the first part
that is not decides, and a resend sends all parts again, each saying that it is sent again.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx2

from connectors.channels import posting
from connectors.channels.posting import Answer
from connectors.channels.settings import Now, Secrets, Settings, name, secret, text, web_address
from connectors.channels.view import CUT_MARK, View, plain
from connectors.ports import Delivery, Message, Outcome, Refused
from models.core import mentions
from models.core.moment import parse_iso

PARTS = 5
"""A longer text is cut after so many parts, and says so: each part is one of the robot's minute."""
SHORT = 200
"""Characters of a reason that may stand before the deadline; a longer one comes last."""
MINUTE = 60.0
"""Seconds to wait where a platform says "too often" and no more."""

_FULL_WIDTH = str.maketrans("<>[]()*_`#|~\\@!", "＜＞［］（）＊＿｀＃｜～＼＠！")

Body = dict[str, Any]
Write = Callable[[Message], list[Body]]
Sign = Callable[[str, Body, datetime], tuple[str, Body]]
"""The robot's address and a body → both as they go out at this moment."""


def defuse(words: str) -> str:
    """`words` with nothing in them that a chat would render, open or call; no longer than before."""
    return words.translate(_FULL_WIDTH).replace("://", "：//")


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def head(seen: View) -> str:
    """【橙 · II 级 重大】化工园区爆燃."""
    badge = f"【{seen.badge}】" if seen.badge else ""
    return badge + defuse(seen.title or "提醒")


def lines(seen: View) -> list[tuple[str, str]]:
    """(label, words) in the order of reading; a long reason comes last, so that what is due by when
    and the buttons are in the first part."""
    said = {
        "期限": "，".join(filter(None, (seen.due, left(seen, "，")))),
        "送": " ".join(filter(None, (seen.who, seen.rung))),
        "依据": seen.basis,
        "另有": f"{len(seen.also)} 条；按钮只指最急的一条，其余请打开页面" if seen.also else "",
    }
    rest = [*said.items(), *((str(n), one) for n, one in enumerate(seen.also, 1))]
    why = ("缘由", seen.why)
    ordered = [why, *rest] if len(seen.why) <= SHORT else [*rest, why]
    return [(label, defuse(words)) for label, words in ordered if words]


def left(seen: View, between: str) -> str:
    """还剩 1 小时 15 分，临期; what is overdue says so once."""
    told_twice = bool(seen.state) and seen.left.startswith(seen.state)
    return between.join(filter(None, (seen.left, "" if told_twice else seen.state)))


def foot(seen: View, alert_id: str) -> str:
    """The reference; on a resend that it is the same."""
    again = f" · 重发，第 {seen.attempt} 次，同一提醒" if seen.attempt > 1 else ""
    return defuse(seen.ref or alert_id) + again


def buttons(seen: View) -> list[tuple[str, str]]:
    """(what it says, where it leads): our own addresses, as a link may hold them."""
    every = (("签收", seen.ack_url), ("打开页面", seen.url))
    return [(label, link(url)) for label, url in every if url]


def link(url: str) -> str:
    """An address that ends where it ends, whatever marks stand round it."""
    return url.translate({ord(mark): f"%{ord(mark):02X}" for mark in "()<>[] \"'`\\|"})


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


def size(words: str) -> int:
    """Bytes of `words` within a JSON body, without its quotes."""
    return len(json.dumps(words, ensure_ascii=False).encode("utf-8", "replace")) - 2


def body_size(body: Body) -> int:
    return len(written(body))


def written(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


Measure = Callable[[str], int]


def parts(words: str, room: int, again: str = "", measure: Measure = size) -> list[str]:
    """`words` in pieces of at most `room` bytes, numbered from the second on as well as the first:
    （1/3）. At most `PARTS`; what is left out then is marked. `again` stands before each later one."""
    if measure(words) <= room:
        return [words]
    inner = room - measure(f"（{PARTS}/{PARTS}）{again}\n") - measure(CUT_MARK)
    pieces = _pieces(words, max(inner, 60), measure)
    kept = pieces[:PARTS]
    if len(pieces) > PARTS:
        kept[-1] += CUT_MARK
    marks = [f"（{n}/{len(kept)}）" for n in range(1, len(kept) + 1)]
    return [
        f"{mark}{again if n else ''}\n{piece}"
        for n, (mark, piece) in enumerate(zip(marks, kept, strict=True))
    ]


def _pieces(words: str, room: int, measure: Measure) -> list[str]:
    pieces: list[str] = []
    while words:
        end = _end(words, room, measure)
        pieces.append(words[:end])
        words = words[end:]
    return pieces


def _end(words: str, room: int, measure: Measure) -> int:
    """How many characters go within `room` bytes: to the last line's end in the second half, else to
    where no character is torn from its marks."""
    used, end = 0, 0
    for letter in words:
        used += measure(letter)
        if used > room:
            break
        end += 1
    if end == len(words):
        return end
    line = words.rfind("\n", end // 2, end)
    return line + 1 if line > 0 else _whole(words, end)


def _whole(words: str, end: int) -> int:
    """The nearest place at or before `end` where the next character stands by itself."""
    at = end
    while at > 1 and _clings(words[at]):
        at -= 1
    return at if not _clings(words[at]) else end


def _clings(letter: str) -> bool:
    """An accent, a variation mark, a skin tone: a piece of the character before it."""
    return (
        bool(unicodedata.combining(letter))
        or letter in "\ufe0e\ufe0f"
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
    )


# ── answers ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Codes:
    """How a platform says yes and no inside a 200. Each of `names` that is there must be 0."""

    names: tuple[str, ...]
    words: tuple[str, ...]
    passing: Mapping[int, float | None]  # code → seconds to wait; None: as the outbox thinks
    hints: Mapping[int, str] = field(default_factory=dict)  # code → the way out
    passing_words: tuple[str, ...] = ()  # for codes that mean two things
    telling: frozenset[int] = frozenset()  # statuses beside 2xx with which its code comes, and says more


def judge(place: str, answer: Answer, codes: Codes, now: datetime | None) -> Delivery:
    """Accepted only by the platform's own 0; what cannot be read is unknown, never a yes."""
    said = told(answer)
    given = [said[name] for name in codes.names if name in said]
    clear = bool(given) and all(type(code) is int for code in given) and answer.whole
    code = next((code for code in given if code != 0), 0) if clear else 0
    refused = posting.no(place, answer, now)
    if refused is not None and not (code and answer.status in codes.telling):
        return refused
    if not clear:
        return Delivery(Outcome.UNKNOWN, f"{place}: 答复读不懂 {answer.words}".strip())
    if code == 0:
        return Delivery(Outcome.ACCEPTED, f"{place}: 已收下")
    return _refusal(place, code, said, answer, codes)


def told(answer: Answer) -> Mapping[str, Any]:
    """The fields of an answer; none for what is no JSON object."""
    try:
        read = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def number(read: Mapping[str, Any], name: str) -> int:
    """A code of an answer; 0 for none and for what is no whole number."""
    found = read.get(name)
    return found if type(found) is int else 0


def _refusal(place: str, code: int, told: Mapping[str, Any], answer: Answer, codes: Codes) -> Delivery:
    words = next((plain(told[name], 160) for name in codes.words if told.get(name)), "")
    hint = codes.hints.get(code, "")
    said = f"{place}: HTTP {answer.status} 拒收 {code} {words}".rstrip() + (f"；{hint}" if hint else "")
    if code in codes.passing or any(mark in words.lower() for mark in codes.passing_words):
        wish = posting.retry_after(answer.headers, None)
        wait = wish if wish is not None else codes.passing.get(code, MINUTE)
        return Delivery(Outcome.RETRY, said, retry_after=wait)
    return Delivery(Outcome.REFUSED, said)


# ── sending ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True, eq=False)
class Robot:
    """Posts each part of a message to a robot's address, in order; usable from many threads."""

    id: str
    type: str
    url: str = field(repr=False)  # holds the robot's token
    client: httpx2.Client = field(repr=False)
    codes: Codes = field(repr=False)
    write: Write = field(repr=False)
    sign: Sign = field(repr=False)
    now: Now | None = field(repr=False, default=None)

    def send(self, message: Message) -> Delivery:
        return in_parts(
            self.id, self.write(message), lambda body: self._post(body, message), self._unheard(message)
        )

    def check(self) -> str | None:
        return None

    def close(self) -> None:
        self.client.close()

    def _post(self, body: Body, message: Message) -> Delivery:
        at = self.now() if self.now else parse_iso(str(message.payload["sent_at"]))
        url, signed = self.sign(self.url, body, at)
        return posting.deliver(self.id, self.client, url, written(signed), self._judge)

    def _judge(self, answer: Answer) -> Delivery:
        return judge(self.id, answer, self.codes, self.now and self.now())

    def _unheard(self, message: Message) -> str:
        """Why nobody's telephone rings for it, for the journal; never the address itself."""
        wrong = mentions.trouble(self.type, message.address)
        return f"；没有 @ 到人：{wrong[0]}，请核对 roster.yaml" if wrong else ""


def in_parts(
    place: str, bodies: Sequence[Body], post: Callable[[Body], Delivery], note: str = ""
) -> Delivery:
    """Send every part in order; the first that is not taken decides, and says which it was."""
    receipt: str | None = None
    for number, body in enumerate(bodies, 1):
        done = post(body)
        receipt = receipt or done.receipt
        if done.outcome is not Outcome.ACCEPTED:
            return replace(_stopped(done, number, len(bodies)), messages=number)
    many = f"，共 {len(bodies)} 条" if len(bodies) > 1 else ""
    return Delivery(Outcome.ACCEPTED, f"{place}: 已收下{many}{note}", receipt, messages=len(bodies))


def _stopped(done: Delivery, number: int, count: int) -> Delivery:
    if count == 1:
        return done
    sent = f"前 {number - 1} 条已送到，" if number > 1 else ""
    where = f"（第 {number}/{count} 条；{sent}重发时从头再发）"
    return Delivery(done.outcome, done.reason + where, done.receipt, done.retry_after)


def robot(
    settings: Settings, secrets: Secrets, now: Now | None, codes: Codes, write: Write, sign: Sign
) -> Robot:
    """One robot from {id, type, robot, timeout_s, connections, proxy}. Raises Refused."""
    return Robot(
        text(settings, "id"), text(settings, "type"), address(settings, secrets), posting.client(settings),
        codes, write, sign, now,
    )  # fmt: skip


def address(settings: Settings, secrets: Secrets, key: str = "robot") -> str:
    """The whole address that the platform gave the robot, which is a secret. Raises Refused without it."""
    url = secret(settings, secrets, key).strip()
    if any(mark.isspace() for mark in url):
        raise Refused(
            f"{name(settings)}: what {key!r} refers to has blanks; copy the robot's whole Webhook address"
        )
    return web_address({**settings, key: url}, key)


def signing_key(settings: Settings, secrets: Secrets) -> str:
    """The secret that robots with 加签 share with us; "" where the robot has none. Raises Refused."""
    return secret(settings, secrets, "secret") if settings.get("secret") else ""
