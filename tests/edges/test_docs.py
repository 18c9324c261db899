"""The documents against what they speak of: drawings, pictures, commands, links."""

from __future__ import annotations

import asyncio
import re
import shlex
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from sqlalchemy import event
from sqlmodel import SQLModel
from typer.core import TyperGroup

from connectors.ports import ConnectorError
from flows.cli import app
from flows.duty import DUTIES
from flows.processes.loop import ClockLoop
from models.ledger.journal import entries
from models.ledger.store import LedgerError
from support.cli import Cli
from support.codegraph import ROOT, Code, Touch
from support.drawing import DOCS, PICTURES, drawings, duties, storeys_met, touches
from support.furnished import furnished
from support.river_site import Site, at, river

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_BYTES = 150_000
MADE = {"docs/预案作者.md: playbooks/flood.yaml", "docs/architecture.md: tests/output/bench.json"}
"""What a page lets its reader make, and what a run leaves."""
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def code() -> Code:
    return Code()


@pytest.fixture(scope="module")
def drawn(code: Code) -> dict[str, Touch]:
    return touches(code)


# ── the drawings ──────────────────────────────────────────────────────────────────────────────


def test_the_drawings_are_those_that_the_code_gives(code: Code) -> None:
    old = [name for name, svg in drawings(code).items() if (DOCS / name).read_text(encoding="utf-8") != svg]
    assert not old, f"{old} no longer show the code: run `make docs` and look at them"


def test_every_duty_of_the_program_is_drawn(code: Code) -> None:
    assert duties(code).keys() >= DUTIES.keys()


NOT_WORK = (
    "flows.duty.",
    "flows.holders.",
    "flows.processes.",
    "flows.triage.note_good",
    "flows.telling.slack_duties.",
)
"""What the loop calls to keep itself going; Slack's threads do what people do."""


def test_every_thread_of_the_clock_loop_is_drawn(code: Code) -> None:
    loop = code.reach("flows.processes.loop.ClockLoop") & {
        f"flows.processes.loop.ClockLoop.{name}" for name in vars(ClockLoop)
    }
    called = {one for name in loop for one in code.calls(name) if one.startswith("flows.")}
    drawn = frozenset[str]().union(*(code.reach(*starts) for starts in duties(code).values()))
    assert {one for one in called - drawn if not one.startswith(NOT_WORK)} == set()


def test_no_import_between_storeys_runs_up(code: Code) -> None:
    down = {("flows", "connectors"), ("flows", "playbooks"), ("flows", "models")}
    assert storeys_met(code).keys() <= down | {("connectors", "models"), ("playbooks", "models")}


