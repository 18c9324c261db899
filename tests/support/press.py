"""Many feeds from a process of its own, as fast as plain Python serves: /N.xml of edition E.

Each has an ETag and answers 304 to who knows it. `POST /turn/SHARE` brings out a new edition of that
share of the feeds (in percent), `GET /count` tells the answers so far. Feed N of 127.0.x.y is the same
whichever loopback address it is asked at, so that every feed may have a host of its own.
"""

from __future__ import annotations

import asyncio
import sys

from support.outpost import TAKEN, Outpost, serve, shown

ENTRIES = 20
NEW = 4
"""Entries of an edition, and how many of them the one before did not have."""
COUNT = {"full": 0, "unchanged": 0}
EDITION: dict[int, int] = {}
TURNS = [0]
WORDS = (
    "南浦区多个小区居民反映自来水有土腥异味，物业表示已上报供水公司，市民希望尽快查明原因并公布水质检测结果。"
)


def feed(number: int, edition: int) -> bytes:
    """The feed's text: `ENTRIES` entries, `NEW` of them new in each edition."""
    first = edition * NEW
    items = "".join(
        f"<item><guid>f{number}-{n}</guid><title>第 {number} 源第 {n} 条 {WORDS[n % 9 : n % 9 + 12]}</title>"
        f"<link>http://news.example/{number}/{n}</link><pubDate>Sat, 21 Nov 2026 02:13:00 +0800</pubDate>"
        f"<description>&lt;p&gt;{WORDS}（{number}-{n}）&lt;/p&gt;</description></item>"
        for n in range(first, first + ENTRIES)
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>源 {number}</title>'
    return f"{head}{items}</channel></rss>".encode()


def answer(head: bytes, _: bytes) -> bytes:
    path = head.split(b" ", 2)[1].decode()
    if path.startswith("/turn/"):
        TURNS[0] += 1
        EDITION.update(dict.fromkeys(_turned(int(path[6:])), TURNS[0]))
        return TAKEN
    if path == "/count":
        return shown(COUNT)
    if path == "/robots.txt":
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    number = int(path[1:].partition(".")[0])
    edition = EDITION.get(number, 0)
    mark = f'"{number}-{edition}"'.encode()
    if mark in head:
        COUNT["unchanged"] += 1
        return b"HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % mark
    COUNT["full"] += 1
    body = feed(number, edition)
    kind = b"ETag: %s\r\nContent-Type: application/rss+xml\r\nContent-Length: %d" % (mark, len(body))
    return b"HTTP/1.1 200 OK\r\n%s\r\n\r\n%s" % (kind, body)


def _turned(percent: int) -> list[int]:
    return [number for number in range(100_000) if number % 100 < percent]


class Press(Outpost):
    """The feeds in their process, as a test sees them."""

    def __init__(self) -> None:
        super().__init__("0.0.0.0")

    def host_of(self, number: int) -> str:
        return f"127.0.{number // 250 + 1}.{number % 250 + 1}"

    def feed(self, number: int) -> str:
        """The address of that feed, at a host of its own."""
        return f"http://{self.host_of(number)}:{self.port}/{number}.xml"

    def turn(self, percent: int) -> None:
        self.ask(f"turn/{percent}")


if __name__ == "__main__":
    asyncio.run(serve(answer, sys.argv[1]))
