"""What changes between two states of playbooks: for clocks, and for people on a sample of nights.

The first part compares what is written (`changes`), the second what would happen (`nights`): the same
scenes are rehearsed on both sides and every telling that moved is said in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from models.core.clock import ClockRule, least, said
from models.core.moment import CST, clock_face, iso, span
from models.core.roster import Roster
from models.core.situation import Situation
from models.core.vocabulary import EventType, Grade, OpinionKind
from models.core.workdays import Calendar
from playbooks.book import BookClock, Library, Playbook
from playbooks.simulate import Line, Scene, rehearse, scene_at

NIGHT = datetime(2026, 11, 21, 2, 13, tzinfo=CST)
"""When the sample nights begin: a Saturday, while people sleep."""
LENGTH = timedelta(hours=48)
NOTHING = "无"


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that reads otherwise now. `laxer`: it gives more time, or tells fewer people."""

    playbook: str
    clock: str | None
    what: str
    words: str
    laxer: bool = False
    statutory: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """People in one sample night who are told earlier, later, newly or no more."""

    scene: str
    clock: str
    step: str
    people: tuple[str, ...]
    before: datetime | None
    after: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    changes: tuple[Changed, ...]
    moved: tuple[Moved, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.moved)


def difference(old: Library, new: Library, roster: Roster, calendar: Calendar) -> Difference:
    """Everything that changes from `old` to `new` for the people of `roster`."""
    return Difference(tuple(changes(old, new)), tuple(nights(old, new, roster, calendar)))


# ── what is written ───────────────────────────────────────────────────────────────────────────


def changes(old: Library, new: Library) -> Iterator[Changed]:
    """Playbooks and clocks that came, went or read otherwise, in the order of the new library."""
    before = {book.id: book for book in old.playbooks}
    after = {book.id: book for book in new.playbooks}
    for book in new.playbooks:
        if book.id not in before:
            yield Changed(book.id, None, "added", f"新增预案 {book.name}")
        elif book.version != before[book.id].version:
            yield from _of_playbook(before[book.id], book)
    for book in old.playbooks:
        if book.id not in after:
            yield Changed(
                book.id, None, "removed", f"去掉预案 {book.name}", laxer=True, statutory=_lawful(book)
            )


def _lawful(book: Playbook) -> bool:
    return any(clock.rule.statutory for clock in book.clocks)


def _of_playbook(old: Playbook, new: Playbook) -> Iterator[Changed]:
    if old.trigger != new.trigger:
        words = f"触发条件由 {old.trigger.text} 改为 {new.trigger.text}"
        yield Changed(new.id, None, "trigger", words)
    if old.ack_valid != new.ack_valid:
        words = f"一次签收由 {_long(old.ack_valid)} 内不重复提醒改为 {_long(new.ack_valid)}"
        yield Changed(new.id, None, "ack_valid", words, laxer=new.ack_valid > old.ack_valid)
    before, after = _by_id(old), _by_id(new)
    for key, clock in after.items():
        if key in before:
            yield from _of_clock(new.id, before[key], clock)
        else:
            words = f"新增时钟 {_named(clock.rule)}"
            yield Changed(new.id, clock.rule.id, "added", words)
    for key, clock in before.items():
        if key not in after:
            law = clock.rule.statutory
            yield Changed(new.id, clock.rule.id, "removed", f"去掉时钟 {_named(clock.rule)}", True, law)


def _by_id(book: Playbook) -> dict[tuple[str, int], BookClock]:
    """One id may stand for several clocks, each under its condition: they are told apart by their order."""
    found: dict[tuple[str, int], BookClock] = {}
    for clock in book.clocks:
        number = sum(key[0] == clock.rule.id for key in found)
        found[clock.rule.id, number] = clock
    return found


def _named(rule: ClockRule) -> str:
    return f"{rule.name}（{said(rule.amount)}，{'法定' if rule.statutory else '建议'}）"


def _of_clock(playbook: str, old: BookClock, new: BookClock) -> Iterator[Changed]:
    law = old.rule.statutory
    for what, before, after, laxer in _keys(old, new):
        if before != after:
            words = f"{new.rule.name}的{_WORDS[what]}由 {before or NOTHING} 改为 {after or NOTHING}"
            yield Changed(playbook, new.rule.id, what, words, laxer, law)


_WORDS = {
    "amount": "时限",
    "start": "起算",
    "fallback": "后备起算",
    "evidence": "止算凭据",
    "steps": "提醒步骤",
    "repeat": "逾期后重复",
    "applies_when": "适用条件",
    "pre_arm_when": "预置条件",
    "statutory": "性质",
    "basis": "依据",
}
"""The keys of a clock that are compared, in the word for people."""


def _keys(old: BookClock, new: BookClock) -> Iterator[tuple[str, str, str, bool]]:
    """Each key: its name, how it read, how it reads, whether that is laxer beyond doubt."""
    a, b = old.rule, new.rule
    yield "amount", said(a.amount), said(b.amount), least(b.amount) > least(a.amount)
    yield "start", _start(a), _start(b), False
    yield "fallback", _list(each.zh for each in a.fallback), _list(each.zh for each in b.fallback), False
    wider = bool(b.evidence - a.evidence)
    yield "evidence", _list(sorted(e.zh for e in a.evidence)), _list(sorted(e.zh for e in b.evidence)), wider
    yield "steps", _steps(a), _steps(b), len(b.steps) < len(a.steps)
    yield "repeat", _repeat(a), _repeat(b), b.repeat is None and a.repeat is not None
    yield "applies_when", old.applies_when.text, new.applies_when.text, False
    yield "pre_arm_when", _text(old), _text(new), old.pre_arm_when is None and new.pre_arm_when is not None
    yield "statutory", _law(a), _law(b), a.statutory and not b.statutory
    yield "basis", _list(map(str, a.basis)), _list(map(str, b.basis)), False


