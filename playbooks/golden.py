"""Golden tests 预案测试: what a playbook must do in a given night, written in YAML beside it.

Each test is played by `simulate` against an invented team of one person on every rung (or the site's own
roster), and every expectation that fails is a Problem at its line, with what was expected and what came.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from models.core.moment import clock_face, deadline_face
from models.core.roster import Contact, Person, Roster, Rung, Unit
from models.core.vocabulary import ClockState, Role, StartEvent
from models.core.workdays import Calendar
from playbooks.book import Library
from playbooks.checked import checked
from playbooks.fields import Ident, Items, Moment, Name, OneOrMany, Strict, refuse
from playbooks.holidays import published
from playbooks.loader import Document, KeyPath, load
from playbooks.problem import Problem, Problems, did_you_mean, errors, listed
from playbooks.roster_paper import AbsenceSource
from playbooks.scene import Answer, CastSource, ChangeSource, GivenSource, by_role, scene_of, with_absences
from playbooks.schema import FactId
from playbooks.schema import Rung as RungNumber
from playbooks.shelf import PROFILES, SHIPPED, TESTS, profile_names, read_playbooks, read_profile, shelve
from playbooks.simulate import Line, Rehearsal, Span, rehearse, standing, state_at
from playbooks.site import load_site
from playbooks.trace import facts

TEAM = (Role.DUTY_OFFICER, Role.DUTY_LEADER, Role.DEPUTY, Role.PRINCIPAL)
"""Who stands on rungs 1 to 4 of the invented team; each is known by the name of the role."""


class ExpectSource(Strict):
    """期望的一件事。"""

    clock: Ident | None = None
    """哪个时钟，例如 first_statement"""
    absent: bool = False
    """没有这个时钟（或已被取代）"""
    due: Moment | None = None
    """到期时刻；末日 24 时写次日 00:00"""
    started: Moment | None = None
    """起算时刻"""
    start: StartEvent | None = None
    """按哪个时间起算，例如 occurrence 发生"""
    statutory: bool | None = None
    """是否法定"""
    state: ClockState | None = None
    """状态，例如 met 按时、breached 已逾期；在 at 那一刻，不写 at 是推演结束时"""
    step: Name | None = None
    """哪一步，例如 75%、-15m、10m、+1h"""
    rung: RungNumber | None = None
    """这一步到第几级"""
    tells: OneOrMany[Name] | None = None
    """通知谁：角色（或人员标识），不多不少；谁也不通知写 []"""
    at: Moment | None = None
    """何时"""
    until: Moment | None = None
    """到何时止（与 quiet 同用）"""
    quiet: Literal[True] | None = None
    """从 at 到 until（不含）谁也不被通知"""

    @model_validator(mode="after")
    def _whole(self) -> ExpectSource:
        if self.quiet and (self.at is None or self.until is None or self.clock is not None):
            raise refuse("quiet 要写 at 和 until，不写 clock", "{at: …, until: …, quiet: true}")
        if not self.quiet and self.clock is None and (self.at is None or self.tells is None):
            raise refuse("不知道期望什么", "写 clock，或写 at 和 tells，或写 quiet")
        asked = set(self.model_fields_set) - {"clock", "at"}
        if self.clock is not None and not asked:
            raise refuse(f"没有写期望时钟 {self.clock} 怎样", "写 due、state、step、absent 等")
        return self


class TestSource(Strict):
    """一个测试：给定什么，其间发生什么，期望什么。"""

    __test__ = False

    name: Name
    """测的是什么，一句话"""
    proves: OneOrMany[FactId] = ()
    """证明哪些事实（规则研究的编号，如 N-007）；须有时钟以它为依据"""
    profile: Ident | None = None
    """用哪个内置参数集；不写，站点里用站点的，别处用 cn-national"""
    roster: Literal["team", "site"] = "team"
    """team：每级一人的示例班子，用角色称呼；site：站点的值班表，用人员标识"""
    given: GivenSource
    """给定"""
    people: dict[Name, Answer] = Field(default_factory=dict)
    """谁收到提醒几分钟后签收：duty_officer: 5；其他人写 "*"；没有写到的从不签收"""
    absences: Items[AbsenceSource] = ()
    """另外的外出与代班，加在值班表上"""
    happens: Items[ChangeSource] = ()
    """其间发生的事"""
    expect: Items[ExpectSource] = Field(min_length=1)
    """期望，全部都要成立"""


class GoldenSource(Strict):
    """预案测试文件 *.test.yaml。"""

    tests: Items[TestSource] = Field(min_length=1)
    """测试"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test after it was played; it passed when `problems` is empty."""

    file: str
    line: int
    name: str
    proves: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """What tests are played on."""

    library: Library
    roster: Roster
    calendar: Calendar


Mismatch = tuple[str, str, str]
"""The key of the expectation, what was expected and what came, a way out."""


