"""The composition root: the one place where the parts of a site are put together."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from connectors import channels as channel_registry
from connectors.http import Guard, agent_of
from connectors.ports import Channel
from flows import timekeeping
from flows.rulebook import Rules
from flows.timekeeping import Timepiece
from models.core.workdays import Calendar
from models.ledger import onelinks
from models.ledger.lookover import Lookover
from models.ledger.store import Store
from playbooks.book import Library
from playbooks.holidays import calendar_of, stamp
from playbooks.problem import Problems
from playbooks.site import Site, load_site

if TYPE_CHECKING:
    from flows.judging.sorting import Sorter
    from flows.watching.matters import Matters
    from flows.watching.pages_read import PageReader
    from models.classify.attention import Attention
    from models.classify.judge import Judge
    from models.core.topics import Tree


UNNAMED = "cli"
"""The actor of a command that named nobody."""


@dataclass
class House:
    """A site with its database, its time and its channels. Open one per process; `close()` it."""

    site: Site
    store: Store
    time: Timepiece
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    port: int | None = None
    sorter: Sorter | None = field(default=None, repr=False)
    pages: PageReader | None = field(default=None, repr=False)
    sorted_to: int = 0
    sorted_for: int = 0
    sorting: Lock = field(default_factory=Lock, repr=False)
    lookover: Lookover | None = field(default=None, repr=False)
    matters: Matters | None = field(default=None, repr=False)
    calendar_stamp: int = field(init=False)

    def __post_init__(self) -> None:
        self.calendar_stamp, self._calendar = stamp(self.site.directory), self.site.calendar
        self.store.archive = self.archive

    @classmethod
    def open(cls, directory: Path, environ: Mapping[str, str] | None = None) -> House:
        """Read the site, bring the schema up to date, and take the time the database knows.

        Raises `Problems` (the site's files) or `LedgerError` (the database).
        """
        environ = os.environ if environ is None else environ
        site = load_site(directory, environ)
        store = Store(site.database_url)
        store.migrate()
        return cls(site, store, timekeeping.read(store), environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for channel in self.__dict__.get("channels", {}).values():  # only those that were ever opened
            channel.close()
        self.store.close()

    @cached_property
    def channels(self) -> dict[str, Channel]:
        return channel_registry.build_all(self.site.channels, self.site.secrets, timekeeping.world(self.time))

    @cached_property
    def judge(self) -> Judge:
        from models.classify.judge import Judge  # heavy: only those who triage pay for it

        return Judge.load()

    @cached_property
    def tree(self) -> Tree | None:
        """The site's own classification of topics, made ready once."""
        from models.core.topics import Tree

        return Tree(self.site.topics, self.judge.rarity) if self.site.topics else None

    @cached_property
    def attention(self) -> Attention:
        from models.classify.attention import Attention  # heavy too, and only for hot-search lists

        return Attention.load()

    @cached_property
    def names(self) -> dict[str, str]:
        """person id → name, for everything people are shown."""
        return {person.id: person.name for person in self.site.roster.people} | {
            "huiying": "系统",
            UNNAMED: "命令行(未署名)",
        }

    @cached_property
    def source_names(self) -> dict[str, str]:
        """source id → name."""
        registered = self.site.sources
        groups = (registered.feeds, registered.tickets, registered.official)
        return {source.id: source.name for group in groups for source in group}

    @cached_property
    def called(self) -> dict[str, str]:
        """person, unit, neighbour or clock → name, for what is read; whoever acts is looked up in `names`.
        Made anew when another version of a playbook comes into force (`Rules.library`)."""
        others = {f"neighbour:{one.id}": one.name for one in self.site.neighbours}
        clocks = {
            f"clock:{clock.rule.id}": clock.rule.name
            for book in self.library.playbooks
            for clock in book.clocks
        }
        return {unit.id: unit.name for unit in self.site.roster.units} | others | clocks | self.names

    @cached_property
    def guard(self) -> Guard:
        said = self.site.http
        return Guard(allow_hosts=frozenset(said.allow_hosts), agent=agent_of(self.site.name, said.contact))

    @cached_property
    def link_key(self) -> bytes:
        """What one-use links are signed with: drawn once for this database, then the same for every process."""
        with self.store.read() as conn:
            kept = onelinks.key(conn)
        if kept is not None:
            return kept
        with self.store.write() as conn:
            return onelinks.draw(conn, secrets.token_bytes(32))

    @property
    def state_dir(self) -> Path:
        """Where a site keeps what is not the ledger: $HUIYING_STATE, else beside its database, else under
        the site."""
        if self.environ.get("HUIYING_STATE"):
            return Path(self.environ["HUIYING_STATE"])
        if self.store.sqlite and self.store.url.database:
            return Path(self.store.url.database).resolve().parent
        return self.site.directory / "var"

    @property
    def archive(self) -> Path:
        """Where the files of months lie that have left the database."""
        said = self.site.retention.folder
        return self.site.directory / said if said else self.state_dir / "archive"

    @property
    def public_url(self) -> str:
        """Where people reach the board, for links in messages."""
        if self.site.console.public_url:
            return self.site.console.public_url.rstrip("/")
        host = self.site.console.host
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        return f"http://{shown}:{self.port or self.site.console.port}"

    @property
    def host_names(self) -> tuple[str, ...]:
        """By which names people may call the console; addresses and short names need none."""
        shown = urlsplit(self.public_url).hostname or ""
        return (shown, self.site.console.host, *self.site.console.names)

    @property
    def calendar(self) -> Calendar:
        """The site's working days, read anew when holidays.yaml has changed: next year's arrives while
        we run. A file that cannot be read changes nothing; lint and doctor say what is wrong with it."""
        seen = stamp(self.site.directory)
        if seen != self.calendar_stamp:
            with suppress(Problems):
                self._calendar = calendar_of(self.site.directory)
            self.calendar_stamp = seen
        return self._calendar

    @cached_property
    def rules_for(self) -> Rules:
        """The clocks that the playbooks call for, now or as an incident was frozen on them."""
        return Rules(self)

    @property
    def library(self) -> Library:
        """The playbooks in force now."""
        return self.rules_for.library

    def renamed(self) -> None:
        """Other playbooks are in force: what their clocks are called is asked anew."""
        self.__dict__.pop("called", None)
