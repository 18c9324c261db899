"""Every obligation of the five seed documents has a line; what a line names is really there."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from fastapi import APIRouter
from fastapi.routing import APIRoute

from connectors.console import pages
from flows.cli import app as cli
from playbooks.obligations import Obligation, obligations, obligations_page
from playbooks.shelf import shipped_playbooks
from playbooks.trace import facts
from support.cli import Cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "义务对照.md"
SITE_FILES = {"site.yaml", "sources.yaml", "plans.yaml", "roster.yaml", "channels.yaml"}
ROWS = obligations()


def test_every_obligation_has_exactly_one_line() -> None:
    wanted = [fact for fact in facts().grades if fact.startswith("S-")]
    assert Counter(row.id for row in ROWS) == Counter(wanted)


def test_every_line_says_by_what_and_how_or_why_not() -> None:
    silent = [row.id for row in ROWS if bool(row.without) == bool(list(row.means) and row.how)]
    assert silent == []


def test_every_command_that_a_line_names_exists() -> None:
    known = {command.name for command in cli.registered_commands} | {
        group.name for group in cli.registered_groups
    }
    assert _unknown(lambda row: row.command, known) == []


def test_every_page_that_a_line_names_exists() -> None:
    assert _unknown(lambda row: row.page, set(_pages())) == []


def test_every_playbook_and_site_file_that_a_line_names_exists() -> None:
    assert _unknown(lambda row: row.playbook, {draft.playbook.id for draft in shipped_playbooks([])}) == []
    assert _unknown(lambda row: row.file, SITE_FILES) == []


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == obligations_page(), (
        "run: huiying library --duties docs/义务对照.md"
    )


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    Cli(tmp_path).json("library", "--duties", str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == obligations_page()


def _unknown(named: Callable[[Obligation], Sequence[str]], known: set[str]) -> list[tuple[str, str]]:
    return [(row.id, one) for row in ROWS for one in named(row) if one not in known]


def _pages() -> Iterator[str]:
    for module in pkgutil.iter_modules(pages.__path__):
        router = getattr(importlib.import_module(f"{pages.__name__}.{module.name}"), "router", None)
        for route in router.routes if isinstance(router, APIRouter) else ():
            if isinstance(route, APIRoute) and "GET" in route.methods:
                yield route.path
