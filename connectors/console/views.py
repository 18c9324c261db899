"""Templates, and the small sums that a drawing needs: how far along, how much is left."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, Undefined, make_logging_undefined
from starlette.responses import HTMLResponse

from connectors.console.desk import View
from connectors.console.highlights import pieces
from connectors.console.tongue import LANGUAGE, LANGUAGES, js_words, say
from connectors.uploads import ending
from models.core.labels import VALUES
from models.core.moment import deadline_face, local, parse_iso, span
from models.core.vocabulary import (
    OPEN_STATES,
    ClockState,
    Domain,
    EventType,
    EvidenceKind,
    Grade,
    OpinionKind,
    StartEvent,
)

HERE: Final = Path(__file__).parent
_OPEN: Final = frozenset(str(state) for state in OPEN_STATES)
_WEEKDAYS: Final = "一二三四五六日"
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_TICKS: Final = 24


@cache
def environment() -> Environment:
    """The one Jinja2 environment: everything is escaped; a missing value is logged, not fatal."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=make_logging_undefined(logging.getLogger(__name__), Undefined),
    )
    env.filters.update(filetype=filetype, size=size, box=box, pieces=pieces, lasting=lasting)
    env.filters.update(
        say=say, face=face, until=until, hm=hm, link=link, left=left, bar=bar, ms=ms, arranged=arranged
    )
    env.globals.update(
        _=say, js_words=js_words, languages=LANGUAGES, tongue=LANGUAGE.get, asset=asset, grades=tuple(Grade),
        evidence_kinds=EVIDENCE_KINDS, start_events=START_EVENTS,
        label_values=VALUES, opinion_kinds=tuple(OpinionKind), domains=tuple(Domain), event_types=tuple(EventType),
    )  # fmt: skip
    env.tests["open_clock"] = is_open
    return env


EVIDENCE_KINDS: Final = tuple(kind for kind in EvidenceKind if kind is not EvidenceKind.ACKNOWLEDGEMENT)
"""What a person may hand in as evidence; 签收 has its own button."""
START_EVENTS: Final = tuple(
    event for event in StartEvent if event.stated and event not in (StartEvent.ACK, StartEvent.GRADED)
)
"""The times that a person may correct; the others are our own doing."""


def page(name: str, status: int = 200, /, **context: Any) -> HTMLResponse:
    return HTMLResponse(environment().get_template(name).render(**context), status)


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark of its content so that it may be cached long."""
    mark = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


def face(moment: str | None, now: str | None = None) -> str:
    """For people: 02:13 on the day of `now`, else 11-21 02:13; — when unknown."""
    if not moment:
        return "—"
    at = parse_iso(moment)
    same_day = now is not None and parse_iso(now).date() == at.date()
    return f"{at:%H:%M}" if same_day else f"{at:%m-%d %H:%M}"


def until(moment: str, now: str | None = None) -> str:
    """A limit for people: as `face`, but midnight is 24:00 of the day that it ends."""
    ended = deadline_face(parse_iso(moment))
    return ended if ended.endswith("24:00") else face(moment, now)


def box(moment: str | None, end: bool = False) -> str:
    """A time that somebody asked for, as a browser's box of time takes it; a day is meant from 00:00, or
    with `end` to 23:59. "" for what is no time."""
    try:
        at = parse_iso(moment or "")
    except ValueError:
        return ""
    whole = len(moment or "") <= len("2026-11-21")
    return f"{at:%Y-%m-%dT23:59}" if end and whole else f"{at:%Y-%m-%dT%H:%M}"


def lasting(seconds: float | None) -> str:
    """A length of time in a word or two: 3 小时 12 分; — when unknown."""
    return "—" if seconds is None else span(abs(seconds)).strip()


def filetype(media_type: str) -> str:
    """PDF, PNG, DOCX, TXT: what a file is, in the word people know."""
    return ending(media_type).removeprefix(".").upper()


def size(count: int) -> str:
    """A file's size: 812 B, 24 KB, 3.1 MB."""
    if count < 1024:
        return f"{count} B"
    return f"{count / 1024:.0f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"


