"""三审: who signs a text in which order, how long each has, and whether a signature may be given. Pure.

西政办发〔2016〕55号 通知四: 初审、审核、审发 by three people (S-050), nothing is told the public without it
(S-051), first the review and then the release, one matter one review (S-052); 保密审查 beside it (S-056, S-057).
Every function that judges answers in words: "" when nothing is wrong, else what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from models.core.casework import StatementState, Verdict
from models.core.moment import iso

WHEN_NO_LIMIT: Final = timedelta(hours=1)
"""What a review takes where no clock runs, or the clock is past due (a proposal)."""
ORDERED: Final = 3
"""Signatures in order without which nothing is told the public (S-050); an emergency leaves out the middle."""
LEAST_HASH: Final = 16
"""Hex digits of a hash that a signature must name: nobody makes another text that begins like it."""
LEAST: Final = timedelta(minutes=5)
"""So long a reviewer has at least, however little is left (a proposal)."""
BY_MACHINE: Final = frozenset({"公开属性", "个人信息检查"})
"""The checks of a playbook that the lint of a draft makes at its submission; people make the others."""
SECRECY: Final = "保密审查"
_RULE: Final = "西政办发〔2016〕55号 通知四"


@dataclass(frozen=True, slots=True)
class Step:
    """One signature that is wanted. `key`: "1", "2", "3" in their order; "c1", … beside them. `share`:
    0..1 of the time for the review; `by`: whose office it is; `person`: who was asked, "" = nobody yet."""

    key: str
    name: str
    by: str
    share: float
    person: str = ""

    @property
    def beside(self) -> bool:
        """A check, made while the others sign in order."""
        return self.key.startswith("c")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a reviewer has said of one version."""

    step: str
    person: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A statement as far as its review goes. `authors`: whoever wrote one of its versions."""

    state: StatementState
    authors: frozenset[str]
    version: int
    sha256: str
    chain: tuple[Step, ...]
    signed: tuple[Signed, ...] = ()

    @property
    def open(self) -> tuple[Step, ...]:
        """The steps that may be signed now: the next in order, and every check."""
        left = [step for step in self.chain if step.key not in self._passed]
        following = next((step.key for step in left if not step.beside), None)
        return tuple(step for step in left if step.beside or step.key == following)

    @property
    def complete(self) -> bool:
        return bool(self.chain) and all(step.key in self._passed for step in self.chain)

    @property
    def _passed(self) -> frozenset[str]:
        return frozenset(one.step for one in self.signed if one.verdict is Verdict.PASSED)

    def step(self, key: str) -> Step | None:
        return next((step for step in self.chain if step.key == key), None)


# ── the chain ─────────────────────────────────────────────────────────────────────────────────


def chain_of(
    steps: Iterable[tuple[str, str, float]], checks: Iterable[str], emergency: bool = False
) -> tuple[Step, ...]:
    """A playbook's review (name, by whom, share of the time) as steps; in an emergency the first and the last.

    保密审查 is one of the checks whatever the playbook says: 政府信息公开条例 17 (N-041).
    """
    signed = [Step(str(n), name, by, share) for n, (name, by, share) in enumerate(steps, 1)]
    if emergency and len(signed) > 2:
        signed = [signed[0], signed[-1]]  # each under its own key, as the form names its people
    people = dict.fromkeys([name for name in checks if name not in BY_MACHINE] + [SECRECY])
    return (*signed, *(Step(f"c{n}", name, name, 1.0) for n, name in enumerate(people, 1)))


def too_short(chain: Sequence[Step], emergency: str) -> str:
    """Has the chain as many signatures as the law wants? "" or the rule."""
    ordered, least = sum(not step.beside for step in chain), 2 if emergency else ORDERED
    if ordered >= least:
        return ""
    return (
        f"审核链只有 {ordered} 道，须初审、审核、审发三道由不同的人审({_RULE}，S-050)；请补全预案里的 review"
    )


def asked(
    chain: Sequence[Step], people: Mapping[str, str], authors: Collection[str], known: Collection[str]
) -> tuple[tuple[Step, ...], str]:
    """The chain with its people, and what is wrong with that choice. `people`: key → person."""
    made = tuple(Step(s.key, s.name, s.by, s.share, people.get(s.key, "")) for s in chain)
    return made, "；".join(dict.fromkeys(_wrong_people(made, authors, known)))


def _wrong_people(chain: Sequence[Step], authors: Collection[str], known: Collection[str]) -> Iterable[str]:
    for step in chain:
        if not step.person:
            yield f"没有写明“{step.name}”由谁审({step.by})；请指定一位审核人"
        elif step.person not in known:
            yield f"值班表里没有审核人 {step.person}；请写 roster.yaml 中的人员标识"
        elif step.person in authors:
            yield f"{step.person} 起草或修改过本稿，不能做它的“{step.name}”；请换一位({_RULE}，S-050)"
    people = [step.person for step in chain if not step.beside and step.person]
    for person in dict.fromkeys(people):
        if people.count(person) > 1:
            names = "、".join(s.name for s in chain if s.person == person and not s.beside)
            yield f"{names}不能由同一人审；各道须不同人({_RULE}，S-050)"


def as_row(step: Step, due_at: datetime | None) -> dict[str, Any]:
    """As the ledger keeps it."""
    kept = {"key": step.key, "name": step.name, "by": step.by, "share": step.share, "person": step.person}
    return kept | {"due_at": iso(due_at) if due_at else None}


def of_row(row: Mapping[str, Any]) -> Step:
    return Step(row["key"], row["name"], row["by"], float(row["share"]), row["person"])


# ── the time ──────────────────────────────────────────────────────────────────────────────────


def due(chain: Sequence[Step], step: Step, now: datetime, until: datetime | None) -> datetime:
    """When the step, begun now, is to be done: its share of what is left until `until`.

    What an earlier reviewer saved is shared by those who come, and so is what was lost. A check has as
    long as all the steps together.
    """
    left = until - now if until is not None and until > now else WHEN_NO_LIMIT
    ordered = [one for one in chain if not one.beside]
    spare = max(0.0, 1 - sum(one.share for one in ordered))
    if step.beside:
        return now + max(LEAST, left * (1 - spare))
    coming = ordered[[one.key for one in ordered].index(step.key) :]
    weight = sum(one.share for one in coming) + spare
    return now + max(LEAST, left * (step.share / weight if weight else 1.0))


# ── a signature ───────────────────────────────────────────────────────────────────────────────

_NOT_IN_REVIEW: Final = {
    StatementState.DRAFT: "稿件还没有送审；请先送审(submit)",
    StatementState.RETURNED: "稿件已退回修改；修改后重新送审",
    StatementState.APPROVED: "稿件已经审定，不能重复审核；要改请修改后重新送审",
    StatementState.RELEASED: "稿件已经发布；有误请撤回(withdraw)后另拟一份",
    StatementState.WITHDRAWN: "稿件已经撤回；请另拟一份",
}


def sign(seen: Reviewed, person: str, step: str, sha256: str) -> str:
    """May this person sign this step of the text with this hash? "" or the rule."""
    if seen.state in _NOT_IN_REVIEW:
        return _NOT_IN_REVIEW[seen.state]
    if len(sha256) < LEAST_HASH:
        return f"所签的哈希只有 {len(sha256)} 位，至少写前 {LEAST_HASH} 位；请从稿件页或 statement show 抄全"
    if not seen.sha256.startswith(sha256):
        return f"所签的不是最新稿(第 {seen.version} 版)，一处改动即须重审；请重看最新稿再签({_RULE}，S-052)"
    if person in seen.authors:
        return f"起草或修改过本稿的人不能审核它；请由指定的审核人审({_RULE}，S-050)"
    return _wrong_step(seen, person, step)


def _wrong_step(seen: Reviewed, person: str, key: str) -> str:
    step = seen.step(key)
    if step is None:
        return f"没有第 {key} 道审核；本稿的各道是 {'、'.join(f'{s.key} {s.name}' for s in seen.chain)}"
    if any(one.step == key for one in seen.signed):
        return f"“{step.name}”已经审过，不能重复审核"
    if step not in seen.open:
        return f"还没有轮到“{step.name}”；先由“{seen.open[0].name}”审({_RULE}，S-050)"
    if person != step.person:
        return f"“{step.name}”由 {step.person} 审；换人请用 reassign 并写明理由"
    return ""


def theirs(seen: Reviewed, person: str) -> str:
    """The key of the open step that this person was asked for; "" when there is none."""
    return next((step.key for step in seen.open if step.person == person), "")


def after(seen: Reviewed) -> StatementState:
    """The state once all that was signed counts."""
    if any(one.verdict is Verdict.REFUSED for one in seen.signed):
        return StatementState.RETURNED
    return StatementState.APPROVED if seen.complete else StatementState.IN_REVIEW


# ── before and after the review ───────────────────────────────────────────────────────────────

_EDITABLE: Final = frozenset({StatementState.DRAFT, StatementState.RETURNED})
_VOIDED: Final = frozenset({StatementState.IN_REVIEW, StatementState.APPROVED})


def edit(state: StatementState) -> str:
    """May its text be changed?"""
    return "" if state in _EDITABLE | _VOIDED else _NOT_IN_REVIEW[state]


def voids(state: StatementState) -> bool:
    """Does a change of the text take back what was signed (S-052)?"""
    return state in _VOIDED


def submit(state: StatementState) -> str:
    """May it be handed in? What was returned is changed first, which makes it a draft again."""
    if state is StatementState.IN_REVIEW:
        return "稿件已在送审；不必重复送审"
    if state is StatementState.RETURNED:
        return "稿件退回后还没有修改；请按审核意见修改(edit)后重新送审"
    return "" if state is StatementState.DRAFT else _NOT_IN_REVIEW[state]


def release(state: StatementState, approved: str | None, sha256: str) -> str:
    """May this very text be registered as released?"""
    if state not in (StatementState.APPROVED, StatementState.RELEASED):
        return f"稿件“{state.zh}”，未经审查批准不得对外公布；请先完成三审({_RULE}，S-051)"
    if not sha256 or approved is None or len(sha256) < 8 or not approved.startswith(sha256):
        return f"审定的不是这一稿，未经审查批准不得对外公布；请发布审定的那一稿，或重新送审({_RULE}，S-051)"
    return ""