def team() -> Roster:
    """One person on each of the four rungs, reached over a channel called 纸面."""
    people = tuple(Person(str(role), role.zh, "team", (Contact("纸面", str(role)),)) for role in TEAM)
    ladder = tuple(Rung(n, role, (str(role),)) for n, role in enumerate(TEAM, 1))
    return Roster((Unit("team", "示例班子"),), people, ladder)


def files(path: Path) -> list[Path]:
    """The test files of a file, a directory of playbooks or a site, in order."""
    return [path] if path.is_file() else sorted(path.rglob(f"*{TESTS}"))


def run(paths: Iterable[Path]) -> list[Outcome]:
    """Every test of these files. Raises Problems when a file, or what it tests, cannot be read."""
    return [outcome for path in paths for outcome in _run(path)]


def _run(path: Path) -> Iterator[Outcome]:
    document = load(path)
    source = checked(GoldenSource, document)
    if unknown := unknown_facts(document, source):
        raise Problems(unknown)
    for n, test in enumerate(source.tests):
        stage = _stage(document, n, test)
        problems = tuple(sorted(_play(document, n, test, stage)))
        yield Outcome(str(path), document.at(("tests", n)).line, test.name, test.proves, problems)


def _stage(document: Document, n: int, test: TestSource) -> Stage:
    home = _site(Path(document.file))
    if home is not None and test.profile is None:
        site = load_site(home, os.environ)
        return Stage(site.library, site.roster if test.roster == "site" else team(), site.calendar)
    if test.roster == "site":
        raise Problems([document.problem(("tests", n, "roster"), "这里没有站点的值班表", "写 roster: team")])
    return Stage(_library(document, n, test.profile or "cn-national"), team(), published())


def _site(path: Path) -> Path | None:
    return next((folder for folder in path.resolve().parents if (folder / "site.yaml").is_file()), None)


def _library(document: Document, n: int, profile: str) -> Library:
    """The shipped library under a profile, with the playbooks beside the test in their place."""
    if profile not in profile_names():
        message = f"没有参数集 “{profile}”{did_you_mean(profile, profile_names())}"
        raise Problems(
            [document.problem(("tests", n, "profile"), message, f"可用：{listed(profile_names())}")]
        )
    problems: list[Problem] = []
    folder = Path(document.file).resolve().parent
    own = (
        [] if SHIPPED in (folder, folder.parent) else read_playbooks(sorted(folder.glob("*.y*ml")), problems)
    )
    library = shelve(read_profile(PROFILES / f"{profile}.yaml", problems), own, problems)
    if errors(problems):
        raise Problems(errors(problems))
    return library


def _play(document: Document, n: int, test: TestSource, stage: Stage) -> Iterator[Problem]:
    cast = by_role(CastSource(people=test.people, happens=test.happens, absences=test.absences), stage.roster)
    roster = with_absences(stage.roster, cast)
    found = rehearse(scene_of(test.given, cast), stage.library, roster, stage.calendar)
    for m, expected in enumerate(test.expect):
        for key, message, hint in _mismatches(expected, found, stage):
            path: KeyPath = ("tests", n, "expect", m, key)
            yield document.problem(path, f"{test.name}：{message}", hint)
    yield from _unproved(document, n, test, found)


def unknown_facts(document: Document, source: GoldenSource) -> list[Problem]:
    """Facts that a test claims to prove and that the domain study does not have."""
    known = facts().grades
    return [
        document.problem(
            ("tests", n, "proves", m),
            f"规则研究里没有事实 “{fact}”{did_you_mean(fact, [each for each in known if each[0] == fact[0]])}",
            "写规则研究的编号，例如 N-007",
        )
        for n, test in enumerate(source.tests)
        for m, fact in enumerate(test.proves)
        if fact not in known
    ]


def _unproved(document: Document, n: int, test: TestSource, found: Rehearsal) -> Iterator[Problem]:
    """A fact that no clock of which the test speaks rests on is not proved by it."""
    spoken = {expected.clock for expected in test.expect}
    rests = {
        basis.fact for span in found.spans if span.clock in spoken for basis in span.rule.basis if basis.fact
    }
    for m, fact in enumerate(test.proves):
        if fact not in rests:
            message = f"{test.name}：期望里的时钟没有一个以 {fact} 为依据{did_you_mean(fact, rests)}"
            path: KeyPath = ("tests", n, "proves", m)
            yield document.problem(path, message, f"它们的依据：{listed(sorted(rests)) or '无'}")


# ── expectations ──────────────────────────────────────────────────────────────────────────────


def _mismatches(expected: ExpectSource, found: Rehearsal, stage: Stage) -> Iterator[Mismatch]:
    if expected.quiet:
        yield from _noise(expected, found)
    elif expected.clock is None:
        yield from _tellings(expected, [line for line in found.lines if line.at == expected.at])
    else:
        yield from _of_clock(expected, expected.clock, found, stage)