def hm(moment: datetime) -> str:
    """The wall clock's line: 11月21日 周六 02:13:05, or Sat 21 Nov 02:13:05."""
    at = local(moment)
    if LANGUAGE.get() == "en":
        return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at:%H:%M:%S}"
    return f"{at.month}月{at.day}日 周{_WEEKDAYS[at.weekday()]} {at:%H:%M:%S}"


def ms(moment: str) -> int:
    """Milliseconds since 1970, as JavaScript counts."""
    return round(parse_iso(moment).timestamp() * 1000)


def link(url: str | None) -> str | None:
    """`url` when a page may safely lead there (http or https with a host), else None."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def left(seconds: float) -> list[tuple[str, str]]:
    """A length of time as two number-unit pairs: 2 天 04 小时, 3 小时 12 分, 12 分 05 秒."""
    total = int(abs(seconds))
    days, hours, minutes = total // 86400, total // 3600 % 24, total // 60 % 60
    if days:
        return [(str(days), "天"), (f"{hours:02d}", "小时")]
    if hours:
        return [(str(hours), "小时"), (f"{minutes:02d}", "分")]
    return [(str(minutes), "分"), (f"{total % 60:02d}", "秒")]


def bar(clock: View, now: str) -> View:
    """Where things lie on a clock's bar, in percent of its width.

    The bar runs from the start to the limit; once past the limit it runs to now, and the limit
    moves left, so that the part that is too long is seen as such. A stopped clock ends where
    the evidence was published.
    """
    start, due = ms(clock["started_at"]), ms(clock["due_at"])
    ended = not is_open(clock) and clock["state"] != ClockState.ARMED
    at = ms(now) if not ended else ms(clock.get("met_at") or clock["due_at"])
    width = max(due, at, start + 1) - start

    def percent(moment: int) -> float:
        return round(min(max((moment - start) / width, 0), 1) * 100, 3)

    ticks = [
        {
            "x": percent(ms(s["due_at"])),
            "ms": ms(s["due_at"]),
            "key": s["key"],
            "mark": _mark(s),
            "at": s["due_at"],
        }
        for s in _shown(clock, due)
    ]
    return {"start": start, "due": due, "now": percent(at), "limit": percent(due), "ticks": ticks}


def _shown(clock: View, due: int) -> list[View]:
    """The steps worth a mark: not the limit's own, which has its line; of a stopped clock only
    those that happened; and no crowd of hourly repeats."""
    steps = [s for s in clock["steps"] if ms(s["due_at"]) != due]
    if not is_open(clock):
        steps = [s for s in steps if _mark(s) != "ahead"]
    return steps if len(steps) <= _MAX_TICKS else [s for s in steps if ms(s["due_at"]) < due]


def _mark(step: View) -> str:
    if step.get("skipped"):
        return "skipped"
    return "raised" if step.get("raised_at") else "ahead"


def is_open(clock: View) -> bool:
    return clock["state"] in _OPEN


def arranged(incidents: Iterable[View]) -> list[View]:
    """Overdue first, then by the limit that comes next; incidents without one come last."""
    return sorted((with_clocks_arranged(i) for i in incidents), key=_urgency)


def with_clocks_arranged(incident: View) -> View:
    """The open clocks first, each group by its limit."""
    clocks = sorted(incident["clocks"], key=lambda c: (not is_open(c), c["due_at"]))
    return {**incident, "clocks": clocks}


def _urgency(incident: View) -> tuple[bool, str, int]:
    open_clocks = [c for c in incident["clocks"] if is_open(c)]
    late = any(c["state"] == "breached" for c in open_clocks)
    return not late, min((c["due_at"] for c in open_clocks), default="~"), -Grade(incident["grade"]).rank
