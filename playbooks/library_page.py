"""The page of the library, docs/预案库.md: every playbook with its legal basis and what is only a proposal,
what each profile changes, and which facts of the domain study are covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from models.core.clock import said
from playbooks.loader import load
from playbooks.problem import Problem, Problems, errors
from playbooks.schema import (
    BasisSource,
    ChainSource,
    ClockSource,
    CounterSource,
    PlaybookSource,
    ReviewSource,
    TaskSource,
    VariableSource,
)
from playbooks.shelf import (
    PROFILES,
    SHIPPED,
    Overlay,
    applied,
    playbook_files,
    profile_names,
    read_profile,
    shipped_playbooks,
)
from playbooks.trace import bases, facts

COVERAGE = Path(__file__).resolve().parent / "coverage.yaml"
SECTIONS = {"S": "种子文件", "N": "国家", "L": "地方"}
"""The three lists of facts by the letter of their ids."""
PERIODS = {
    "month": "每月",
    "quarter": "每季",
    "half_year": "每半年",
    "year": "每年",
    "two_years": "每两年",
    "once": "每次",
}
HEAD = """\
# 预案库

这一页由 `huiying library --page` 从内置预案生成，不要手改。编号如 N-007 是规则研究里的事实：
S 种子文件，N 国家，L 地方。
“法定”的时限站点只能缩短；“建议”的数字没有文件规定，站点可以改。“摘录”是只读到报道或摘录，未读全文。
"""


def library_page() -> str:
    """The whole page, in Markdown. Raises Problems when the shipped library has any."""
    problems: list[Problem] = []
    drafts = shipped_playbooks(problems)
    if errors(problems):
        raise Problems(problems)
    books = sorted((draft.playbook for draft in drafts), key=_place)
    parts = [HEAD, *map(_book, books), _profiles(books), _covered()]
    return "\n".join(parts)


def _place(book: PlaybookSource) -> tuple[int, str]:
    """In the order of cn-national; those of one place after them."""
    chain = read_profile(PROFILES / "cn-national.yaml", [])
    order = chain[0].profile.playbooks or ()
    return order.index(book.id) if book.id in order else len(order), book.id


# ── a playbook ────────────────────────────────────────────────────────────────────────────────


def _book(book: PlaybookSource) -> str:
    only = f"只在参数集 `{book.profile}` 下启用。" if book.profile else ""
    example = "示例，启用前自行核对。" if book.example else ""
    never = book.trigger.when == "false"
    trigger = "没有触发条件，只列事项。" if never else f"触发：`{book.trigger.when}`。"
    lines = [f"## {book.name}（{book.id}）", "", f"{trigger}{only}{example}", ""]
    return "\n".join([*lines, *_sections(book)])


def _sections(book: PlaybookSource) -> Iterator[str]:
    yield from _table(("时钟", "时限", "起算", "凭据", "性质", "依据"), map(_clock, book.clocks))
    yield from _table(("变量", "值", "是什么", "来历"), (_variable(*each) for each in book.variables.items()))
    yield from _listed(
        "定级", (_grade_rule(rule.at_least.zh, rule.when, rule.proposal) for rule in book.grades)
    )
    yield from _listed("审核", _review(book.review) if book.review else ())
    yield from _listed(
        "办理要求", (f"{kind.kind.zh}：{kind.must}{_cited(kind.basis)}" for kind in book.kinds)
    )
    yield from _listed("任务", map(_task, book.tasks))
    yield from _listed("通报", (_together(n.to, n.together_with) + _cited(n.basis) for n in book.notify))
    yield from _listed("事后", map(_task, book.after_action))
    yield from _table(("事项", "周期", "要求", "负责", "依据"), map(_counter, book.counters))


def _clock(clock: ClockSource) -> tuple[str, ...]:
    nature = "法定" if clock.statutory else f"建议：{clock.proposal}" if clock.proposal else "本地"
    where = f"<br>`{clock.applies_when}`" if clock.applies_when else ""
    proof = "、".join(kind.zh for kind in clock.stop.evidence)
    name = f"{clock.name}<br>`{clock.id}`{where}"
    return name, said(clock.amount), _start(clock), proof, nature, _sources(clock.basis)


def _start(clock: ClockSource) -> str:
    if isinstance(clock.start, ChainSource):
        return f"`{clock.start.after}` 停止"
    later = "、".join(event.zh for event in clock.fallback)
    return f"{clock.start.zh}（不明依次取{later}）" if later else clock.start.zh


def _variable(name: str, variable: VariableSource) -> tuple[str, ...]:
    origin = _sources(variable.basis)
    proposal = f"建议：{variable.proposal}" if variable.proposal else ""
    return (
        f"`{name}`",
        str(variable.value),
        variable.about,
        "<br>".join(part for part in (origin, proposal) if part),
    )


def _grade_rule(least: str, when: str, proposal: str) -> str:
    return f"不低于{least}：`{when}`{f'（建议：{proposal}）' if proposal else ''}"


def _review(review: ReviewSource) -> Iterator[str]:
    steps = " → ".join(f"{step.by}{step.name}（占 {step.share:.0%}）" for step in review.steps)
    yield f"{steps}{_cited(review.basis)}"
    if review.checks:
        yield f"同时做：{'、'.join(review.checks)}"
    if review.disclosure:
        yield f"公开属性：{'、'.join(review.disclosure)}"
    if review.proposal:
        yield f"建议：{review.proposal}"


def _task(task: TaskSource) -> str:
    who = task.owner or (task.role.zh if task.role else "")
    due = f"{said(task.due)}内" if task.due else ""
    since = f"自{task.since.zh}起" if task.since and due else ""
    more = "，".join(part for part in (who, since + due) if part)
    proposal = f"；建议：{task.proposal}" if task.proposal else ""
    note = f"（{more}{proposal}）" if more else f"（{proposal.removeprefix('；')}）" if proposal else ""
    return f"{task.name}{note}{_cited(task.basis)}"


def _together(to: str, others: Iterable[str]) -> str:
    beside = "、".join(others)
    return f"{to}，与{beside}同步" if beside else to


def _counter(counter: CounterSource) -> tuple[str, ...]:
    dated = counter.within or counter.until or counter.share or counter.every == "once"
    asks = (
        f"至少 {counter.at_least} 次" if counter.at_least > 1 or not dated else "",
        f"自{counter.since}起 {said(counter.within)}内" if counter.within else "",
        f"{counter.until} 以前" if counter.until else "",
        f"不低于 {counter.share:.0%}" if counter.share else "",
        f"建议：{counter.proposal}" if counter.proposal else "",
    )
    wanted = "，".join(part for part in asks if part)
    return counter.name, PERIODS[counter.every], wanted, counter.owner, _sources(counter.basis)


def _sources(basis: Iterable[BasisSource]) -> str:
    return "<br>".join(map(_source, basis))


def _cited(basis: Iterable[BasisSource]) -> str:
    sources = "；".join(map(_source, basis))
    return f" — {sources}" if sources else ""


def _source(basis: BasisSource) -> str:
    """国办发〔2016〕80号 N-007（摘录）: the evidence is marked where the whole text was not read."""
    mark = {"B": "（摘录）", "C": "（单一来源）"}.get(facts().grades.get(basis.fact or "", ""), "")
    return " ".join(part for part in (basis.doc, basis.article, basis.fact or "") if part) + mark


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    if cells:
        yield from (f"| {' | '.join(head)} |", "|" + "---|" * len(head), *cells, "")


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield from (f"**{title}**", "", *lines, "")


# ── profiles ──────────────────────────────────────────────────────────────────────────────────


def _profiles(books: list[PlaybookSource]) -> str:
    before = {(book.id, n): clock for book in books for n, clock in enumerate(book.clocks)}
    lines = ["## 参数集", "", "在 `site.yaml` 里写 `profile:` 选用。与内置预案的不同：", ""]
    for name in profile_names():
        lines += [f"### {name}", "", *_profile(name, before), ""]
    return "\n".join(lines)


def _profile(name: str, before: dict[tuple[str, int], ClockSource]) -> Iterator[str]:
    problems: list[Problem] = []
    chain = read_profile(PROFILES / f"{name}.yaml", problems)
    yield f"{chain[-1].profile.name}。{'示例，启用前自行核对。' if chain[-1].profile.example else ''}"
    yield ""
    changes = [*_changes(chain, before), *_own(name)]
    yield from changes or ["- 各时限同内置预案"]


def _changes(chain: list[Overlay], before: dict[tuple[str, int], ClockSource]) -> Iterator[str]:
    problems: list[Problem] = []
    for draft in applied(chain, shipped_playbooks(problems), problems):
        for n, clock in enumerate(draft.playbook.clocks):
            old = before.get((draft.playbook.id, n))
            if old is not None and old != clock:
                yield f"- {clock.name}（`{clock.id}`）：{_difference(old, clock)}"


def _difference(old: ClockSource, new: ClockSource) -> str:
    added = _cited(basis for basis in new.basis if basis not in old.basis)
    parts = []
    if old.amount != new.amount:
        parts.append(f"{said(old.amount)} → {said(new.amount)}")
    if old.start != new.start:
        parts.append(f"起算 {old.start.zh} → {new.start.zh}")
    if new.late_notice is not None and old.late_notice is None:
        late = new.late_notice
        parts.append(
            f"接报晚于发生 {said(late.threshold)}以上的，自{late.start.zh}起 {said(late.amount)}"
            f"{_cited(late.basis)}"
        )
    return ("；".join(parts) or "数字相同，另有依据") + added


def _own(name: str) -> Iterator[str]:
    problems: list[Problem] = []
    for draft in shipped_playbooks(problems):
        if draft.playbook.profile == name:
            yield f"- 另有预案“{draft.playbook.name}”（`{draft.playbook.id}`）"


# ── coverage ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the facts with evidence A or B: those that the library cites, and the reasons of the others."""

    cited: tuple[str, ...]
    program: tuple[tuple[tuple[str, ...], str, str], ...]
    left_out: tuple[tuple[tuple[str, ...], str], ...]

    @property
    def elsewhere(self) -> tuple[str, ...]:
        return tuple(fact for names, _, _ in self.program for fact in names)

    @property
    def without(self) -> tuple[str, ...]:
        return tuple(fact for names, _ in self.left_out for fact in names)


