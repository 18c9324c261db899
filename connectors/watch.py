"""Looking at a page that we published: is it there, what does it say, and the proof of both.

Polite and guarded as every fetch is; the page's words are taken out in a process with a wall limit. It
never raises: a page that could not be seen is an answer too, and never means that it is gone.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx2

from connectors import encodings, http, isolation, plaintext, warc
from connectors.ports import ConnectorError
from connectors.times import parse_when
from models.core.moment import iso, parse_iso
from models.core.pagetext import main_text
from models.core.vocabulary import PageState

GONE: Final = frozenset({404, 410})
PARSE_LIMIT_S: Final = 10.0
MAX_PAGE: Final = 5_000_000  # bytes that are kept as proof; the page of a statement has a few hundred kB
_SAYS_GONE = re.compile(
    r"(?:内容|文章|微博|页面|网页)[^。\n]{0,8}(?:已被[^。\n]{0,6}删除|不存在|已下线|已删除)|404 not found",
    re.IGNORECASE,
)
_SHORT: Final = 300  # characters: a page that says it is gone says little else
# what official sites must state (政府网站发展指引: PubDate), what others do, what stands in the text
_STATED = re.compile(
    r"""<meta[^<>]{0,200}?(?:name|property)\s*=\s*["']?(?:PubDate|article:published_time|publishdate)["']?"""
    r"""[^<>]{0,200}?content\s*=\s*["']?([^"'<>]{8,40})""",
    re.IGNORECASE,
)
_PRINTED = re.compile(
    r"(?:发布时间|发布日期|发表时间|时间|日期)[:：\s]{1,4}"
    r"(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T]{0,3}\d{1,2}[:时]\d{2}(?:[:分]\d{2})?)"
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sight:
    """One look. `state`: taken (it was there), gone, or unseen with `why`; hashes are hex SHA-256 of the
    body and of the main text; `words`: all that the page says, menus too; `warc`: the record to keep;
    `published_at`: as the page states it."""

    state: PageState
    status: int
    why: str
    text: str = ""
    page_sha256: str | None = None
    text_sha256: str | None = None
    warc: bytes = b""
    published_at: datetime | None = None
    words: str = ""


async def look(guard: http.Guard, url: str, at: datetime, client: httpx2.AsyncClient | None = None) -> Sight:
    """Fetch the page and read it; `at` is the moment that the record will bear."""
    try:
        page = await http.get(guard, url, client=client)
        read = await asyncio.to_thread(_read, page) if page.status // 100 == 2 else {"words": ""}
    except ConnectorError as error:
        return Sight(PageState.UNSEEN, 0, str(error))
    except isolation.Cut as cut:
        return Sight(PageState.UNSEEN, 0, f"页面内容解析不了：{cut}")
    return _seen(page, url, at, read)


def _seen(page: http.Page, url: str, at: datetime, read: dict[str, Any]) -> Sight:
    words = str(read["words"])
    if page.status in GONE:
        return Sight(PageState.GONE, page.status, f"页面已不存在（{page.status}）")
    if page.status // 100 != 2:
        return Sight(PageState.UNSEEN, page.status, f"服务器答 {page.status}，看不到内容")
    if len(words) < _SHORT and (said := _SAYS_GONE.search(words)):
        return Sight(PageState.GONE, page.status, f"页面写着“{said[0]}”")
    text = main_text(words)
    return Sight(
        PageState.TAKEN,
        page.status,
        "",
        text,
        hashlib.sha256(page.body).hexdigest(),
        hashlib.sha256(text.encode()).hexdigest(),
        warc.record(url, at, page.status, page.headers, page.body) if len(page.body) <= MAX_PAGE else b"",
        parse_iso(read["published_at"]) if read["published_at"] else None,
        words,
    )


# ── in a process of its own ───────────────────────────────────────────────────────────────────


@functools.cache
def _pool() -> isolation.Pool:
    pool = isolation.Pool("connectors.watch:isolated_job", size=1)
    atexit.register(pool.close)
    return pool


def _read(page: http.Page) -> dict[str, Any]:
    """The page's words and stated time. Raises isolation.Cut when it took too long."""
    declared = _CHARSET.search(page.headers.get("content-type", ""))
    request = {"charset": declared[1] if declared else None}
    answer: dict[str, Any] = _pool().run(request, page.body, PARSE_LIMIT_S)
    return answer


def isolated_job(request: dict[str, Any], body: bytes) -> dict[str, Any]:
    """What runs in the isolated process: a page's bytes → its words, and when it says it came out."""
    markup = encodings.decode(body, request["charset"])
    words = plaintext.from_html(markup)
    return {"words": words, "published_at": _published(markup, words)}


def _published(markup: str, words: str) -> str | None:
    for found in (_STATED.search(markup[:200_000]), _PRINTED.search(words)):
        try:
            moment = parse_when(found[1]) if found else None
        except ValueError:
            moment = None
        if moment is not None:
            return iso(moment)
    return None
