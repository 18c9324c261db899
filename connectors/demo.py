"""The demonstration's public: a told story, served as feeds, pages and tickets.

Everything here is a function of the time since the story began; no clock is read. The feeds differ
as real ones do: RSS 2.0, Atom, GB18030, a title in Traditional characters.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from xml.etree import ElementTree as ET

from connectors.ports import Refused
from models.core.moment import iso, local, parse_duration
from models.core.vocabulary import Medium

TICKETS = "hotline"
_SLASH = "http://purl.org/rss/1.0/modules/slash/"
_ATOM = "http://www.w3.org/2005/Atom"
_MOMENT = re.compile(r"\[\[(P[0-9DTHMS]+)]]")
_FEED_PATH = re.compile(r"/feeds/([a-z]+)\.xml")
_PAGE_PATH = re.compile(r"/items/([a-z]+-\d+)")


class Dress(NamedTuple):
    """How one feed looks from outside."""

    name: str
    format: str  # rss | atom
    encoding: str


FEEDS = {
    "news": Dress("临江新闻网", "rss", "utf-8"),
    "weibo": Dress("临江同城微博", "rss", "utf-8"),
    "forum": Dress("临江论坛", "atom", "gb18030"),
    "official": Dress("临江发布", "rss", "utf-8"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody says. `thread` names the story it belongs to; the river never sees it."""

    id: str
    at: timedelta
    via: str
    title: str
    body: str
    place: str | None = None
    thread: str | None = None
    metrics: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Act:
    """What the duty desk does: `act` is a command of contract.md, `about` words of an incident's title."""

    at: timedelta
    act: str
    by: str
    about: tuple[str, ...]
    reason: str
    grade: str | None = None
    into: tuple[str, ...] = ()  # for a merge: words of the title of the incident that stays


@dataclass(frozen=True, slots=True)
class Story:
    """All items and acts, in order of time."""

    city: str
    items: tuple[Item, ...]
    acts: tuple[Act, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From a parsed story.yaml. Raises Refused, which names the entry."""
        items = [_item(number, entry) for number, entry in enumerate(_entries(data, "items"), 1)]
        acts = [_act(number, entry) for number, entry in enumerate(_entries(data, "people"), 1)]
        return cls(
            city=str(data.get("city", "")),
            items=tuple(sorted(items, key=lambda item: item.at)),
            acts=tuple(sorted(acts, key=lambda act: act.at)),
        )

    @property
    def length(self) -> timedelta:
        moments = [item.at for item in self.items] + [act.at for act in self.acts]
        return max(moments, default=timedelta(0))

    def until(self, via: str, since_start: timedelta) -> tuple[Item, ...]:
        """What has been said through `via` by then, oldest first."""
        return tuple(item for item in self.items if item.via == via and item.at <= since_start)

    def acts_between(self, after: timedelta, until: timedelta) -> tuple[Act, ...]:
        """Acts later than `after`, up to and with `until`: each falls into one such span only."""
        return tuple(act for act in self.acts if after < act.at <= until)


def _entries(data: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    found = data.get(key) or []
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise Refused(f"story.yaml: {key!r} must be a list of entries with keys")
    return found


def _item(number: int, entry: Mapping[str, Any]) -> Item:
    place, via = f"story.yaml: items[{number}]", _text(f"story.yaml: items[{number}]", entry, "via")
    if via not in (*FEEDS, TICKETS):
        raise Refused(f"{place}: no way in called {via!r}; there are: {', '.join((*FEEDS, TICKETS))}")
    return Item(
        id=f"{via}-{number}",
        at=_at(place, entry),
        via=via,
        title=_text(place, entry, "title"),
        body=_text(place, entry, "body"),
        place=entry.get("place"),
        thread=entry.get("thread"),
        metrics={str(name): int(count) for name, count in (entry.get("metrics") or {}).items()},
    )


def _act(number: int, entry: Mapping[str, Any]) -> Act:
    place = f"story.yaml: people[{number}]"
    about = entry.get("about")
    if not isinstance(about, list) or not about:
        raise Refused(f"{place}: 'about' must be a list of words of an incident's title")
    return Act(
        at=_at(place, entry),
        act=_text(place, entry, "act"),
        by=_text(place, entry, "by"),
        about=tuple(map(str, about)),
        reason=_text(place, entry, "reason"),
        grade=entry.get("grade"),
        into=tuple(map(str, entry.get("into") or ())),
    )


def _at(place: str, entry: Mapping[str, Any]) -> timedelta:
    try:
        return parse_duration(_text(place, entry, "at"))
    except ValueError as error:
        raise Refused(f"{place}: {error}") from None


def _text(place: str, entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{place}: {key!r} is missing; write {key}: …")
    return value.strip()


def told(text: str, base: datetime) -> str:
    """`text` with each [[PT2H]] as that moment of the story: 21日4时13分."""

    def moment(mark: re.Match[str]) -> str:
        when = local(base + parse_duration(mark[1]))
        return f"{when.day}日{when.hour}时" + (f"{when.minute}分" if when.minute else "")

    return _MOMENT.sub(moment, text)


def feed_xml(
    story: Story, feed: str, since_start: timedelta, base: datetime, site: str = "http://127.0.0.1:8788"
) -> bytes:
    """The feed as it stands `since_start` after the story's `base`, newest first, in its own encoding.

    `site` is where the items' pages are. Raises KeyError for a feed that FEEDS does not have.
    """
    dress = FEEDS[feed]
    items = story.until(feed, since_start)[::-1]
    root = (_atom if dress.format == "atom" else _rss)(dress, feed, items, base, site)
    return bytes(ET.tostring(root, encoding=dress.encoding, xml_declaration=True))


def _rss(dress: Dress, feed: str, items: Iterable[Item], base: datetime, site: str) -> ET.Element:
    ET.register_namespace("slash", _SLASH)
    root = ET.Element("rss", version="2.0")
    channel = _child(root, "channel")
    _child(channel, "title", dress.name)
    _child(channel, "link", f"{site}/feeds/{feed}.xml")
    _child(channel, "description", f"{dress.name}：演示来源，内容均为虚构")
    for item in items:
        entry = _child(channel, "item")
        _child(entry, "title", told(item.title, base))
        _child(entry, "link", f"{site}/items/{item.id}")
        _child(entry, "guid", item.id, isPermaLink="false")
        _child(entry, "pubDate", format_datetime(local(base + item.at)))
        _child(entry, "description", f"<p>{escape(told(item.body, base))}</p>")
        if "comments" in item.metrics:
            _child(entry, f"{{{_SLASH}}}comments", str(item.metrics["comments"]))
    return root


def _atom(dress: Dress, feed: str, items: Iterable[Item], base: datetime, site: str) -> ET.Element:
    # the namespace is a plain attribute here: ElementTree would give it a prefix, which feeds in
    # the wild do not have
    root = ET.Element("feed", xmlns=_ATOM)
    items = list(items)
    _child(root, "title", dress.name)
    _child(root, "id", f"{site}/feeds/{feed}.xml")
    _child(root, "updated", iso(base + (items[0].at if items else timedelta(0))))
    for item in items:
        entry = _child(root, "entry")
        _child(entry, "title", told(item.title, base))
        _child(entry, "link", href=f"{site}/items/{item.id}")
        _child(entry, "id", f"urn:linjiang:{item.id}")
        _child(entry, "updated", iso(base + item.at))
        _child(entry, "published", iso(base + item.at))
        _child(entry, "author").append(_named("name", "匿名网友"))
        _child(entry, "content", told(item.body, base), type="text")
    return root


def _child(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _named(tag: str, text: str) -> ET.Element:
    element = ET.Element(tag)
    element.text = text
    return element


def tickets_until(story: Story, since_start: timedelta, base: datetime) -> list[dict[str, Any]]:
    """The hotline's tickets up to then, oldest first, as rows of tickets JSONL.

    {id, title, body, place, published_at, channel}: only ever longer, so that a caller may append
    what is new or write the whole again; ids stay.
    """
    return [_ticket(item, base) for item in story.until(TICKETS, since_start)]


def _ticket(item: Item, base: datetime) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": told(item.title, base),
        "body": told(item.body, base),
        "place": item.place,
        "published_at": iso(base + item.at),
        "channel": Medium.HOTLINE.value,
    }


def page_html(item: Item, base: datetime) -> bytes:
    """The page that an item's link leads to: what a snapshot of evidence keeps."""
    title, body = escape(told(item.title, base)), escape(told(item.body, base))
    source = FEEDS[item.via].name if item.via in FEEDS else item.via
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{escape(source)} <time>{iso(base + item.at)}</time></p><p>{body}</p></html>\n"
    ).encode()