def coverage() -> Coverage:
    """What of the study the shipped files cite, and what the file of reasons says of the rest."""
    files = [*playbook_files(SHIPPED), *sorted(PROFILES.glob("*.yaml"))]
    named = {str(basis.get("fact")) for file in files for _, basis in bases(load(file).data)}
    reasons = load(COVERAGE).data
    return Coverage(
        tuple(sorted(fact for fact in named if facts().grades.get(fact) in ("A", "B"))),
        tuple((tuple(each["facts"]), each["where"], each["what"]) for each in reasons["program"]),
        tuple((tuple(each["facts"]), each["why"]) for each in reasons["left_out"]),
    )


def _covered() -> str:
    found = coverage()
    wanted = [fact for fact, grade in facts().grades.items() if grade in ("A", "B")]
    columns = (wanted, found.cited, found.elsewhere, found.without)
    rows = [(zh, *(str(_of(letter, names)) for names in columns)) for letter, zh in SECTIONS.items()]
    totals = tuple(str(len(names)) for names in columns)
    lines = [
        "## 覆盖",
        "",
        "规则研究第 1 至 3 节里证据 A（读过全文）和 B（读过摘录）的事实。C 只出现在示例里，M 一个也不引用。",
        "",
        *_table(("来源", "A、B 事实", "预案引用", "做在程序里", "没有做"), [*rows, ("合计", *totals)]),
        *_listed(
            "做在程序里", (f"{'、'.join(names)}：{what}（`{where}`）" for names, where, what in found.program)
        ),
        *_listed("没有做，原因", (f"{'、'.join(names)}：{why}" for names, why in found.left_out)),
    ]
    return "\n".join(lines)


def _of(letter: str, names: Iterable[str]) -> int:
    return Counter(name[0] for name in names)[letter]
