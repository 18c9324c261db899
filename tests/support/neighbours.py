"""Two installations that know each other: a county and the city above it, each with its database and its console on a
real port, and somebody between them who may drop or change what goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

import httpx2

from connectors import neighbours, sealing
from flows.office.desk import Desk
from flows.telling import lines
from flows.telling.couriers import Courier
from flows.telling.tries import Tries
from flows.timekeeping import Timepiece
from flows.wiring import House
from models.core.levels import Kind, letter
from models.core.moment import iso
from models.ledger import levels_rows
from models.ledger.verify import verify
from support.console import served
from support.ports import free_port
from support.processes import Process, huiying
from support.sites import ENVIRON, write_site

NOBODY = "http://127.0.0.1:9"


@dataclass
class Between:
    """A proxy on the way to one console: `change` may rewrite what goes there, `then` happens once it is there,
    `lose` drops so many answers, `instead` is answered by nobody else, with `status`."""

    target: str
    change: Callable[[bytes], bytes] = lambda body: body
    then: Callable[[], None] = lambda: None
    lose: int = 0
    instead: bytes | None = None
    status: int = 200
    seen: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def carry(self, path: str, body: bytes) -> tuple[int, bytes] | None:
        self.seen.append(body)
        if self.instead is not None:
            return self.status, self.instead
        answer = httpx2.post(f"{self.target}{path}", content=self.change(body), timeout=30)
        self.answers.append(answer.content)
        self.then()
        if self.lose:
            self.lose -= 1
            return None
        return answer.status_code, answer.content


@contextmanager
def between(target: str) -> Iterator[tuple[str, Between]]:
    """Its address, and the proxy."""
    proxy = Between(target)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = proxy.carry(self.path, body)
            if found is None:
                self.close_connection = True
                return
            self.send_response(found[0])
            self.send_header("Content-Length", str(len(found[1])))
            self.end_headers()
            self.wfile.write(found[1])

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests' own words are enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", proxy
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Shifted:
    """A site's time that stands off another by so much."""

    piece: Timepiece
    by: timedelta
    speed: float = 1.0
    jump: timedelta | None = None

    def now(self) -> datetime:
        return self.piece.now() + self.by


