"""An act that came with a key of its sender's is done once; one that waited for the line says so.

The key is kept in the act's own transaction, so that a crash leaves both or neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any

from connectors.console.desk import Refusal, View
from flows.office.handling import UNSAID, Desk, Params
from flows.wiring import House
from models.core.moment import clock_face
from models.ledger import doneonce, incidents
from models.ledger.doneonce import Asked
from models.ledger.store import Connection

WORTH_SAYING = timedelta(minutes=1)
LONGEST_WAIT_S = 7 * 86400


class Repeated(Exception):
    """This very act was done before, on the incident of that number."""

    def __init__(self, incident_id: str) -> None:
        super().__init__(incident_id)
        self.incident_id = incident_id


class Once:
    """A desk on which one act can be done: its first transaction keeps the key, and refuses a repeat."""

    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.house: House = desk.house
        self._desk, self._asked = desk, asked

    def now(self) -> datetime:
        return self._desk.now()

    def incident(self, incident_id: str) -> View | None:
        return self._desk.incident(incident_id)

    def face(self, incident_id: str) -> View:
        return self._desk.face(incident_id)

    def seen(self, incident_id: str) -> View:
        return self._desk.seen(incident_id)

    def preparing(self) -> AbstractContextManager[Connection]:
        return self._desk.preparing()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._desk.writing() as conn:
            done = doneonce.known(conn, self._asked)
            if done is not None:
                raise Repeated(done)
            yield conn
            doneonce.remember(conn, self.now(), self._asked)

    def write(self, what: Callable[..., Any], incident_id: str, *args: Any, **more: Any) -> Any:
        with self.writing() as conn:
            return what(conn, self.now(), incidents.get(conn, incident_id).id, *args, **more)


def keyed(desk: Desk, key: str, by: str, act: str, incident_id: str) -> Desk:
    """The desk itself for an act without a key. Raises NotAllowed for a key that is none."""
    if not key:
        return desk
    return Once(desk, Asked(doneonce.shaped(key), by, act, incident_id))


def as_said(name: str, params: Params, now: datetime, speed: float) -> Params:
    """`waited_s`, the seconds since the press, told behind the reason; the act itself counts from now (law 4). It
    is no reason by itself: an act that needs one is refused without (law 10)."""
    rest = {name: text for name, text in params.items() if name != "waited_s"}
    waited = timedelta(seconds=_seconds(params.get("waited_s", "0")) * speed)
    if waited < WORTH_SAYING * speed:
        return rest
    where = "text" if rest.get("text") else "reason"
    before = rest.get(where, "").strip() or UNSAID.get(name)
    said = f"{clock_face(now - waited)} 按下，当时断线，现在送达"
    return rest | {where: f"{before}({said})"} if before else rest


def _seconds(text: str) -> int:
    if not text.isdecimal() or len(text) > 7 or int(text) > LONGEST_WAIT_S:
        raise Refusal(f"“{text[:20]}” 不是等候的秒数(waited_s)；写成 90，最多 7 天")
    return int(text)
