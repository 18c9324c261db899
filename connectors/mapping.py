"""One row or message → one signal: the column mapping is guessed, shown, and the same everywhere.

Files of tickets, posted JSON and Kafka messages all pass through `from_message`.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors import plaintext
from connectors.times import parse_when
from models.core.signals import RawSignal, Rejected
from models.core.text import storable_json
from models.core.vocabulary import Medium

MAX_RAW = 64_000  # characters of a rejected row kept for the dead letters
MAX_COLUMNS = 200
METRICS = ("reads", "reposts", "likes", "comments")

# What each of our fields is called out there, the likeliest first; compared without spaces and marks.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "id", "留言编号", "工单编号", "工单号", "受理编号", "信件编号", "诉求编号", "事件编号", "帖子编号", "编号",
        "ticketid", "ticketno", "externalid", "mid", "guid", "uuid",
    ),
    "title": (
        "title", "留言主题", "留言标题", "工单标题", "诉求标题", "信件标题", "新闻标题", "标题", "主题", "subject",
    ),
    "body": (
        "body", "留言详情", "留言内容", "工单内容", "诉求内容", "来电内容", "信件内容", "反映内容", "问题描述",
        "微博正文", "正文", "内容", "详情", "描述", "text", "content", "description",
    ),
    "author": (
        "user", "留言用户", "用户", "来电人", "诉求人", "反映人", "留言人", "作者", "昵称", "author", "username",
    ),
    "published_at": (
        "publishedat", "留言时间", "来电时间", "受理时间", "登记时间", "诉求时间", "来信时间", "发布时间", "创建时间",
        "提交时间", "时间", "日期", "time", "createdat", "date", "datetime", "publishtime",
    ),
    "occurred_at": ("occurredat", "事发时间", "发生时间"),
    "place": (
        "place", "事发地址", "事发地点", "诉求地址", "发生地址", "地点", "区域", "所属区域", "所属区县", "区县", "属地",
        "地址", "location", "area", "region", "address",
    ),
    "url": ("url", "链接", "网址", "原文链接", "link", "href"),
    "channel": ("channel", "渠道", "来源渠道", "诉求渠道", "受理渠道", "来源", "平台", "媒体类型", "medium"),
    "source": ("source", "sourceid"),
    "reads": ("reads", "阅读数", "阅读量", "浏览量", "点击量", "views"),
    "reposts": ("reposts", "转发数", "转发量", "转发", "shares", "nrepost"),
    "likes": ("likes", "点赞数", "点赞量", "点赞"),
    "comments": ("comments", "评论数", "评论量", "评论", "回复数", "跟帖数"),
    "metrics": ("metrics",),
}  # fmt: skip
_KNOWN = {name: (rank, field) for field, names in _NAMES.items() for rank, name in enumerate(names)}
# names out there have prefixes without end (市民诉求具体内容): the tail tells
_TAILS = (
    ("编号", "id"), ("单号", "id"), ("标题", "title"), ("主题", "title"), ("内容", "body"), ("详情", "body"),
    ("正文", "body"), ("描述", "body"), ("地址", "place"), ("地点", "place"),
)  # fmt: skip
# our side's answers are not what the public said
_OURS = ("答复", "回复", "办理", "处理", "办结", "reply", "answer", "承办", "反馈")
_MEDIA: tuple[tuple[str, Medium], ...] = (
    ("weibo", Medium.WEIBO), ("微博", Medium.WEIBO), ("wechat", Medium.WECHAT), ("微信", Medium.WECHAT),
    ("公众号", Medium.WECHAT), ("douyin", Medium.VIDEO), ("抖音", Medium.VIDEO), ("快手", Medium.VIDEO),
    ("video", Medium.VIDEO), ("视频", Medium.VIDEO), ("hot_search", Medium.HOT_SEARCH), ("热搜", Medium.HOT_SEARCH),
    ("forum", Medium.FORUM), ("论坛", Medium.FORUM), ("贴吧", Medium.FORUM), ("bbs", Medium.FORUM),
    ("leader_mailbox", Medium.MAILBOX), ("信箱", Medium.MAILBOX), ("site_error", Medium.SITE_ERROR),
    ("找错", Medium.SITE_ERROR), ("message", Medium.MESSAGE), ("留言", Medium.MESSAGE),
    ("cac_notice", Medium.CAC_NOTICE), ("网信", Medium.CAC_NOTICE),
    ("hotline", Medium.HOTLINE), ("热线", Medium.HOTLINE), ("12345", Medium.HOTLINE), ("电话", Medium.HOTLINE),
    ("来电", Medium.HOTLINE), ("manual", Medium.MANUAL), ("人工", Medium.MANUAL), ("news", Medium.NEWS),
    ("媒体", Medium.NEWS), ("新闻", Medium.NEWS),
)  # fmt: skip


class RowError(ValueError):
    """A row that cannot be read; the words name the field and the form wanted."""


@dataclass(frozen=True, slots=True)
class Mapping_:  # noqa: N801  (Mapping is a word of the standard library's)
    """Which column feeds which field, and which columns are left aside.

    `headers`: of a saved one, all columns of the table that it was made for.
    """

    columns: dict[str, str]
    ignored: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return "title" in self.columns or "body" in self.columns

    def shown(self) -> str:
        """For the person who imports: one line per field, then what is not used."""
        lines = [f"{field} ← {column}" for field, column in self.columns.items()]
        return "\n".join([*lines, f"未使用: {'、'.join(self.ignored)}"] if self.ignored else lines)


def guess_mapping(headers: Iterable[object]) -> Mapping_:
    """The likeliest mapping of column names to fields; never raises."""
    return _guess(tuple(str(header) for header in headers if header is not None and str(header).strip()))


@functools.lru_cache(maxsize=256)
def _guess(headers: tuple[str, ...]) -> Mapping_:
    best: dict[str, tuple[int, str]] = {}
    for header in headers[:MAX_COLUMNS]:
        found = _field_of(_plain(header))
        if found and (found[1] not in best or found[0] < best[found[1]][0]):
            best[found[1]] = (found[0], header)
    columns = {field: best[field][1] for field in _NAMES if field in best}
    return Mapping_(columns, tuple(header for header in headers if header not in columns.values()))


def _plain(header: str) -> str:
    header = unicodedata.normalize("NFKC", header[:80]).lower()
    return re.sub(r"\([^)]*\)|[\W_]", "", header)


def _field_of(name: str) -> tuple[int, str] | None:
    if name in _KNOWN:
        return _KNOWN[name]
    if any(word in name for word in _OURS):
        return None
    return next(((100, field) for tail, field in _TAILS if name.endswith(tail)), None)


def from_message(
    message: Mapping[str, Any],
    *,
    source_id: str,
    medium: Medium = Medium.HOTLINE,
    mapping: Mapping_ | None = None,
) -> RawSignal:
    """One message as a signal.

    Fields by the contract of `triage --jsonl` (id, title, body, text, channel, source,
    published_at, place, metrics) or by the names that Chinese systems use. A missing id becomes a
    hash of the content. Raises RowError (a ValueError).
    """
    mapping = mapping or guess_mapping(message)
    cell = {field: message.get(column) for field, column in mapping.columns.items()}
    title, body = plaintext.clean(_words(cell, "title"), 1_000), plaintext.clean(_body(message, cell))
    if not (title or body):
        raise RowError(f"没有标题也没有内容（这些列里: {_named(message)}）；请补上其中一项")
    published = _time(cell, "published_at", mapping)
    author = plaintext.clean(_words(cell, "author"), 200)
    return RawSignal(
        source_id=_source(source_id, _words(cell, "source")),
        external_id=_words(cell, "id").strip()[:500] or _content_id(title, body, author, published),
        medium=medium_of(_words(cell, "channel"), medium),
        title=title,
        body=body,
        url=_words(cell, "url").strip()[:2_000] or None,
        author=author or None,
        published_at=published,
        place=plaintext.clean(_words(cell, "place"), 200) or None,
        metrics=_metrics(cell),
        occurred_at=_time(cell, "occurred_at", mapping),
    )


def accept(
    message: object,
    place: str,
    *,
    source_id: str,
    medium: Medium = Medium.HOTLINE,
    mapping: Mapping_ | None = None,
    raw: str | None = None,
) -> RawSignal | Rejected:
    """`from_message` for streams: what cannot be read comes back as Rejected and nothing raises.

    `place` is where the row stood (file:line, topic/partition@offset)."""
    try:
        if not isinstance(message, Mapping):
            raise RowError(f"一行应是带字段名的对象，这里是{_kind(message)}")
        return from_message(message, source_id=source_id, medium=medium, mapping=mapping)
    except (ValueError, RecursionError) as error:
        whole = raw if raw is not None else json.dumps(message, ensure_ascii=False, default=str)
        return Rejected(place, f"{place}: {error}", shorten(whole), _fields(message, medium, mapping))


def _fields(message: object, medium: Medium, mapping: Mapping_ | None) -> dict[str, Any] | None:
    """What mending and replaying a row takes; nothing for rows without columns and for enormous ones."""
    if not isinstance(message, Mapping):
        return None
    try:
        row = storable_json({name: value for name, value in message.items() if str(name).strip()})
        size = len(json.dumps(row, ensure_ascii=False))
    except (ValueError, RecursionError):
        return None
    columns = (mapping or guess_mapping(row)).columns
    return {"row": row, "columns": columns, "medium": medium.value} if size <= MAX_RAW else None


_JSON_ZH = {
    "Expecting value": "这里缺少值",
    "Expecting property name": "键要用双引号括起",
    "Expecting ':'": "这里缺少冒号",
    "Expecting ','": "这里缺少逗号",
    "Extra data": "后面多出内容",
    "Unterminated string": "文字没有收尾的引号",
    "Invalid control character": "文字里有控制字符",
    "Invalid \\": "反斜杠的写法不对",
    "Illegal trailing comma": "多了逗号",
}


def json_trouble(error: ValueError | RecursionError) -> str:
    """What the JSON reader found wrong, in the words of those who must mend it."""
    said = getattr(error, "msg", "") or str(error)
    if isinstance(error, RecursionError):
        return "嵌套太深"
    return next((words for english, words in _JSON_ZH.items() if said.startswith(english)), said)


_LISTS = ("data", "rows", "items", "records", "list", "result", "tickets", "posts")


def rows_in(found: object) -> list[object] | None:
    """The rows of a JSON document: a list, an object that holds one under a usual name, or one row."""
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        return None
    named = next((found[key] for key in _LISTS if isinstance(found.get(key), list)), None)
    if named is not None:
        return list(named)
    return [found] if guess_mapping(found).usable else None


def shorten(raw: str) -> str:
    """A rejected text for the dead letters, whole unless it is enormous, then with a visible mark."""
    return raw if len(raw) <= MAX_RAW else f"{raw[:MAX_RAW]}…（截去 {len(raw) - MAX_RAW:,} 个字符）"


def medium_of(channel: str, default: Medium) -> Medium:
    """A channel's name in any wording → our medium; never OFFICIAL: what a row says of itself does not
    make it our own publication, which alone can stop a clock. That is for sources.yaml to say."""
    channel = channel[:100].lower()
    return next((medium for word, medium in _MEDIA if word in channel), default)


def _words(cell: Mapping[str, Any], field: str) -> str:
    """A cell as text: 24.0 of a spreadsheet is the number 24, ="0012" is the text 0012."""
    value = cell.get(field)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        raise RowError(f"{field} 应是文字，这里是{_kind(value)}")
    text = str(value)
    return text[2:-1] if text.startswith('="') and text.endswith('"') else text


def _body(message: Mapping[str, Any], cell: Mapping[str, Any]) -> str:
    body = _words(cell, "body")
    return body if body.strip() else _words(message, "text")


def _time(cell: Mapping[str, Any], field: str, mapping: Mapping_) -> datetime | None:
    try:
        return parse_when(cell.get(field))
    except ValueError as error:
        raise RowError(f"列 “{mapping.columns[field]}”: {error}") from None


def _source(source_id: str, named: str) -> str:
    """A message may name its source only inside ours: it cannot speak for another."""
    named = named.strip()[:100]
    return f"{source_id}:{named}" if named and named != source_id else source_id


def _content_id(title: str, body: str, author: str, published: datetime | None) -> str:
    words = "\x1f".join((title, body, author, published.isoformat() if published else ""))
    return "sha256:" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:40]


def _metrics(cell: Mapping[str, Any]) -> dict[str, int]:
    given = cell.get("metrics") or {}
    if not isinstance(given, Mapping):
        raise RowError(f'metrics 应是 {{"reads": 12}} 这样的对象，这里是{_kind(given)}')
    counts = {name: _count(name, given.get(name, cell.get(name))) for name in METRICS}
    return {name: count for name, count in counts.items() if count is not None}


_COUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(万|w|亿)?\+?")


def _count(name: str, value: object) -> int | None:
    """12, "1,024", "3.2万", "10万+" → a count."""
    text = str(value if value is not None else "").replace(",", "").strip().lower()
    if not text:
        return None
    found = _COUNT.fullmatch(text)
    if found is None or isinstance(value, bool):
        raise RowError(f"{name} 应是个数，这里是 “{text[:40]}”")
    return int(float(found[1]) * {"万": 1e4, "w": 1e4, "亿": 1e8}.get(found[2] or "", 1))


def _named(message: Mapping[str, Any]) -> str:
    return "、".join(str(key)[:40] for key in list(message)[:12]) or "一列也没有"


def _kind(value: object) -> str:
    names = {list: "列表", dict: "对象", str: "文字", type(None): "空值", bool: "真假值"}
    return names.get(type(value), "数字")
