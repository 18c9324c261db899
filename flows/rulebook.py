"""Which playbooks hold now, and which an incident is held to: the playbooks' answer for the ledger.

By default the files of the site are in force as they were read. Where the site asks for review
(`playbooks: {review: true}`), its own ones come from the ledger: reviewed by a second person, each from
its time on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from models.core.situation import Situation
from models.ledger import books
from models.ledger.books import Current
from models.ledger.clocks import BoundRule
from playbooks.book import Library, Playbook
from playbooks.problem import Problem, Problems
from playbooks.shelf import Draft
from playbooks.versions import chain_of, in_force, keeping, own_of, thawed

if TYPE_CHECKING:
    from flows.wiring import House

log = structlog.get_logger(__name__)


class Rules:
    """`models.ledger.books.Rulebook` over a house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._seen: tuple[str, ...] | None = None
        self._library = house.site.library
        self._drafts: tuple[Draft, ...] = ()
        self._problems: tuple[Problem, ...] = ()

    def own(self) -> Sequence[Draft]:
        """The site's own playbooks that are in force: its files, or what was reviewed of them."""
        if not self.house.site.review:
            return own_of(self.house.site.directory)
        _ = self.library
        return self._drafts

    def left_out(self) -> tuple[Problem, ...]:
        """What is wrong with reviewed playbooks that are not in force for it."""
        _ = self.library  # read anew when another version has come into force
        return self._problems

    @property
    def library(self) -> Library:
        """What is in force now; read anew only when another version has come into force."""
        if not self.house.site.review:
            return self.house.site.library
        with self.house.store.read() as conn:
            rows = books.in_force(conn, self.house.time.now())
        seen = tuple(row.id for row in rows)
        if seen != self._seen:
            chain = chain_of(self.house.site.directory, self.house.site.profile)
            texts = [(f"{row.playbook}@{row.version}", row.content) for row in rows]
            self._library, self._drafts, self._problems = in_force(chain, texts)
            self._seen = seen
            self.house.renamed()
            for problem in self._problems:
                log.warning("reviewed_playbook_left_out", problem=str(problem))
        return self._library

    def __call__(self, situation: Situation) -> Sequence[BoundRule]:
        """The clocks that the playbooks call for, each with its playbook's version."""
        return self._bound(self.library, situation)

    def current(self) -> Mapping[str, Current]:
        return {book.id: Current(book.version, book.content) for book in self.library.playbooks}

    def keeping(self, held: Mapping[str, str], content: Callable[[str], str | None]) -> books.RulesFor:
        """The rules with these versions."""
        kept = self.library_of(held, content)
        return lambda situation: self._bound(kept, situation)

    def library_of(self, held: Mapping[str, str], content: Callable[[str], str | None]) -> Library:
        """The playbooks with these versions; content is fetched for those alone that differ from today's."""
        library = self.library
        now = {book.id: book.version for book in library.playbooks}
        older = (
            _thawed(name, content(version)) for name, version in held.items() if now.get(name) != version
        )
        return keeping(library, [book for book in older if book is not None])

    def _bound(self, library: Library, situation: Situation) -> Sequence[BoundRule]:
        calendar = self.house.calendar
        return [
            BoundRule(rule, book.id, book.version, book.ack_valid, calendar)
            for book, rule in library.rules(situation)
        ]


def _thawed(name: str, content: str | None) -> Playbook | None:
    """The frozen one; where this release cannot read it, today's stands in its place, said aloud."""
    try:
        return thawed(content) if content is not None else None
    except Problems as unreadable:
        log.error("frozen_playbook_unreadable", playbook=name, why=str(unreadable))
        return None