def _noise(expected: ExpectSource, found: Rehearsal) -> Iterator[Mismatch]:
    since, until = expected.at, expected.until
    loud = [line for line in found.lines if since and until and since <= line.at < until and line.told]
    if loud:
        first = loud[0]
        words = f"{clock_face(first.at)} {first.clock_name} {first.step}"
        yield "quiet", f"期望谁也不被通知，却有 {len(loud)} 次，第一次 {words}", "改期望，或改预案的步骤"


def _of_clock(expected: ExpectSource, clock: str, found: Rehearsal, stage: Stage) -> Iterator[Mismatch]:
    at = expected.at if expected.at is not None and expected.step is None else found.scene.until
    span = standing(found, clock, at)
    gone = span is None or state_at(span, found.lines, at) is ClockState.SUPERSEDED
    if expected.absent:
        if span is not None and not gone:
            yield (
                "absent",
                f"期望没有时钟 {clock}，却有：{span.plan.reason}（{span.playbook}）",
                "核对适用条件",
            )
    elif span is None:
        yield "clock", f"期望有时钟 {clock}，没有", _why_not(clock, found, stage)
    else:
        yield from _of_span(expected, span, found)
        yield from _of_step(expected, span, found)


def _why_not(clock: str, found: Rehearsal, stage: Stage) -> str:
    known = sorted({each.rule.id for book in stage.library.playbooks for each in book.clocks})
    if clock not in known:
        return f"没有这个标识{did_you_mean(clock, known)} 有：{listed(known)}"
    there = "、".join(dict.fromkeys(span.clock for span in found.spans)) or "一个也没有"
    return f"这一情形下有：{there}；" + ("；".join(found.silent) or "核对触发条件")


def _of_span(expected: ExpectSource, span: Span, found: Rehearsal) -> Iterator[Mismatch]:
    plan = span.plan
    if expected.due is not None and expected.due != plan.due_at:
        due = f"期望到期 {deadline_face(expected.due)}，实际 {deadline_face(plan.due_at)}"
        yield "due", f"{due}（{plan.reason}）", "核对 amount 和 start"
    if expected.started is not None and expected.started != plan.started_at:
        started = f"期望自 {clock_face(expected.started)} 起算，实际 {clock_face(plan.started_at)}"
        yield "started", f"{started}（{plan.start_event.zh}）", "核对 start 和 fallback"
    if expected.start is not None and expected.start is not plan.start_event:
        yield "start", f"期望按{expected.start.zh}起算，实际按{plan.start_event.zh}", "核对 start 和 fallback"
    if expected.statutory is not None and expected.statutory is not span.statutory:
        yield "statutory", f"期望{_law(expected.statutory)}，实际{_law(span.statutory)}", "核对 statutory"
    if expected.state is not None:
        at = expected.at or found.scene.until
        state = state_at(span, found.lines, at)
        if state is not expected.state:
            now = state.zh if state else "还没有"
            yield "state", f"期望 {clock_face(at)} 时{expected.state.zh}，实际{now}", "核对凭据和时刻"


def _law(statutory: bool) -> str:
    return "法定" if statutory else "建议"


def _of_step(expected: ExpectSource, span: Span, found: Rehearsal) -> Iterator[Mismatch]:
    if expected.step is None:
        return
    mine = [line for line in found.lines if line.clock == span.clock and line.step == expected.step]
    if not mine:
        steps = [line.step for line in found.lines if line.clock == span.clock]
        yield (
            "step",
            f"期望有步骤 {expected.step}，没有{did_you_mean(expected.step, steps)}",
            f"有：{listed(steps)}",
        )
        return
    line = mine[-1]
    if expected.at is not None and line.at != expected.at:
        yield (
            "at",
            f"期望 {clock_face(expected.at)}，实际 {clock_face(line.at)}",
            "核对步骤的 at、before、after",
        )
    if expected.rung is not None and line.rung != expected.rung:
        yield "rung", f"期望到第 {expected.rung} 级，实际第 {line.rung} 级", "核对步骤的 rung"
    yield from _tellings(expected, [line])


def _tellings(expected: ExpectSource, lines: Sequence[Line]) -> Iterator[Mismatch]:
    if expected.tells is None:
        return
    told = list(dict.fromkeys(one.person for line in lines for one in line.told))
    if set(told) != set(expected.tells):
        yield (
            "tells",
            f"期望通知 {_people(expected.tells)}，实际 {_people(told)}",
            "；".join(why for line in lines for why in line.quiet) or "核对步骤的 rung 和值班表",
        )


def _people(names: Iterable[str]) -> str:
    words = [Role(name).zh if name in set(Role) else name for name in names]
    return "、".join(words) or "（谁也不）"
