"""From files to a Library: the shipped playbooks, the site's own in their place, the profile over
both, and the check that nothing statutory came out laxer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from models.core.clock import surely_within
from playbooks.book import Library, bind
from playbooks.checked import checked
from playbooks.condition import Condition
from playbooks.fields import amount_text
from playbooks.loader import Document, load
from playbooks.problem import Problem, Problems, did_you_mean, listed
from playbooks.schema import ChainSource, ClockSource, OverlaySource, PlaybookSource, ProfileSource
from playbooks.sound import clock_findings, unsound
from playbooks.strict import (
    LATE,
    TOO_WIDE,
    TooWide,
    cited,
    described,
    dropped,
    loosened,
    narrower,
    statutory,
)
from playbooks.trace import untraced
from playbooks.variables import with_values

HOME = Path(__file__).resolve().parent
SHIPPED = HOME / "library"
PROFILES = HOME / "profiles"
TESTS = ".test.yaml"
"""How the name of a file of golden tests ends; it lies beside playbooks and is none."""

MOST_VARIANTS = 8
"""Of one statutory clock in a playbook: each is held against the law in every situation, which takes a while."""

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook beside the document that it came from."""

    document: Document
    playbook: PlaybookSource


@dataclass(frozen=True, slots=True)
class Overlay:
    """A profile beside the document that it came from."""

    document: Document
    profile: ProfileSource


def read(model: type[M], path: Path, problems: list[Problem]) -> tuple[Document, M] | None:
    """A checked file; on failure its problems are added and None comes back."""
    try:
        document = load(path)
        return document, checked(model, document)
    except Problems as found:
        problems.extend(found.problems)
        return None


def playbook_files(directory: Path) -> list[Path]:
    """The playbooks of a directory, in order; the tests beside them are none."""
    return sorted(path for path in directory.glob("*.yaml") if not path.name.endswith(TESTS))


def read_playbooks(paths: Iterable[Path], problems: list[Problem]) -> list[Draft]:
    """Every playbook among `paths` that can be read, in order; two with one id are a problem."""
    drafts: dict[str, Draft] = {}
    for path in (path for path in paths if not path.name.endswith(TESTS)):
        pair = read(PlaybookSource, path, problems)
        if pair is None:
            continue
        document, playbook = pair
        problems.extend(unsound(document, playbook))
        problems.extend(untraced(document, example=playbook.example))
        if playbook.id in drafts:
            other = drafts[playbook.id].document.file
            problems.append(
                document.problem(("id",), f"预案标识 “{playbook.id}” 已在 {other} 里用过", "换一个")
            )
            continue
        drafts[playbook.id] = Draft(document, playbook)
    return list(drafts.values())


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def read_profile(path: Path, problems: list[Problem]) -> list[Overlay]:
    """A profile and what it extends, the root first."""
    chain: list[Overlay] = []
    while True:
        pair = read(ProfileSource, path, problems)
        if pair is None:
            return chain
        document, profile = pair
        problems.extend(untraced(document, example=profile.example))
        chain.insert(0, Overlay(document, profile))
        parent = profile.extends
        if parent is None:
            return chain
        if parent not in profile_names() or any(parent == each.profile.id for each in chain):
            hint = f"可用：{listed(profile_names())}"
            message = f"没有参数集 “{parent}”{did_you_mean(parent, profile_names())}"
            problems.append(document.problem(("extends",), message, hint))
            return chain
        path = PROFILES / f"{parent}.yaml"


def shelve(chain: Sequence[Overlay], own: Sequence[Draft], problems: list[Problem]) -> Library:
    """The library under a chain of profiles with the site's own playbooks.

    Problems are added for whatever the own playbooks or the last profiles loosen.
    """
    given = [overlay for overlay in chain if _is_shipped(overlay)]
    shipped = [draft for draft in shipped_playbooks(problems) if _active(draft, chain)]
    law = applied(given, _picked(given, shipped, []), [])
    mixed = _with_own(_picked(chain, shipped, problems), [draft for draft in own if _active(draft, chain)])
    final = applied(chain, mixed, problems)
    problems.extend(_laxer(chain, law, final))
    problems.extend(_taken(law, final))
    problems.extend(_shadowed(final, {draft.document.file for draft in shipped}))
    return Library(tuple(bind(draft.playbook, draft.document.file) for draft in final))


