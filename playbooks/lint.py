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
from playbooks.mapping_paper import FOLDER as MAPPINGS
from playbooks.mapping_paper import read_mapping
from playbooks.papers import SiteSource
from playbooks.plans import unsound as unsound_plans
from playbooks.plans_paper import PlansSource
from playbooks.problem import Problem, Problems
from playbooks.roster_paper import RosterSource
from playbooks.rota import dangling, doubled
from playbooks.scene import CastSource
from playbooks.schema import PlaybookSource, ProfileSource
from playbooks.secret import leaks
from playbooks.shelf import HOME, PROFILES, TESTS, Draft, laxer_than_national, read_profile, shelve
from playbooks.site import survey
from playbooks.sound import unsound
from playbooks.sources_paper import SourcesSource
from playbooks.topics_paper import is_topics, read_topics
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

OURS = ("playbooks", "profiles", MAPPINGS)
"""Folders in which every file is meant to be one of ours."""


def lint(
    paths: Iterable[Path | str], now: datetime | None = None, *, skip_foreign: bool = False
) -> list[Problem]:
    """Everything wrong under `paths`: a site (a directory with site.yaml), a directory of
    playbooks, or single files; of a file within a site the whole site, once. Sorted, each problem once;
    warnings are marked as such. `now`: holes of a site's roster in the week that begins then are told
    too. `skip_foreign`: files that are none of ours by place or shape are passed over (a commit has such).
    """
    found: set[Problem] = set()
    sites: set[Path] = set()
    for path in paths:
        found.update(_lint(Path(path), now, sites, skip_foreign))
    return sorted(found)


def _lint(path: Path, now: datetime | None, sites: set[Path], skip: bool) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(str(path), 1, 1, "没有这个文件或目录", "检查路径")
    elif path.is_dir() and (path / "site.yaml").is_file():
        yield from _site(path.resolve(), now, sites)
    elif path.is_dir():
        yield from _directory(path, now, sites, skip)
    elif (site := _site_of(path)) is not None:
        yield from _site(site, now, sites)
        yield from () if _read_by(site, path) else _file(path.resolve(), skip)
    else:
        yield from _file(path, skip)


def _directory(path: Path, now: datetime | None, sites: set[Path], skip: bool) -> Iterator[Problem]:
    files = sorted(file for pattern in ("*.yaml", "*.yml") for file in path.rglob(pattern))
    if not files:
        yield Problem(str(path), 1, 1, "目录里没有 YAML 文件", "站点目录要有 site.yaml", True)
    for file in files:
        yield from _lint(file, now, sites, skip)


def _site(directory: Path, now: datetime | None, sites: set[Path]) -> Iterator[Problem]:
    """A site whole, unless it has been looked at already."""
    if directory in sites:
        return
    sites.add(directory)
    yield from survey(directory, None, now)[1]
    for file in sorted((directory / "playbooks").glob(f"*{TESTS}")):
        yield from _file(file)


def _site_of(path: Path) -> Path | None:
    """The site that a file lies in: the nearest directory above it with a site.yaml."""
    return next((each for each in path.resolve().parents if (each / "site.yaml").is_file()), None)


def _read_by(site: Path, path: Path) -> bool:
    """Is the file one that the site's own look has read?"""
    folder = path.resolve().parent
    if folder == site:
        return path.suffix == ".yaml" and path.stem in PAPERS
    return folder in (site / "playbooks", site / MAPPINGS)


def _file(path: Path, skip: bool = False) -> Iterator[Problem]:
    """A file by itself. With `skip` one that is none of ours has no problems."""
    if path.suffix.lower() == ".csv":
        yield from _topics(path, skip)
        return
    try:
        document = load(path)
    except Problems as problems:
        yield from problems.problems if not skip or path.parent.name in OURS else ()
        return
    try:
        yield from _shaped(path, document, skip)
    except Problems as problems:
        yield from problems.problems


def _topics(path: Path, skip: bool) -> Iterator[Problem]:
    """A classification of topics; with `skip` any other table is passed over."""
    try:
        yield from read_topics(path)[1] if is_topics(path) or not skip else ()
    except Problems as problems:
        yield from problems.problems


def _shaped(path: Path, document: Document, skip: bool) -> Iterator[Problem]:
    """What is wrong with it as the kind of file that its place, its name or its keys make it."""
    if path.parent.name == MAPPINGS:
        read_mapping(path)
    elif path.stem in PAPERS and (not skip or _speaks(document, PAPERS[path.stem])):
        yield from _paper(path, document)
    elif path.name.endswith(TESTS):
        yield from unknown_facts(document, checked(GoldenSource, document))
    elif _is_cast(document):
        checked(CastSource, document)
    elif _is_profile(document, path):
        yield from _profile(path, document)
    elif not skip or _is_playbook(document, path):
        yield from _playbook(document)


def _speaks(document: Document, model: type[BaseModel]) -> bool:
    """Has the file any key of this paper?"""
    return isinstance(document.data, dict) and bool(document.data.keys() & model.model_fields.keys())


def _is_cast(document: Document) -> bool:
    """谁多快签收: it lists people with their minutes, which a roster does not."""
    data = document.data if isinstance(document.data, dict) else {}
    return isinstance(data.get("people"), dict) and data.keys() <= CastSource.model_fields.keys()


def _is_playbook(document: Document, path: Path) -> bool:
    data = document.data if isinstance(document.data, dict) else {}
    return path.parent.name in OURS or bool(data.keys() & {"trigger", "clocks"})


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
