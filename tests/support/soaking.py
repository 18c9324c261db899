"""A soak: `huiying run` at the speed of a demonstration lives through weeks of ordinary days, and the memory of
each of its processes is looked at every day of the site.

`soak(Soak(…), folder, database)` gives the report; nothing is asserted here.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import linear_regression, mean
from typing import Any

import httpx2
from sqlalchemy import func, select

from connectors.console.desk import Refusal, Unavailable
from flows.office.desk import Desk
from flows.wiring import House
from models.core.moment import iso
from models.ledger.incidents import INCIDENT
from models.ledger.signals import SIGNAL
from models.ledger.store import LedgerError
from support import figures, texts
from support.inquest import verified
from support.ports import free_port
from support.processes import Run, family, resident_mb
from support.river_site import rss
from support.sites import ENVIRON, write_site
from support.voices import Stream
from support.web import Web
from support.witness import Witness

ROLES = (
    ("flows.cli run", "huiying run"), ("flows.cli serve", "Prefect side"), ("prefect", "Prefect server"),
)  # fmt: skip
PASSING = "prefect.engine"
"""Each run of a flow is a process of a few seconds: a helper."""
ROUNDS = 4
"""A day of the site comes in so many rounds of tickets, posts and acts."""
DAY = timedelta(days=1)
AUDITOR = "the auditor found trouble"
KEPT_OPEN = timedelta(hours=12)
FEED_HOLDS = 60
PAGES = (
    "/",
    "/mine",
    "/sources",
    "/roster",
    "/playbooks",
    "/audit",
    "/incidents/{one}",
    "/api/v1/board?limit=40",
)
WARM_UP = 1 / 3
"""Of the days: caches fill, the window of grouping (72 h) fills."""


@dataclass(frozen=True, slots=True)
class Soak:
    """`day_s`: real seconds in which a day of the site passes; `tickets`, `posts`, `incidents` a day."""

    days: int = 22
    day_s: float = 14.0
    tickets: int = 200
    posts: int = 80
    incidents: int = 8
    seed: int = 7

    @property
    def speed(self) -> float:
        return 86_400 / self.day_s


@dataclass
class Life:
    """The site, its people and its public."""

    soak: Soak
    site: Path
    url: str
    web: Web
    house: House
    refused: list[str] = field(default_factory=list)
    acts: int = 0
    closed: int = 0
    looks: int = 0
    said: list[tuple[str, str, datetime]] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.soak.seed)
        self.numbers = count()
        self.desk = Desk(self.house)
        self.grave = Stream(block=50, voices=3)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.slowest[what] = round(max(self.slowest.get(what, 0.0), time.monotonic() - began), 2)

    def round(self, client: httpx2.Client) -> None:
        """A quarter of a day."""
        self._tickets(self.soak.tickets // ROUNDS)
        self._posts(self.soak.posts // ROUNDS)
        for _ in range(self.soak.incidents // ROUNDS):
            self._open(client)
        self._close_old()
        self._look(client)

    def _tickets(self, many: int) -> None:
        now, lines = self.house.time.now(), []
        for _ in range(many):
            one = texts.ticket(next(self.numbers), now, self.dice, 0.0)
            row = {"id": one.external_id, "title": one.title, "body": one.body, "place": one.place}
            lines.append(json.dumps(row | {"published_at": iso(now)}, ensure_ascii=False))
        folder, name = self.site / "tickets", f"{next(self.numbers)}.jsonl"
        (folder / f".{name}").write_text("\n".join(lines), encoding="utf-8")
        (folder / f".{name}").replace(folder / name)

    def _posts(self, many: int) -> None:
        now = self.house.time.now()
        for _ in range(many):
            _, message = self.grave.message(next(self.numbers), now)
            self.said.append((message["title"] or message["body"][:40], message["body"], now))
        first = max(0, len(self.said) - FEED_HOLDS)
        page = rss(self.said[first:], self.web.url("/news"), first)
        self.web.page("/news.xml", page, {"Content-Type": "application/rss+xml"})

    def _open(self, client: httpx2.Client) -> None:
        params = {"title": f"第 {next(self.numbers)} 起", "grade": self.dice.choice(["II", "III", "III"])}
        made = self._do("open", "", params, "chen")
        if made is not None:
            self._acted(
                client.post(f"{self.url}/api/v1/incidents/{made['id']}/acts/ack", json={"by": "chen"})
            )

    def _acted(self, answer: httpx2.Response) -> None:
        self.acts += 1
        if answer.status_code != 200:
            self.refused.append(f"ack: {answer.status_code}")

    def _close_old(self) -> None:
        """What stands open for half a day is answered: every clock ends, every task is done with, it is closed."""
        before = self.house.time.now() - KEPT_OPEN
        query = select(INCIDENT.c.id).where(INCIDENT.c.closed_at.is_(None), INCIDENT.c.opened_at < before)
        with self.house.store.read() as conn:
            old = list(conn.execute(query).scalars())
        for incident in old:
            self._answer(incident)

    def _answer(self, incident: str) -> None:
        with self.timed("incident"):
            shown = self.desk.incident(incident)
        assert shown is not None
        for clock in shown["clocks"]:
            if clock["ended_at"] is None and clock["state"] != "armed":
                self._do("waive", incident, {"clock": clock["id"], "reason": "演练"}, "zhou")
        with suppress(Refusal), self.timed("drop"):
            self.desk.work.act("drop", incident, {"task": "all", "reason": "演练"}, "zhou")
        self.closed += self._do("close", incident, {"reason": "办完"}, "li") is not None

    def _do(self, act: str, incident: str, params: dict[str, str], by: str) -> dict[str, Any] | None:
        self.acts += 1
        try:
            with self.timed(act):
                return self.desk.act(act, incident, params, by)
        except (LedgerError, Refusal, Unavailable) as error:
            self.refused.append(f"{act} {incident}: {error}")
            return None

    def _look(self, client: httpx2.Client) -> None:
        with self.house.store.read() as conn:
            one = conn.execute(select(func.max(INCIDENT.c.id))).scalar() or ""
        for page in PAGES:
            with self.timed(page):
                status = client.get(self.url + page.format(one=one)).status_code
            self.looks += 1
            if status != 200:
                self.refused.append(f"{page}: {status}")


def soak(what: Soak, folder: Path, database: str | None, say: Callable[[str], object]) -> dict[str, Any]:
    """`database`: a URL; the site's own SQLite file where it is None."""
    port = free_port()
    with Witness() as witness, Web() as web:
        web.page("/news.xml", rss([], web.url("")), {"Content-Type": "application/rss+xml"})
        more = {"database": database} if database else {}
        site = write_site(
            folder / "site", witness.url, tickets="tickets", port=port, prefect=True,
            prefect_port=free_port(), per_minute=100_000, **more,
        )  # fmt: skip
        _sources(site, web)
        with Run(site, port, speed=what.speed, prefect=True) as run:
            run.wait_ready()
            with House.open(site, ENVIRON) as house, httpx2.Client(timeout=60) as client:
                life = Life(what, site, run.url, web, house)
                days = _live(life, run, client, say)
                counts = _counts(house)
            assert run.stop() == 0, run.words()
            checked = verified(site)
        return {
            "soak": asdict(what) | {"speed": what.speed, "engine": (database or "sqlite").split(":")[0]},
            "days": days,
            "slopes": slopes(days),
            "counts": counts | {
                "acts": life.acts, "closed": life.closed, "pages": life.looks, **witness.count(),
                "refused": len(life.refused),
            },
            "slowest, s": life.slowest,
            "alarms": _alarms(site),
            "refused": life.refused[:10],
            "verify": checked | {"findings": checked["findings"][:5]},
            "machine": figures.machine(),
        }  # fmt: skip