def shipped_playbooks(problems: list[Problem]) -> list[Draft]:
    """The shipped playbooks, read once for as long as their files stay as they are."""
    stamps = tuple((path, path.stat().st_mtime_ns) for path in playbook_files(SHIPPED))
    drafts, found = _read_shipped(stamps)
    problems.extend(found)
    return list(drafts)


@lru_cache(maxsize=2)
def _read_shipped(stamps: tuple[tuple[Path, int], ...]) -> tuple[tuple[Draft, ...], tuple[Problem, ...]]:
    problems: list[Problem] = []
    drafts = read_playbooks([path for path, _ in stamps], problems)
    return tuple(drafts), tuple(problems)


def _is_shipped(overlay: Overlay) -> bool:
    return Path(overlay.document.file).resolve().parent == PROFILES


def _active(draft: Draft, chain: Sequence[Overlay]) -> bool:
    """Is a playbook that names a profile meant for this one? Without a chain a site's own is; a shipped one
    that is meant for one place is not."""
    wanted = draft.playbook.profile
    if not chain and Path(draft.document.file).resolve().parent == SHIPPED:
        return wanted is None
    return wanted is None or not chain or wanted in {overlay.profile.id for overlay in chain}


def _picked(chain: Sequence[Overlay], shipped: list[Draft], problems: list[Problem]) -> list[Draft]:
    """The shipped playbooks that the profiles name, in that order, and those that are meant for one of the
    profiles; all of them when none names any."""
    books = {draft.playbook.id: draft for draft in shipped}
    chosen = next((each for each in reversed(chain) if each.profile.playbooks is not None), None)
    if chosen is None:
        return shipped
    names = chosen.profile.playbooks or ()
    for n, name in enumerate(names):
        if name not in books:
            message = f"没有内置预案 “{name}”{did_you_mean(name, books)}"
            problems.append(chosen.document.problem(("playbooks", n), message, f"可用：{listed(books)}"))
    local = [
        draft for draft in shipped if draft.playbook.profile is not None and draft.playbook.id not in names
    ]
    return [*(books[name] for name in names if name in books), *local]


def _with_own(shipped: list[Draft], own: Sequence[Draft]) -> list[Draft]:
    mine = {draft.playbook.id: draft for draft in own}
    replaced = [mine.pop(draft.playbook.id, draft) for draft in shipped]
    return [*replaced, *mine.values()]


# ---- profiles over playbooks -----------------------------------------------------------------


def applied(chain: Sequence[Overlay], drafts: list[Draft], problems: list[Problem]) -> list[Draft]:
    drafts = _filled(chain, drafts, problems)
    known = sorted({clock.id for draft in drafts for clock in draft.playbook.clocks})
    for overlay in chain:
        for id_, change in overlay.profile.clocks.items():
            if id_ not in known:
                message = f"没有时钟 “{id_}”{did_you_mean(id_, known)}"
                hint = f"可用：{listed(known)}"
                problems.append(overlay.document.problem(("clocks", id_), message, hint, key=True))
            drafts = [_overlaid(overlay.document, id_, change, draft, problems) for draft in drafts]
    return drafts


def _filled(chain: Sequence[Overlay], drafts: list[Draft], problems: list[Problem]) -> list[Draft]:
    """The playbooks read again with the values that the profiles give to their variables."""
    known = sorted({name for draft in drafts for name in draft.playbook.variables})
    values: dict[str, tuple[Overlay, str | int | float]] = {}
    for overlay in chain:
        for name, value in overlay.profile.variables.items():
            if name in known:
                values[name] = (overlay, value)
                continue
            message = f"没有变量 “{name}”{did_you_mean(name, known)}"
            problems.append(
                overlay.document.problem(("variables", name), message, f"可用：{listed(known)}", key=True)
            )
    return [_with_values(draft, values, problems) for draft in drafts]


def _with_values(
    draft: Draft, values: dict[str, tuple[Overlay, str | int | float]], problems: list[Problem]
) -> Draft:
    """A value that the playbook cannot take is told at the profile's line, and left out."""
    for name in draft.playbook.variables.keys() & values.keys():
        overlay, value = values[name]
        data = with_values(draft.document.data, {name: value})
        document = replace(draft.document, data=data)
        try:
            draft = Draft(document, checked(PlaybookSource, document))
        except Problems as found:
            first = found.problems[0]
            problems.append(overlay.document.problem(("variables", name), first.message, first.hint))
    return draft


