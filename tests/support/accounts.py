"""A site with accounts, served on loopback, whose real time is moved by hand.

    with signing_site(tmp_path) as office:
        office.account("chen", "officer", person="chen")
        browser = office.browser()
        browser.sign_in("chen")

Hashing is as cheap as argon2 allows, by the site's own settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from flows.office import accounts as rooms
from flows.office.access import Access
from flows.office.desk import Desk
from flows.wiring import House
from models.ledger.store import Store
from support.console import served
from support.sites import ENVIRON, write_site

CHEAP = {"time_cost": 1, "memory_kib": 8, "parallelism": 1}
PASSWORD = "four words of a song"
CROSS = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}


@dataclass
class Wall:
    """The real time, as far as the test lets it pass."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **length: float) -> None:
        self.now += timedelta(**length)


class Browser:
    """Cookies, and the header with which a browser says that a request comes from our own page."""

    def __init__(self, url: str) -> None:
        self.web = httpx.Client(base_url=url, headers={"sec-fetch-site": "same-origin"}, timeout=60)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.web.get(path, **more)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self.web.post(path, data=dict(data or {}), **more)

    def sign_in(self, name: str, password: str = PASSWORD, back: str = "/") -> httpx.Response:
        return self.post("/login", {"name": name, "password": password, "back": back})

    @property
    def session(self) -> str:
        return self.web.cookies.get("huiying_session") or ""


@dataclass
class SigningSite:
    url: str
    desk: Desk
    wall: Wall
    browsers: list[Browser] = field(default_factory=list)

    @property
    def access(self) -> Access:
        return self.desk.access

    def browser(self) -> Browser:
        self.browsers.append(Browser(self.url))
        return self.browsers[-1]

    def signed_in(self, name: str) -> Browser:
        browser = self.browser()
        assert browser.sign_in(name).status_code == 303
        return browser

    def account(
        self, name: str, *roles: str, person: str = "", units: Sequence[str] = (), password: str = PASSWORD
    ) -> None:
        said = {"roles": ",".join(roles), "units": ",".join(units), "person": person}
        rooms.change(self.access, "add", name, {**said, "password": password, "own": "yes"}, "li")

    def change(self, act: str, name: str, **params: str) -> None:
        rooms.change(self.access, act, name, params, "li")

    def token(self, name: str, roles: str = "", days: int = 30) -> str:
        made: str = rooms.new_token(self.access, name, "热线系统", roles, days, name)["secret"]
        return made

    def with_token(self, token: str) -> httpx.Client:
        bearer = {"authorization": f"Bearer {token}"}
        browser = Browser(self.url)
        browser.web.headers = httpx.Headers(bearer)
        self.browsers.append(browser)
        return browser.web

    def kinds(self) -> list[str]:
        """The kinds of the journal's entries, oldest first."""
        with self.desk.house.store.read() as conn:
            from models.ledger import journal

            return [row["kind"] for row in journal.entries(conn)]


@cache
def _empty() -> bytes:
    """A migrated database without a row, made once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "huiying.sqlite"
        store = Store(f"sqlite:///{file}")
        store.migrate()
        store.close()
        return file.read_bytes()


@contextmanager
def signing_site(folder: Path, access: Mapping[str, Any] | None = None, **site: Any) -> Iterator[SigningSite]:
    """`access`: further settings of site.yaml's access; `site`: of site.yaml itself."""
    settings = {"mode": "accounts", "hashing": CHEAP, **(access or {})}
    written = write_site(folder / "site", "http://127.0.0.1:9", site={"access": settings, **site})
    file = written / "huiying.sqlite"
    if not file.exists():
        file.write_bytes(_empty())
    with House.open(written, ENVIRON) as house:
        desk, wall = Desk(house), Wall()
        desk.access = Access(desk, wall)
        with served(desk) as url:
            house.port = int(url.rpartition(":")[2])
            office = SigningSite(url, desk, wall)
            try:
                yield office
            finally:
                for browser in office.browsers:
                    browser.web.close()