def _alarms(site: Path) -> dict[str, int]:
    """What the auditor found trouble with, how often: from the logs of both who may run it."""
    logs = [site / "run.log", *(site / "prefect").glob("runner.log")]  # who has nothing to say has no log
    lines = [line for log in logs for line in log.read_text(encoding="utf-8").splitlines() if AUDITOR in line]
    return dict(Counter(json.loads(line)["key"] for line in lines))


def _sources(site: Path, web: Web) -> None:
    feed = {
        "id": "news",
        "name": "临江新闻",
        "url": web.url("/news.xml"),
        "every": "PT1H",
        "every_max": "PT1H",
    }
    paper = json.loads((site / "sources.yaml").read_text(encoding="utf-8"))
    paper["tickets"][0]["every"] = "PT1H"
    (site / "sources.yaml").write_text(json.dumps(paper | {"feeds": [feed]}, ensure_ascii=False), "utf-8")


def _live(
    life: Life, run: Run, client: httpx2.Client, say: Callable[[str], object]
) -> list[dict[str, float]]:
    """Each day's memory by process, in MB. Who is late does not catch up: the day is the site's own."""
    days: list[dict[str, float]] = []
    began = life.house.time.now()
    while len(days) < life.soak.days:
        life.round(client)
        quarter = DAY / ROUNDS
        _wait_for(life.house, began + (1 + (life.house.time.now() - began) // quarter) * quarter)
        passed = (life.house.time.now() - began) / DAY
        if passed >= len(days) + 1:
            days.append({"day": round(passed, 1)} | memory(run.pid) | _size(life))
            say(_day_in_words(days[-1]))
        assert run.alive, run.words()
    return days


def _wait_for(house: House, moment: datetime) -> None:
    """Until the site's time is there."""
    while house.time.now() < moment:
        time.sleep(0.02)


def _size(life: Life) -> dict[str, float]:
    """How much there is."""
    with life.house.store.read() as conn:
        still = select(func.count()).where(INCIDENT.c.closed_at.is_(None))
        last = select(func.max(SIGNAL.c.id))
        return {
            "open": float(conn.execute(still).scalar_one()),
            "signals": float(conn.execute(last).scalar_one() or 0),
            "acts": float(life.acts),
        }


def _day_in_words(day: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {value:g}" if name == "day" else f"{name} {value:.0f}" for name, value in day.items()
    )


def memory(pid: int) -> dict[str, float]:
    """Resident MB by role; helpers that come and go are apart."""
    found: dict[str, float] = {}
    for one, line in family(pid).items():
        role = next((name for mark, name in ROLES if mark in line and PASSING not in line), "helpers")
        with suppress(OSError, StopIteration):
            found[role] = found.get(role, 0.0) + resident_mb(one)
    return found


def slopes(days: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """For each process that lived through: its mean MB after the warm-up, what it gained a day, and that over all
    those days in percent of the mean."""
    late = days[int(len(days) * WARM_UP) :]
    lived = [name for _, name in ROLES if all(name in day for day in late)]
    return {name: _slope([day["day"] for day in late], [day[name] for day in late]) for name in lived}


def _slope(days: list[float], megabytes: list[float]) -> dict[str, float]:
    gained = linear_regression(days, megabytes).slope
    grown = 100 * gained * (days[-1] - days[0]) / mean(megabytes)
    return {"mean MB": round(mean(megabytes), 1), "MB a day": round(gained, 3), "grown %": round(grown, 1)}


def _counts(house: House) -> dict[str, int]:
    with house.store.read() as conn:
        return {
            name: int(conn.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in (("signals", SIGNAL), ("incidents", INCIDENT))
        }