def _overlaid(
    document: Document, id_: str, change: OverlaySource, draft: Draft, problems: list[Problem]
) -> Draft:
    clocks = tuple(_changed(clock, change) if clock.id == id_ else clock for clock in draft.playbook.clocks)
    for before, after in zip(draft.playbook.clocks, clocks, strict=True):
        if before is not after:
            known = set(clock_findings(before))
            new = [finding for finding in clock_findings(after) if finding not in known]
            problems.extend(document.problem(("clocks", id_), text, hint) for _, text, hint in new)
    return replace(draft, playbook=draft.playbook.model_copy(update={"clocks": clocks}))


def _changed(clock: ClockSource, change: OverlaySource) -> ClockSource:
    given: dict[str, Any] = {
        name: value
        for name in ("amount", "start", "fallback", "late_notice")
        if (value := getattr(change, name)) is not None
    }
    start = given.get("start", clock.start)
    own = () if isinstance(clock.start, ChainSource) else (clock.start,)
    fallback = given.get("fallback", (*own, *clock.fallback))
    given["fallback"] = tuple(dict.fromkeys(each for each in fallback if each != start))
    if change.auto is not None:
        given["stop"] = clock.stop.model_copy(update={"auto": change.auto})
    return clock.model_copy(update={**given, "basis": (*clock.basis, *change.basis)})


# ---- nothing statutory gets laxer --------------------------------------------------------------


def _laxer(chain: Sequence[Overlay], law: list[Draft], final: list[Draft]) -> list[Problem]:
    now = {draft.playbook.id: draft for draft in final}
    found: list[Problem] = []
    for draft in law:
        if not statutory(draft.playbook):
            continue
        mine = now.get(draft.playbook.id)
        if mine is None:
            found.append(_missing(chain, draft))
        else:
            found.extend(_trigger(draft, mine))
            found.extend(_clocks(chain, draft, mine))
    return found


def _taken(law: list[Draft], final: list[Draft]) -> list[Problem]:
    """The id of a statutory clock in another playbook: it could run in the statutory one's place."""
    owners = {id_: draft for draft in law for id_ in statutory(draft.playbook)}
    return [
        draft.document.problem(
            ("clocks", n, "id"),
            f"时钟标识 “{clock.id}” 是法定时限 “{owners[clock.id].playbook.id}” 的，别的预案不能用",
            f"换一个标识；要收紧它，请写同名预案 {owners[clock.id].playbook.id} 或参数集",
        )
        for draft in final
        for n, clock in enumerate(draft.playbook.clocks)
        if clock.id in owners and draft.playbook.id != owners[clock.id].playbook.id
    ]


def _shadowed(final: list[Draft], shipped: set[str]) -> list[Problem]:
    """A clock that never runs, since whenever its playbook is in force another runs a clock of the same id
    that is no longer. Told of a site's own playbooks only."""
    return [
        mine.document.problem(
            ("clocks", n, "id"),
            f"时钟 “{clock.id}” 永远被预案 “{other.playbook.id}” 的同名时钟遮住",
            "换一个标识，或写得比它更短",
            warning=True,
        )
        for mine in final
        if mine.document.file not in shipped
        for n, clock in enumerate(mine.playbook.clocks)
        for other in final
        if other is not mine and _shadows(other, mine, clock)
    ]


def _shadows(other: Draft, mine: Draft, clock: ClockSource) -> bool:
    same = [each for each in other.playbook.clocks if each.id == clock.id]
    if clock.statutory or not any(each.applies_when is None for each in same):
        return False
    shorter = all(surely_within(each.amount, clock.amount) for each in same)
    try:
        when = Condition(mine.playbook.trigger.when), Condition(other.playbook.trigger.when)
        return shorter and narrower(*when) is None
    except TooWide:
        return False


