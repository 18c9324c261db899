"""The demonstration: a told story arrives as feeds and tickets, and a few people act in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from connectors.console.desk import Refusal, Unknown, View
from connectors.demo import Act, DemoServer, Story, tickets_until
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import clock_face, iso, parse_iso
from models.ledger import duties
from playbooks.loader import load

log = structlog.get_logger()
KEY = "demonstration"
DID = {
    "ack": "签收",
    "grade": "定级",
    "update": "记录进展",
    "waive": "免除",
    "close": "办结",
    "merge": "把",
    "adopt": "采信凭据",
}
TICK_S = 0.2
PATIENCE = timedelta(hours=3)
"""How long, in the story's time, an act waits for its incident to be flagged."""


@dataclass
class Demonstration:
    """Serves the story of a site's `story.yaml` and lets its people act at their times."""

    house: House
    story: Story
    started_at: datetime
    acted_to: timedelta
    server: DemoServer
    tell: Callable[[str], object]
    waiting: list[Act] = field(default_factory=list)
    tickets: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def begin(cls, house: House, tell: Callable[[str], object]) -> Demonstration:
        """Start, or go on with, the site's story: its moment zero is kept in the ledger."""
        story = Story.from_dict(load(house.site.directory / "story.yaml").data)
        with house.store.write() as conn:
            kept = duties.get_setting(conn, KEY) or {"started_at": iso(house.time.now()), "acted_s": 0.0}
            duties.put_setting(conn, KEY, kept)
        started_at = parse_iso(kept["started_at"])
        server = DemoServer(story, house.time.now, started_at, _port(house))
        made = cls(house, story, started_at, timedelta(seconds=kept["acted_s"]), server, tell)
        server.start()
        made._write_tickets()
        threading.Thread(target=made._play, name="demonstration", daemon=True).start()
        return made

    @property
    def elapsed(self) -> timedelta:
        return self.house.time.now() - self.started_at

    def stop(self) -> None:
        self._stopped.set()
        self.server.stop()

    def _play(self) -> None:
        while not self._stopped.wait(TICK_S):
            self.pass_time()

    def pass_time(self) -> None:
        """What has happened in the story up to now: tickets written, people acted, a shift taken over."""
        self._write_tickets()
        self._let_people_act()
        self._take_over()

    def _write_tickets(self) -> None:
        """The hotline's export grows as calls come in."""
        rows = tickets_until(self.story, self.elapsed, self.started_at)
        for source in self.house.site.sources.tickets:
            if source.folder and (len(rows) != self.tickets or self.tickets == 0):
                folder = self.house.site.directory / source.folder
                folder.mkdir(parents=True, exist_ok=True)
                _replace(
                    folder / "hotline.jsonl",
                    "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
                )
        self.tickets = len(rows)

    def _let_people_act(self) -> None:
        until = self.elapsed
        self.waiting += self.story.acts_between(self.acted_to, until)
        self.acted_to = until
        self.waiting = [act for act in self.waiting if not self._act(act) and until - act.at < PATIENCE]
        with self.house.store.write() as conn:
            duties.put_setting(
                conn, KEY, {"started_at": iso(self.started_at), "acted_s": until.total_seconds()}
            )

    def _act(self, act: Act) -> bool:
        """True when it was done, or will never be possible."""
        desk = Desk(self.house)
        incidents = desk.board()["incidents"]
        incident = _about(incidents, act.about)
        into = _about([other for other in incidents if other is not incident], act.into)
        by = self._on_duty(act.by)
        if incident is None or by is None or (act.into and into is None):
            return False
        params = {"reason": act.reason, "grade": act.grade or "", "into": into["id"] if into else ""}
        try:
            desk.act(act.act, incident["id"], params, by)
        except (Refusal, Unknown) as error:
            log.info("the story's act was refused", act=act.act, by=by, reason=str(error))
            return True
        name, did = self.house.names.get(by, by), DID.get(act.act, act.act)
        joined = f" 并入 {into['ref']}" if into else ""
        self.tell(
            f"{clock_face(self.house.time.now())}  {name} {did} {incident['ref']}{joined}: {act.reason}"
        )
        return True

    def _take_over(self) -> None:
        """In the story whoever comes on duty is there."""
        desk = Desk(self.house)
        for one in desk.handover()["handovers"]:
            if one["waiting"]:
                desk.hand("accept", one["id"], {}, one["to"][0]["id"])
                self.tell(
                    f"{clock_face(self.house.time.now())}  {one['to'][0]['name']} 接班 {one['role_zh']}"
                )

    def _on_duty(self, role: str) -> str | None:
        """Who stands on that rung at this moment."""
        roster = self.house.site.roster
        rung = next((rung.rung for rung in roster.ladder if rung.role == role), 0)
        people = roster.on_duty(rung, self.house.time.now())
        return people[0].id if people else None


def _port(house: House) -> int:
    """The port that the site's feeds ask for: the story is served where sources.yaml looks."""
    ports = [urlsplit(feed.url).port for feed in house.site.sources.feeds]
    return next((port for port in ports if port), 8788)


def _about(incidents: list[View], words: tuple[str, ...]) -> View | None:
    """The first open incident whose title holds one of the words."""
    return next((i for i in incidents if any(word in i["title"] for word in words)), None)


def _replace(path: Path, text: str) -> None:
    """Write beside and rename, so that no reader sees half a file."""
    draft = path.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