@contextmanager
def overheard(site: Site) -> Iterator[tuple[set[str], set[str]]]:
    """What the database is asked for meanwhile: tables read, tables written."""
    read, written = set[str](), set[str]()

    def hear(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        written.update(_after(statement, r"INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM"))
        read.update(_after(statement, r"FROM|JOIN"))

    event.listen(site.house.store.engine, "before_cursor_execute", hear)
    try:
        yield read, written
    finally:
        event.remove(site.house.store.engine, "before_cursor_execute", hear)


def _after(statement: str, words: str) -> set[str]:
    named = set(re.findall(rf"(?:{words})\s+\"?(\w+)\"?(?![\w.(])", statement))
    return named & SQLModel.metadata.tables.keys()


def test_a_duty_at_work_touches_no_table_that_is_not_drawn_for_it(
    tmp_path: Path, drawn: dict[str, Touch]
) -> None:
    with river(tmp_path, f"sqlite:///{tmp_path / 'huiying.sqlite'}") as site:
        furnished(site)
        site.say("news", "化工园区爆炸", "滨江化工园区爆炸，已致3人死亡、11人受伤，现场有刺鼻气味。")
        for hours in range(6):
            site.time.moment = at("02:30") + timedelta(hours=hours)
            for name, spec in DUTIES.items():
                with overheard(site) as (read, written):
                    asyncio.run(_worked(site, name))
                assert written <= drawn[name].writes, (name, spec)
                assert read <= drawn[name].reads | drawn[name].writes, (name, spec)
        with site.house.store.read() as conn:
            kinds = {row["kind"] for row in entries(conn)}
    assert {"incident_opened", "step_raised", "alert_accepted"} <= kinds  # something did happen
    assert kinds <= {kind for touch in drawn.values() for kind in touch.kinds}


async def _worked(site: Site, name: str) -> None:
    try:
        await DUTIES[name].work(site.house)
    except (LedgerError, ConnectorError) as error:  # what it found wrong is not asked here
        assert str(error)


# ── pictures ──────────────────────────────────────────────────────────────────────────────────


def test_every_picture_is_shown_somewhere_and_light_to_load() -> None:
    shown = {path.name for page in PAGES for path, _ in _targets(page) if path.parent == PICTURES}
    assert {path.name for path in PICTURES.iterdir()} == shown
    heavy = {
        path.name: path.stat().st_size for path in PICTURES.glob("*.png") if path.stat().st_size > MOST_BYTES
    }
    assert not heavy


# ── the author's guide, followed ──────────────────────────────────────────────────────────────


def test_the_first_hour_of_an_author_goes_as_the_guide_prints_it(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "预案作者.md").read_text(encoding="utf-8")
    flood, people, tests = (_block(guide, key) for key in ("id: flood", "happens:", "tests:"))
    cli = Cli(tmp_path / "site")
    assert cli("init", str(cli.site)).code == 0
    (cli.site / "playbooks").mkdir(exist_ok=True)
    (cli.site / "playbooks" / "flood.yaml").write_text(flood, encoding="utf-8")
    (cli.site / "playbooks" / "flood.test.yaml").write_text(tests, encoding="utf-8")
    beside = {"快慢.yaml": people, "旧.yaml": flood, "新.yaml": flood.replace("PT2H", "PT1H30M")}
    for name, content in beside.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    with chdir(tmp_path):
        assert [cli("lint").code, cli("lint", "site").code, cli("test", "site").code] == [0, 0, 0]
        for named in ("simulate flood", "diff 旧.yaml"):
            command, printed = _session(guide, named)
            said = cli(*command)
            assert said.code == 0, said.err
            assert [line for line in printed if line not in (said.out + said.err).splitlines()] == []


def _blocks(page: str) -> list[tuple[str, str]]:
    """(language, text) of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def _block(guide: str, key: str) -> str:
    """The first YAML block that has this key."""
    return next(text for kind, text in _blocks(guide) if kind == "yaml" and f"\n{key}" in text)


def _session(guide: str, start: str) -> tuple[list[str], list[str]]:
    """A command that the guide shows with its output: its words, the lines below it."""
    text = next(text for _, text in _blocks(guide) if text.startswith(f"$ huiying {start}"))
    command, *printed = text.splitlines()
    return shlex.split(command)[2:], printed


# ── links ─────────────────────────────────────────────────────────────────────────────────────


def test_every_link_between_our_pages_leads_somewhere() -> None:
    dead = [
        f"{page.relative_to(ROOT)}: {path.name}#{anchor}"
        for page in PAGES
        for path, anchor in _targets(page)
        if not path.exists() or (anchor and anchor not in _anchors(path))
    ]
    assert not dead


PLACE = re.compile(r"(?<![\w/.])((?:tests|models|flows|connectors|playbooks|deploy|docs)/[\w./-]+)")


def test_every_file_that_a_page_names_is_there() -> None:
    gone = {
        f"{page.relative_to(ROOT)}: {place}"
        for page in PAGES
        if page.name != "CHANGELOG.md"
        for place in PLACE.findall(page.read_text(encoding="utf-8"))
        if not any((ROOT / f"{place.rstrip('./-')}{ending}").exists() for ending in ("", ".py"))
    }
    assert gone - MADE == set()


def _targets(page: Path) -> Iterator[tuple[Path, str]]:
    """The files (and anchors in them) that a page links to or shows."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = unquote(target).partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@cache
def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and its like make them."""
    said = FENCED.sub("", page.read_text(encoding="utf-8"))
    return {_slug(heading) for heading in re.findall(r"^#+ (.+)$", said, re.MULTILINE)}


def _slug(heading: str) -> str:
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    kept = [letter for letter in plain if letter in " -_" or unicodedata.category(letter)[0] in "LN"]
    return "".join(kept).replace(" ", "-")


# ── commands ──────────────────────────────────────────────────────────────────────────────────

HUIYING = re.compile(
    r"^(?P<before>.*?(?:^|[\s(]))?(?<![A-Za-z] )(?:\.venv/bin/)?huiying (?![A-Z])(?P<rest>.*)$"
)
CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Line:
    """A command as a page has it: what follows `huiying`; in a comment, words of the comment may follow it."""

    page: str
    rest: str
    block: bool
    comment: bool


def _commands() -> Iterator[Line]:
    """Each command in a code span or block of the guides."""
    for page in PAGES:
        if page.name == "CHANGELOG.md":  # it tells of what was
            continue
        said = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = [text for _, text in _blocks(said)]
        spans = re.findall(r"`([^`\n]+)`", FENCED.sub("", said))
        pieces = [(line, True) for block in blocks for line in block.splitlines()]
        for piece, block in [*pieces, *((span, False) for span in spans)]:
            if found := HUIYING.match(piece):
                yield Line(page.name, found["rest"], block, "#" in (found["before"] or ""))


def test_the_guides_are_full_of_commands() -> None:
    assert len({line.rest for line in _commands()}) > 150


def test_every_command_in_the_guides_is_one_of_the_program() -> None:
    root = typer.main.get_command(app)
    wrong = {
        f"{line.page}: huiying {line.rest}: {why}" for line in _commands() if (why := _refused(root, line))
    }
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("rest", ["frobnicate", "board --colour", "account add a b", "show --site"])
def test_a_command_that_the_program_would_refuse_is_noticed(rest: str) -> None:
    assert _refused(typer.main.get_command(app), Line("x.md", rest, block=True, comment=False))


def test_every_command_of_the_program_is_in_the_readme() -> None:
    said = (ROOT / "README.md").read_text(encoding="utf-8")
    table = said[said.index("## Commands at a glance") : said.index("## When a part is down")]
    named = {word for span in re.findall(r"`([^`]+)`", table) for word in re.findall(r"[\w-]+", span)}
    root: Any = typer.main.get_command(app)
    shown = {name for name, command in root.commands.items() if not command.hidden}
    assert shown <= named, f"README does not name {sorted(shown - named)}"


USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")


def _refused(root: Any, line: Line) -> str:
    """Why the program would not take this line; empty when it would."""
    words = _words(line)
    if all(word in root.commands for word in words):
        return ""  # several named together
    why = _parsed(root, words)
    if not line.block and why.endswith("requires an argument."):
        return ""  # an option spoken of
    return why and _parsed(root, [word for word in words if word != "…"])


def _parsed(root: Any, words: Sequence[str]) -> str:
    command, context, left = root, root.context_class(root, info_name="huiying"), list(words)
    while isinstance(command, TyperGroup) and left and left[0] in command.commands:
        command = command.commands[left.pop(0)]
        context = command.context_class(command, info_name=command.name, parent=context)
    if isinstance(command, TyperGroup) and left and not left[0].startswith("-"):
        return f"there is no command {left[0]}"
    try:
        _, more, _ = command.make_parser(context).parse_args(left)
    except USAGE as error:
        return str(error.format_message())
    return f"too much: {more}" if more else ""


def _words(line: Line) -> list[str]:
    """The words up to a pipe or a comment; brackets around what may be left out are dropped."""
    plain = re.sub(r"\$\([^)]*\)", "$", re.sub(r"[\[\]]", " ", line.rest))
    said = shlex.split(plain, comments=True)
    end = next((place for place, word in enumerate(said) if word in ("|", ">", "&&", ";", "<")), len(said))
    prose = [place for place, word in enumerate(said) if line.comment and CHINESE.match(word)]
    return said[: min([end, *prose])]
