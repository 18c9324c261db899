"""The board drawn once for all who look at it: parts with marks, so that what has not changed is sent to nobody.

A row's mark is of what it says, not of how much time is left: the page counts down by itself.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from connectors.console import tongue, views
from connectors.console.desk import Desk, View
from models.core.boards import Wanted
from models.core.moment import parse_iso

AGE_S: Final = 5.0
"""How old a drawing may be that is shown to somebody who comes, by this machine's time and by the site's; a new
revision makes it old at once. In between the page counts down by itself."""
REDRAWN: Final = timedelta(seconds=15)
"""After so long by the site's time even a row that says the same is drawn anew, for its bars have moved."""
MOST_LOOKS: Final = 64
REMEMBERED: Final = 32
"""Drawings of each look that a page may come back with and be told only what has changed since."""
_MOVING: Final = frozenset({"left_s", "fraction"})
_SHOWN: Final = 6
"""Lines of signals and of alerts beside the incidents."""


@dataclass(frozen=True, slots=True)
class Look:
    """Which board: what of it, in which language."""

    wanted: Wanted
    language: str = "zh"


@dataclass(frozen=True)
class Drawing:
    """The board at one moment. `parts`: id of an element → its HTML; `order`: the ids of the rows."""

    revision: int
    view: View
    parts: Mapping[str, str]
    marks: Mapping[str, str]
    order: tuple[str, ...]
    drawn_at: Mapping[str, str]
    digest: str
    taken: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """The event id: what a page that comes back says that it shows."""
        return f"{self.revision}-{self.digest}"

    def changes(self, marks: Mapping[str, str]) -> dict[str, str]:
        """The HTML of every part and row whose mark is not among `marks`."""
        return {name: html for name, html in self.parts.items() if marks.get(name) != self.marks[name]}


def draw(desk: Desk, look: Look, before: Drawing | None = None) -> Drawing:
    """The board as the desk tells it now; rows of `before` that say the same and are not old are kept.
    Of single incidents that are asked for by their ids the rows alone."""
    tongue.LANGUAGE.set(look.language)
    view = desk.board(look.wanted)
    incidents = [views.with_clocks_arranged(one) for one in view["incidents"]]
    sides = _sides(view) if look.wanted.ids is None else ()
    said = {**dict(sides), **{f"i-{one['id']}": one for one in incidents}}
    marks = {name: mark(content) for name, content in said.items()}
    kept = _kept(before, marks, view["now"])
    parts = {name: kept.get(name) or _html(name, content, view) for name, content in said.items()}
    when = before.drawn_at if before else {}
    return Drawing(
        view["revision"],
        view,
        parts,
        marks,
        tuple(f"i-{one['id']}" for one in incidents),
        {name: when[name] if name in kept else view["now"] for name in parts},
        mark([marks, view["found"]]),
    )


def _sides(view: View) -> Iterator[tuple[str, Any]]:
    """What stands around the rows, each with all that it shows."""
    signals = view["signals"]
    said, told = signals["last"][:_SHOWN], view["recent_alerts"][:_SHOWN]
    yield "b-strip", view["coverage"]
    yield "b-counts", [view["counts"], view["found"]]
    if not view["incidents"]:
        yield "b-calm", [view["coverage"], said[:1]]
    yield "b-feed", [signals["total"], signals["today"], said, told]


def _kept(before: Drawing | None, marks: Mapping[str, str], now: str) -> dict[str, str]:
    if before is None:
        return {}
    oldest = parse_iso(now) - REDRAWN
    return {
        name: before.parts[name]
        for name, found in marks.items()
        if before.marks.get(name) == found and oldest <= parse_iso(before.drawn_at[name]) <= parse_iso(now)
    }


def _html(name: str, content: Any, view: View) -> str:
    parts: Any = views.environment().get_template("board/parts.html").module
    if name.startswith("i-"):
        return str(parts.row(content, view["now"]))
    return str(getattr(parts, name.removeprefix("b-"))(view))


def mark(content: Any) -> str:
    """Eight bytes that are the same for the same content, also after a restart; of what moves by itself none."""
    return hashlib.sha256(json.dumps(_still(content), ensure_ascii=False, default=str).encode()).hexdigest()[
        :16
    ]


def _still(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _still(value) for key, value in content.items() if key not in _MOVING}
    return [_still(one) for one in content] if isinstance(content, list) else content


class Gallery:
    """The drawings that are looked at, each made once by whoever asks first. Thread-safe."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._guard = threading.Lock()
        self._locks: OrderedDict[Look, threading.Lock] = OrderedDict()
        self._drawn: dict[Look, Drawing] = {}
        self._marks: dict[Look, OrderedDict[str, Mapping[str, str]]] = {}

    def drawing(self, look: Look) -> Drawing:
        """The newest: of this revision, and not older than `AGE_S`."""
        with self._lock(look):
            known = self._drawn.get(look)
            if known is None or not self._fresh(known) or known.revision != self._desk.revision():
                known = self._drawn[look] = draw(self._desk, look, known)
                self._remember(look, known)
            return known

    def _fresh(self, drawing: Drawing) -> bool:
        passed = self._desk.now() - parse_iso(drawing.view["now"])
        allowed = timedelta(seconds=AGE_S * float(drawing.view["speed"]))
        return time.monotonic() - drawing.taken <= AGE_S and timedelta(0) <= passed <= allowed

    def marks(self, look: Look, digest: str) -> Mapping[str, str] | None:
        """What a drawing said that was made here not long ago; None when nobody knows any more."""
        kept = self._marks.get(look)
        return kept.get(digest) if kept else None

    def _remember(self, look: Look, drawing: Drawing) -> None:
        kept = self._marks.setdefault(look, OrderedDict())
        kept[drawing.digest] = drawing.marks
        kept.move_to_end(drawing.digest)
        while len(kept) > REMEMBERED:
            kept.popitem(last=False)

    def once(self, look: Look) -> Drawing:
        """One that nobody else will ask for."""
        return draw(self._desk, look)

    def _lock(self, look: Look) -> threading.Lock:
        """One for each look; the looks that nobody has asked for longest are forgotten."""
        with self._guard:
            found = self._locks.setdefault(look, threading.Lock())
            self._locks.move_to_end(look)
            while len(self._locks) > MOST_LOOKS:
                gone, _ = self._locks.popitem(last=False)
                self._drawn.pop(gone, None)
                self._marks.pop(gone, None)
            return found
