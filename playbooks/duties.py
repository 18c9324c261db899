"""What the playbooks ask of people beside clocks: tasks, notifications, and how a kind of opinion is closed.

From the playbooks that hold in a situation to the core's wants; whose limits are fixed when they are laid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.core.assignments import FIRST_SPOKESPERSON, Notification, Want
from models.core.situation import Situation
from playbooks.book import Library, Playbook
from playbooks.condition import Condition
from playbooks.schema import BasisSource, KindSource, NotifySource, TaskSource


def wants(library: Library, situation: Situation) -> tuple[Want, ...]:
    """Every task that the situation calls for, one for each key and each body that is to be told; what must
    be done comes first."""
    books = library.choose(situation)
    told = {(want.party, want.evidence): want for book in reversed(books) for want in _told(book)}
    others = {
        want.key: want for book in books for want in (*_kinds(book, situation), *_tasks(book, situation))
    }
    return tuple(sorted((*told.values(), *others.values()), key=lambda want: not want.must))


def aftermath(library: Library, situation: Situation) -> tuple[Want, ...]:
    """What is to be done once the incident is closed."""
    return tuple(
        _task(book, task, "after") for book in library.choose(situation) for task in book.after_action
        if _applies(task, situation)
    )  # fmt: skip


def notifications(library: Library, situation: Situation) -> tuple[Notification, ...]:
    """Who is to be told at the same time, by the playbooks that hold."""
    return tuple(each for book in library.choose(situation) for each in _notifications(book))


def _kinds(book: Playbook, situation: Situation) -> Iterator[Want]:
    """规则研究 1.1: what this kind of opinion must leave before it is closed (S-030 … S-041)."""
    for kind in book.kinds:
        if kind.kind is situation.kind:
            yield from _closing(book, kind)


def _closing(book: Playbook, kind: KindSource) -> Iterator[Want]:
    for evidence in kind.evidence:
        yield Want(
            key=f"{book.id}:kind:{kind.kind.value}:{evidence.value}",
            name=f"{kind.kind.zh}: {kind.must}（{evidence.zh}）",
            source=book.id,
            basis=_basis(kind.basis),
            owner="涉事责任部门",
            evidence=evidence,
            must=True,
        )


def _told(book: Playbook) -> Iterator[Want]:
    for each in _notifications(book):
        for party in each.parties:
            yield Want(
                key=each.key(party),
                name=f"通报 {party}" + ("，留回执" if each.evidence else ""),
                source=book.id,
                basis=each.basis,
                owner="政府办公室",
                evidence=each.evidence,
                must=each.evidence is not None,
                party=party,
            )


def _notifications(book: Playbook) -> Iterator[Notification]:
    for number, notify in enumerate(book.notify, 1):
        yield _notification(book, number, notify)


def _notification(book: Playbook, number: int, notify: NotifySource) -> Notification:
    parties = tuple(dict.fromkeys((notify.to, *notify.together_with)))
    return Notification(book.id, number, parties, notify.skew, notify.evidence, _basis(notify.basis))


def _tasks(book: Playbook, situation: Situation) -> Iterator[Want]:
    return (_task(book, task, "task") for task in book.tasks if _applies(task, situation))


def _applies(task: TaskSource, situation: Situation) -> bool:
    return task.when is None or Condition(task.when).holds(situation)


def _task(book: Playbook, task: TaskSource, what: str) -> Want:
    facts = {basis.fact for basis in task.basis}
    return Want(
        key=f"{book.id}:{what}:{task.name}",
        name=task.name,
        source=book.id,
        basis=_basis(task.basis),
        owner=task.owner or (task.role.zh if task.role else ""),
        due=task.due,
        since=task.since,
        evidence=task.evidence,
        must=what == "task" and (task.evidence is not None or bool(facts & FIRST_SPOKESPERSON)),
    )


def _basis(sources: Sequence[BasisSource]) -> tuple[str, ...]:
    """文号 条款 [编号]."""
    return tuple(
        " ".join(part for part in (one.doc, one.article, f"[{one.fact}]" if one.fact else "") if part)
        for one in sources
    )