def _missing(chain: Sequence[Overlay], draft: Draft) -> Problem:
    clock = next(iter(statutory(draft.playbook).values()))[0]
    message = f"参数集漏掉了预案 “{draft.playbook.id}”，其中有法定时限 “{clock.name}”（{cited(clock)}）"
    document = next(each.document for each in reversed(chain) if each.profile.playbooks is not None)
    return document.problem(("playbooks",), message, f"加上 {draft.playbook.id}")


def _trigger(law: Draft, mine: Draft) -> list[Problem]:
    before, after = Condition(law.playbook.trigger.when), Condition(mine.playbook.trigger.when)
    try:
        missed = narrower(before, after)
    except TooWide:
        return [mine.document.problem(("trigger", "when"), TOO_WIDE, "写简单些")]
    if missed is None:
        return []
    clock = next(iter(statutory(law.playbook).values()))[0]
    where = described(missed, before.variables() | after.variables())
    message = f"触发条件收窄了：{where} 时法定时限 “{clock.name}”（{cited(clock)}）不再启动"
    return [mine.document.problem(("trigger", "when"), message, f"至少包含 {before.text}")]


def _clocks(chain: Sequence[Overlay], law: Draft, mine: Draft) -> list[Problem]:
    found: list[Problem] = []
    for id_, fixed in statutory(law.playbook).items():
        variants = {n: clock for n, clock in enumerate(mine.playbook.clocks) if clock.id == id_}
        if not variants:
            message = f"少了法定时限 “{fixed[0].name}”（{cited(fixed[0])}）"
            found.append(mine.document.problem(("clocks",), message, f"加上时钟 {id_}"))
            continue
        if len(variants) > MOST_VARIANTS:
            message = f"时钟 {id_} 写了 {len(variants)} 种情形，最多 {MOST_VARIANTS} 种"
            found.append(mine.document.problem(("clocks", min(variants)), message, "合并条件"))
            continue
        missing = _dropped(mine, fixed, variants)
        found.extend(_variants(chain, mine, fixed, variants, split=not missing) or missing)
    return found


def _variants(
    chain: Sequence[Overlay],
    mine: Draft,
    fixed: list[ClockSource],
    variants: Mapping[int, ClockSource],
    *,
    split: bool,
) -> list[Problem]:
    """What each of my variants loosens of the variant of the law that it suits best; one may be narrower
    where the others make up for it (`split`)."""
    found: list[Problem] = []
    for n, clock in variants.items():
        best = min((list(loosened(each, clock)) for each in fixed), key=len)
        for key, message, hint in best:
            if key == "applies_when" and split:
                continue
            document, path = _where(chain, mine, n, clock.id, key)
            found.append(document.problem(path, message, hint))
    return found


def _dropped(mine: Draft, fixed: list[ClockSource], variants: Mapping[int, ClockSource]) -> list[Problem]:
    """Each variant of the law that mine, all together, do not run everywhere in its place."""
    path = ("clocks", min(variants))
    found: list[Problem] = []
    for law in fixed:
        what = f"法定时限 “{law.name}”（{cited(law)}）"
        try:
            where = dropped(law, variants.values())
        except TooWide:
            found.append(mine.document.problem(path, TOO_WIDE, "写简单些"))
            continue
        if where is not None:
            message = f"{what}漏了一种情形：{where} 时没有 {amount_text(law.amount)} 或更短的时钟"
            found.append(
                mine.document.problem(path, message, f"补上适用条件为 {law.applies_when or 'true'} 的")
            )
    return found


def _where(
    chain: Sequence[Overlay], mine: Draft, n: int, id_: str, key: str
) -> tuple[Document, tuple[str | int, ...]]:
    """The place that said it last: a profile's line, else the playbook's."""
    for overlay in reversed(chain):
        if ("clocks", id_, key) in overlay.document.values:
            return overlay.document, ("clocks", id_, key)
    return mine.document, ("clocks", n, key)


def laxer_than_national(overlays: Sequence[Overlay]) -> list[Problem]:
    """A shipped profile held against the shipped playbooks themselves.

    Late notice is left out: 贵州 (L-002) states one, and only a shipped profile may.
    """
    problems: list[Problem] = []
    shipped = [draft for draft in shipped_playbooks(problems) if _active(draft, overlays)]
    final = applied(overlays, _picked(overlays, shipped, problems), problems)
    return [each for each in (*problems, *_laxer(overlays, shipped, final)) if LATE not in each.message]