def _start(rule: ClockRule) -> str:
    return f"{rule.start.zh}（{rule.after}）" if rule.after else rule.start.zh


def _list(words: Iterable[str]) -> str:
    return "、".join(words)


def _steps(rule: ClockRule) -> str:
    return _list(f"{step.key}→{step.rung}" for step in rule.steps)


def _repeat(rule: ClockRule) -> str:
    return f"每 {_long(rule.repeat)}到第 {rule.repeat_rung} 级" if rule.repeat else ""


def _long(length: timedelta) -> str:
    return span(length.total_seconds())


def _text(clock: BookClock) -> str:
    return clock.pre_arm_when.text if clock.pre_arm_when else ""


def _law(rule: ClockRule) -> str:
    return "法定" if rule.statutory else "建议"


# ── what would happen ─────────────────────────────────────────────────────────────────────────


def samples(start: datetime = NIGHT) -> list[tuple[str, Scene]]:
    """Nights that between them call for every kind of playbook: each grade, and each kind of opinion."""
    graded = [
        (f"定为 {grade.value} 级", Situation(grade, event_grade=grade, confirmed=True)) for grade in Grade
    ]
    kinds = [(f"{kind.zh}（IV 级）", Situation(Grade.IV, kind=kind, confirmed=True)) for kind in OpinionKind]
    types = [
        (f"{each.zh}（II 级）", Situation(Grade.II, event_grade=Grade.II, event_type=each, confirmed=True))
        for each in EventType
    ]
    return [(words, _night(start, situation)) for words, situation in (*graded, *kinds, *types)]


def _night(start: datetime, situation: Situation) -> Scene:
    """Nobody answers, so nothing turns on the repeats after a limit, and they are not compared."""
    return replace(scene_at(start, situation, LENGTH), repeats=False)


def nights(
    old: Library, new: Library, roster: Roster, calendar: Calendar, scenes: Sequence[tuple[str, Scene]] = ()
) -> Iterator[Moved]:
    """Every person who is told at another time; what moves alike in several nights is said of the first."""
    known: set[tuple[object, ...]] = set()
    for words, scene in scenes or samples():
        if old.rules(scene.situation) == new.rules(scene.situation):
            continue
        before = _told(rehearse(scene, old, roster, calendar).lines)
        after = _told(rehearse(scene, new, roster, calendar).lines)
        for moved in _moved(words, scene, before, after):
            key = (moved.clock, moved.step, moved.people, moved.before, moved.after)
            if key not in known:
                known.add(key)
                yield moved


Telling = tuple[str, str, str]
"""clock, step, person id."""


def _told(lines: Iterable[Line]) -> dict[Telling, tuple[datetime, Line, str]]:
    found: dict[Telling, tuple[datetime, Line, str]] = {}
    for line in lines:
        for one in line.told:
            found.setdefault((line.clock, line.step, one.person), (line.at, line, one.name))
    return found


def _moved(
    words: str,
    scene: Scene,
    before: Mapping[Telling, tuple[datetime, Line, str]],
    after: Mapping[Telling, tuple[datetime, Line, str]],
) -> Iterator[Moved]:
    """Those whom one change moves alike are said together; hourly repeats follow the limit, so are not."""
    alike: dict[tuple[str, str, datetime | None, datetime | None], list[Telling]] = {}
    for key in dict.fromkeys([*before, *after]):
        was, now = (found[key][0] if key in found else None for found in (before, after))
        if was != now and not key[1].startswith("+"):
            alike.setdefault((*key[:2], was, now), []).append(key)
    for (clock, step, was, now), tellings in alike.items():
        seen = [after.get(key) or before[key] for key in tellings]
        names, what = "、".join(name for _, _, name in seen), f"{seen[0][1].clock_name} {step}"
        said_words = f"{clock_face(scene.opens)[6:]} {words}：{names} {_how(was, now)}（{what}）"
        yield Moved(words, clock, step, tuple(key[2] for key in tellings), was, now, said_words)


def _how(was: datetime | None, now: datetime | None) -> str:
    if was is None and now is not None:
        return f"新在 {clock_face(now)} 被通知"
    if now is None and was is not None:
        return f"原在 {clock_face(was)} 被通知，不再通知"
    return f"在 {clock_face(now) if now else ''} 而不是 {clock_face(was) if was else ''} 被通知"


def as_json(found: Difference) -> dict[str, Any]:
    return {
        "changed": bool(found),
        "clocks": [
            {
                "playbook": each.playbook,
                "clock": each.clock,
                "what": each.what,
                "words": each.words,
                "laxer": each.laxer,
                "statutory": each.statutory,
            }
            for each in found.changes
        ],
        "people": [
            {
                "scene": each.scene,
                "clock": each.clock,
                "step": each.step,
                "people": list(each.people),
                "before": iso(each.before) if each.before else None,
                "after": iso(each.after) if each.after else None,
                "words": each.words,
            }
            for each in found.moved
        ],
    }