@dataclass
class Town:
    """One installation."""

    house: House
    url: str
    key: str

    @property
    def desk(self) -> Desk:
        return Desk(self.house)

    def courier(self, number: int = 0) -> Courier:
        return Courier(self.house, self.house.site.neighbours[number])

    def carry(self) -> int:
        """Every letter that is due to the first neighbour goes out now, whatever pause it was in."""
        self.hurry()
        return self.courier().step()

    def hurry(self) -> None:
        """As if the time had come at which the neighbour is asked again."""
        neighbour = self.house.site.neighbours[0]
        with self.house.store.write() as conn:
            lines.keep(conn, neighbour, replace(lines.standing(conn, neighbour), next_at=None))

    def later(self, **length: float) -> None:
        """So much time passes here, or, where it is less than nothing, our clock is slow."""
        self.house.time = Shifted(self.house.time, timedelta(**length))

    def standing(self) -> Tries:
        with self.house.store.read() as conn:
            return lines.standing(conn, self.house.site.neighbours[0])

    def opened(self, title: str = "望江路路面塌陷，有人员被困", hours: float = 7.0, grade: str = "II") -> str:
        """An incident that was discovered so many hours ago."""
        began = self.house.time.now() - timedelta(hours=hours)
        given = {"title": title, "grade": grade, "discovered_at": iso(began), "first_public_at": iso(began)}
        return str(self.desk.act("open", "", given, "chen")["id"])

    def refer(self, incident: str, to: str, purpose: str = "transfer") -> dict[str, Any]:
        """The referral that the act made."""
        said = {"to": to, "purpose": purpose, "reason": "跨区处置，请市里办理"}
        referrals: list[dict[str, Any]] = self.desk.work.act("refer", incident, said, "li")["referrals"]
        return referrals[0]

    def referrals(self, incident: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.work.overview(incident)["referrals"]
        return found

    def came(self) -> dict[str, Any]:
        """The newest referral that came here."""
        found = self.desk.levels.overview()["referrals"]
        return next(one for one in found if one["way"] == "in")

    def clocks(self, incident: str) -> dict[str, dict[str, Any]]:
        """rule → the clock as it stands, the newest of each rule."""
        return {clock["id"]: clock for clock in self.desk.seen(incident)["clocks"]}

    def verified(self) -> None:
        found = verify(self.house.store, self.house.time.now())
        assert found["ok"], found["findings"]


@dataclass
class Pair:
    """`county` is below `city`; `way_up` is who stands between, on the county's way to the city."""

    county: Town
    city: Town
    way_up: Between


@contextmanager
def pair(
    folder: Path,
    databases: tuple[str, str],
    city: str = "临江市",
    others: Sequence[str] = (),
    **settings: Any,
) -> Iterator[Pair]:
    """Both towns, open and served. `city`: what the county calls it; `others`: further lower ones that the city
    knows, at which nobody answers; `settings`: further keys of `levels`."""
    keys = [sealing.new_key(), sealing.new_key()]
    ports = [free_port(), free_port()]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    with ExitStack() as stack:
        up, way_up = stack.enter_context(between(urls[1]))
        towns = [
            _opened(folder / "county", databases[0], "county", keys[0],
                    _neighbour("city", city, "upper", up, keys[1]), "临江县", settings),
            _opened(folder / "city", databases[1], "city", keys[1],
                    _neighbour("county", "临江县", "lower", urls[0], keys[0]), "临江市", settings, others),
        ]  # fmt: skip
        for house, port in zip(towns, ports, strict=True):
            stack.enter_context(house)
            stack.enter_context(served(Desk(house), port))
        yield Pair(Town(towns[0], urls[0], keys[0]), Town(towns[1], urls[1], keys[1]), way_up)


def post(town: Town, raw: bytes) -> httpx2.Response:
    return httpx2.post(f"{town.url}/hooks/levels", content=raw, timeout=30)


def sealed(
    both: Pair, body: dict[str, Any], number: str = "n1", kind: Kind = Kind.PARCEL, **more: Any
) -> bytes:
    """A letter of the county's own hand, whatever it says."""
    said = letter(number, kind, "county", "city", both.county.house.time.now(), body) | more
    return neighbours.seal(said, both.county.key)


def said_back(both: Pair, number: str, kind: Kind, body: dict[str, Any]) -> bytes:
    """A letter of the city's own hand."""
    return neighbours.seal(
        letter(number, kind, "city", "county", both.city.house.time.now(), body), both.city.key
    )


def given(both: Pair) -> dict[str, Any]:
    """A true parcel's body."""
    return parcel_of(both.county, both.county.refer(both.county.opened(), "city"))


def parcel_of(town: Town, referral: dict[str, Any]) -> dict[str, Any]:
    with town.house.store.read() as conn:
        return levels_rows.parcel_of(levels_rows.get(conn, referral["id"]))


def receipt(referral: str, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "referral": referral, "state": "accepted", "at": "2026-11-22T10:00:00+08:00", "by": "某人", "reason": "",
        "receipt": "x-1", "incident": None, "ref": None, "taken": [],
    }  # fmt: skip
    return said | more


class TownWorker(Process):
    """`huiying worker deliver` of a town, in a process of its own; it is killed with the test."""

    def __init__(self, town: Town) -> None:
        directory = town.house.site.directory
        line = huiying("worker", "deliver", "--site", str(directory))
        super().__init__(line, directory / "worker.log", HUIYING_LEVELS_KEY=town.key)

    def __enter__(self) -> Self:
        return self


def _neighbour(name: str, called: str, relation: str, url: str, key: str) -> dict[str, Any]:
    public = sealing.public_of(key)
    return {"id": name, "name": called, "relation": relation, "url": url, "public_key": public}


def _opened(
    folder: Path,
    database: str,
    name: str,
    key: str,
    neighbour: dict[str, Any],
    called: str,
    settings: dict[str, Any],
    others: Sequence[str] = (),
) -> House:
    nobody = [
        _neighbour(f"lower-{n}", one, "lower", NOBODY, sealing.new_key()) for n, one in enumerate(others, 1)
    ]
    levels = {"id": name, "private_key": "${HUIYING_LEVELS_KEY}", **settings}
    more = {"name": called, "levels": levels, "neighbours": [neighbour, *nobody]}
    write_site(folder, NOBODY, database=database, site=more)
    return House.open(folder, ENVIRON | {"HUIYING_LEVELS_KEY": key})
