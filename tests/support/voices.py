"""What a province says in a day, as messages for Kafka: everyday matters, and among them grave ones, each told
by several voices whose number is known.

Message `n` of a stream is always the same. In every block of messages one grave matter begins, and an
earlier one is told of again, later and in other words: the hardest case for what must not be split.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.core.moment import iso
from support import texts

FIRST, LAST = 0x4E00, 0x9F00
"""Names are drawn from these characters: no two matters share a pair of them."""
EVENTS = (
    ("化工厂爆炸", "厂区", "爆炸"), ("客车翻车", "公路", "翻车"), ("楼房倒塌", "工地", "倒塌"),
    ("煤矿透水", "矿井", "透水"), ("渡船倾覆", "江面", "倾覆"), ("隧道塌方", "隧道", "塌方"),
)  # fmt: skip
TOLD = (
    "{place}{road}{firm}{event}，已致{dead}人死亡、{hurt}人受伤",
    "{place}{firm}发生{event}，{dead}人遇难，{road}封闭",
    "刚刚，{road}的{firm}{event}，{place}，听说{dead}人死亡",
    "{firm}{event}亲历者：{place}{road}，{dead}人没能出来",
)


@dataclass(frozen=True, slots=True)
class Stream:
    """`block` messages hold one new grave matter; each is told `voices` times at once and as often later,
    `later` blocks on."""

    block: int = 1000
    voices: int = 5
    later: int = 5
    seed: int = 7

    def message(self, n: int, at: datetime) -> tuple[str, dict[str, Any]]:
        """("tickets" or "posts", the message)."""
        told = self.matter_of(n)
        return _everyday(n, at, self.seed) if told is None else _grave(*told, n, at)

    def matter_of(self, n: int) -> tuple[int, int] | None:
        """(matter, voice) of a message that tells of a grave one."""
        block, place = divmod(n, self.block)
        step = self.block // self.voices
        voice, off = divmod(place, step)
        if off == 0 and voice < self.voices:
            return block, voice
        if off == step // 2 and voice < self.voices and block >= self.later:
            return block - self.later, self.voices + voice
        return None

    def matters(self, count: int) -> Iterator[int]:
        """The matters that begin within the first `count` messages."""
        return iter(range((count + self.block - 1) // self.block))


def names_of(matter: int) -> tuple[str, str, str]:
    """County, road and firm of a matter; made of characters that seldom meet elsewhere."""
    dice = random.Random(matter)
    county, road, firm = ("".join(chr(dice.randrange(FIRST, LAST)) for _ in range(4)) for _ in range(3))
    return f"{county}县", f"{road}路", firm


def _grave(matter: int, voice: int, n: int, at: datetime) -> tuple[str, dict[str, Any]]:
    place, road, firm = names_of(matter)
    event, where, what = EVENTS[matter % len(EVENTS)]
    numbers = {"dead": 3 + matter % 7, "hurt": 10 + matter % 11}
    title = TOLD[voice % len(TOLD)].format(place=place, road=road, firm=firm, event=event, **numbers)
    body = f"{title}。{place}{road}{firm}{where}，{what}原因不明。"
    return "posts", {
        "id": f"M{matter}-{n}", "title": title, "body": body, "channel": "微博" if voice % 2 else "新闻",
        "published_at": iso(at), "place": place,
    }  # fmt: skip


def _everyday(n: int, at: datetime, seed: int) -> tuple[str, dict[str, Any]]:
    dice = random.Random(seed * 1_000_003 + n)
    ticket = n % 34 == 0  # 60,000 tickets beside 2,000,000 posts
    made = (texts.ticket if ticket else texts.post)(n, at, dice, 0.0)
    row = {"id": f"E{n}", "title": made.title, "body": made.body, "published_at": iso(at)}
    if ticket:
        return "tickets", row | {"place": made.place}
    return "posts", row | {"channel": "微博", "metrics": dict(made.metrics)}