class Page(NamedTuple):
    """One answer of the demonstration's server."""

    status: int
    content_type: str
    body: bytes


def answer(story: Story, path: str, since_start: timedelta, base: datetime, site: str) -> Page:
    """What `path` shows at that time: a feed, an item that has been published, or a 404 in words."""
    if (feed := _FEED_PATH.fullmatch(path)) and feed[1] in FEEDS:
        kind = "atom" if FEEDS[feed[1]].format == "atom" else "rss"
        return Page(200, f"application/{kind}+xml", feed_xml(story, feed[1], since_start, base, site))
    if page := _PAGE_PATH.fullmatch(path):
        shown = (item for item in story.items if item.id == page[1] and item.via != TICKETS)
        if (item := next(shown, None)) and item.at <= since_start:
            return Page(200, "text/html; charset=utf-8", page_html(item, base))
    return Page(404, "text/plain; charset=utf-8", "没有这一页；可看 /feeds/news.xml\n".encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    demo: DemoServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that leaves in the middle is no news; everything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one write
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Quiet: the demonstration's log tells of people, not of polls."""

    def do_GET(self) -> None:
        page = self.server.demo.page(self.path)
        tag = f'"{hashlib.sha256(page.body).hexdigest()[:16]}"'
        same = page.status == 200 and self.headers.get("If-None-Match") == tag
        body = b"" if same else page.body
        self.send_response(304 if same else page.status)
        self.send_header("ETag", tag)
        if not same:
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815  (the base class's name)


class DemoServer:
    """Serves a story on loopback: /feeds/{news,weibo,forum,official}.xml and /items/{id}.

    `now` is the demonstration's (accelerated) clock; `started_at` is the story's moment zero. Port 0
    takes a free one. Raises Refused when the port is taken. Start it with `start` or `with`.
    """

    def __init__(
        self, story: Story, now: Callable[[], datetime], started_at: datetime, port: int = 8788
    ) -> None:
        self._story, self._now, self._started_at = story, now, started_at
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise Refused(
                f"port {port} of the demonstration's feeds is taken ({error.strerror}); "
                "stop the other demonstration, or change the port in sources.yaml"
            ) from None
        self._server.demo = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="demo-feeds", daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def page(self, path: str) -> Page:
        return answer(self._story, path, self._now() - self._started_at, self._started_at, self.url)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=5)
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
