"""`huiying lint`: every problem of playbooks, profiles and sites, all in one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from playbooks.channels_paper import ChannelsSource
from playbooks.checked import checked
from playbooks.golden import GoldenSource, unknown_facts
from playbooks.grading_paper import SHIPPED as GRADING
from playbooks.grading_paper import GradingSource, loosening
from playbooks.holidays import HolidaysSource, odd
from playbooks.loader import Document, load
from playbooks.papers import SiteSource
from playbooks.plans import unsound as unsound_plans
from playbooks.plans_paper import PlansSource
from playbooks.problem import Problem, Problems
from playbooks.roster_paper import RosterSource
from playbooks.rota import dangling, doubled
from playbooks.schema import PlaybookSource, ProfileSource
from playbooks.secret import leaks
from playbooks.shelf import HOME, PROFILES, TESTS, Draft, laxer_than_national, read_profile, shelve
from playbooks.site import survey
from playbooks.sound import unsound
from playbooks.sources_paper import SourcesSource
from playbooks.trace import untraced

PAPERS: dict[str, type[BaseModel]] = {
    "site": SiteSource,
    "sources": SourcesSource,
    "channels": ChannelsSource,
    "roster": RosterSource,
    "plans": PlansSource,
    "holidays": HolidaysSource,
    "grading": GradingSource,
}


def lint(paths: Iterable[Path | str], now: datetime | None = None) -> list[Problem]:
    """Everything wrong under `paths`: a site (a directory with site.yaml), a directory of
    playbooks, or single files. Sorted, each problem once; warnings are marked as such. `now`: holes of
    a site's roster in the week that begins then are told too."""
    found: set[Problem] = set()
    for path in paths:
        found.update(_lint(Path(path), now))
    return sorted(found)


def _lint(path: Path, now: datetime | None) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(str(path), 1, 1, "没有这个文件或目录", "检查路径")
    elif path.is_dir() and (path / "site.yaml").is_file():
        yield from survey(path, None, now)[1]
        for file in sorted((path / "playbooks").glob(f"*{TESTS}")):
            yield from _file(file)
    elif path.is_dir():
        yield from _directory(path)
    else:
        yield from _file(path)


def _directory(path: Path) -> Iterator[Problem]:
    files = sorted(file for pattern in ("*.yaml", "*.yml") for file in path.rglob(pattern))
    if not files:
        yield Problem(str(path), 1, 1, "目录里没有 YAML 文件", "站点目录要有 site.yaml", True)
    for file in files:
        yield from _file(file)


def _file(path: Path) -> Iterator[Problem]:
    try:
        document = load(path)
        if path.stem in PAPERS:
            yield from _paper(path, document)
        elif path.name.endswith(TESTS):
            yield from unknown_facts(document, checked(GoldenSource, document))
        elif _is_profile(document, path):
            yield from _profile(path, document)
        else:
            yield from _playbook(document)
    except Problems as problems:
        yield from problems.problems


def _is_profile(document: Document, path: Path) -> bool:
    data = document.data if isinstance(document.data, dict) else {}
    return path.parent.name == "profiles" or "extends" in data or isinstance(data.get("clocks"), dict)


def _paper(path: Path, document: Document) -> Iterator[Problem]:
    yield from leaks(document)
    source = checked(PAPERS[path.stem], document)
    if isinstance(source, RosterSource):
        yield from dangling(document, source, _channels(path.parent))
    elif isinstance(source, PlansSource):
        yield from doubled(document, "plans", [plan.id for plan in source.plans])
        yield from doubled(document, "bursts", [rule.id for rule in source.bursts])
        yield from unsound_plans(document, source)
    elif isinstance(source, GradingSource):
        yield from () if path.resolve() == GRADING else loosening(document, source)
    elif isinstance(source, HolidaysSource):
        yield from odd(document, source)
    elif isinstance(source, ChannelsSource):
        yield from doubled(document, "channels", [channel.id for channel in source.channels])


def _channels(directory: Path) -> list[str] | None:
    """The channels of the file beside; None when it is not there or not readable by itself."""
    path = directory / "channels.yaml"
    if not path.is_file():
        return None
    try:
        return [channel.id for channel in checked(ChannelsSource, load(path)).channels]
    except Problems:
        return None  # its problems are said when that file is linted


def _profile(path: Path, document: Document) -> Iterator[Problem]:
    checked(ProfileSource, document)
    problems: list[Problem] = []
    chain = read_profile(path, problems)
    shelve(chain, [], problems)
    yield from problems
    if path.resolve().parent == PROFILES:
        yield from laxer_than_national(chain)


def _playbook(document: Document) -> Iterator[Problem]:
    playbook = checked(PlaybookSource, document)
    yield from unsound(document, playbook)
    yield from untraced(document, example=playbook.example)
    if HOME not in Path(document.file).resolve().parents:
        problems: list[Problem] = []
        shelve([], [Draft(document, playbook)], problems)
        yield from problems
