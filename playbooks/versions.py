"""Playbooks by version: a draft's text checked against the site, the reviewed ones put in force, and
what an incident was frozen on, read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from playbooks.book import Library, Playbook, bind
from playbooks.checked import checked
from playbooks.loader import parse
from playbooks.problem import Problem, Problems, errors
from playbooks.schema import PlaybookSource
from playbooks.shelf import PROFILES, Draft, Overlay, profile_names, read_playbooks, read_profile, shelve
from playbooks.sound import unsound

UNNAMED = "草案"
"""What stands for the file's name in messages about a text that is no file yet."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a draft's text came to: the library with it in its place (None when it cannot be used)."""

    playbook: Playbook | None
    library: Library | None
    problems: tuple[Problem, ...]


@lru_cache(maxsize=256)
def thawed(content: str) -> Playbook:
    """A frozen playbook, ready for use. Raises Problems when this release cannot read it any more."""
    try:
        return bind(PlaybookSource.model_validate_json(content), "冻结的版本")
    except ValidationError as error:
        said = str(error).splitlines()[0]
        raise Problems([Problem(UNNAMED, 1, 1, f"冻结的预案读不出来：{said}", "改用现行版本")]) from None


def keeping(library: Library, frozen: Iterable[Playbook]) -> Library:
    """The library with these versions in the place of today's; what is gone today stays available."""
    old = {book.id: book for book in frozen}
    kept = tuple(old.pop(book.id, book) for book in library.playbooks)
    return Library((*kept, *old.values()))


def examine(text: str, chain: Sequence[Overlay], own: Sequence[Draft], file: str = UNNAMED) -> Examined:
    """Everything wrong with a draft, as `lint` would say it, and what the site would be with it."""
    problems: list[Problem] = []
    draft = draft_of(text, file, problems)
    if draft is None:
        return Examined(None, None, tuple(sorted(set(problems))))
    others = [other for other in own if other.playbook.id != draft.playbook.id]
    library = shelve(chain, [*others, draft], problems)
    known = library.get(draft.playbook.id) or bind(draft.playbook, file)
    usable = not errors(problems)
    return Examined(known, library if usable else None, tuple(sorted(set(problems))))


def draft_of(text: str, file: str, problems: list[Problem]) -> Draft | None:
    """The checked draft; on failure its problems are added and None comes back."""
    try:
        document = parse(text, file)
        playbook = checked(PlaybookSource, document)
    except Problems as found:
        problems.extend(found.problems)
        return None
    problems.extend(unsound(document, playbook))
    return Draft(document, playbook)


def chain_of(directory: Path, profile: str) -> list[Overlay]:
    """The site's chain of profiles. Its problems are the site's own, told when it was loaded."""
    if profile.endswith((".yaml", ".yml")):
        return read_profile(directory / profile, [])
    return read_profile(PROFILES / f"{profile}.yaml", []) if profile in profile_names() else []


def own_of(directory: Path) -> list[Draft]:
    """The playbooks that lie in the site's folder."""
    return read_playbooks(sorted((directory / "playbooks").glob("*.y*ml")), [])


def in_force(
    chain: Sequence[Overlay], texts: Iterable[tuple[str, str]]
) -> tuple[Library, tuple[Draft, ...], tuple[Problem, ...]]:
    """The library with the reviewed playbooks (file name, text) over the shipped ones, those of them that
    are in it, and what is wrong with the others.

    One that a newer release refuses (it would loosen the law) is left out and named: the shipped ones
    run in any case.
    """
    problems: list[Problem] = []
    drafts = [draft for name, text in texts if (draft := draft_of(text, name, problems))]
    library = shelve(chain, drafts, problems)
    bad = {problem.file for problem in errors(problems)}
    sound = tuple(draft for draft in drafts if draft.document.file not in bad)
    if bad:
        library = shelve(chain, sound, [])
    return library, sound, tuple(replace(problem, warning=True) for problem in errors(problems))
