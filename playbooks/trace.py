"""Where a number comes from: every basis of a file is held against the fact ids of the domain study, of
which only the numbers and their grades of evidence are shipped (`facts.yaml`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playbooks.loader import Document, KeyPath, load
from playbooks.problem import Problem, did_you_mean

FACTS = Path(__file__).resolve().parent / "facts.yaml"
EVIDENCE = {"A": "读过全文", "B": "读过摘录", "C": "单一或二手来源", "M": "未核实"}
"""The grades of evidence of a fact."""


@dataclass(frozen=True, slots=True)
class Facts:
    """`grades`: fact id → A, B, C or M; `superseded`: a document → the one that took its place."""

    grades: Mapping[str, str]
    superseded: Mapping[str, str]


@lru_cache(maxsize=1)
def facts() -> Facts:
    data = load(FACTS).data
    grades = {fact: grade for grade in EVIDENCE for fact in data[grade]}
    return Facts(grades, {each["doc"]: each["by"] for each in data["superseded"]})


def untraced(document: Document, *, example: bool = False) -> list[Problem]:
    """What is wrong with the sources that a file names. `example`: single sources are its point."""
    return [
        problem for path, basis in bases(document.data) for problem in _odd(document, path, basis, example)
    ]


def bases(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Every basis of a file with its place: the entries of each list called `basis`."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(data, dict):
        items = list(data.items())
    elif isinstance(data, list):
        items = list(enumerate(data))
    for key, value in items:
        if key == "basis" and isinstance(value, list):
            yield from (((*path, key, n), each) for n, each in enumerate(value) if isinstance(each, dict))
        else:
            yield from bases(value, (*path, key))


def _odd(document: Document, path: KeyPath, basis: Mapping[str, Any], example: bool) -> Iterator[Problem]:
    doc, fact, known = str(basis.get("doc", "")), str(basis.get("fact") or ""), facts()
    if doc in known.superseded:
        hint = f"改引 {known.superseded[doc]}"
        yield document.problem((*path, "doc"), f"依据 “{doc}” 已被取代", hint, warning=True)
    if not fact:
        return
    grade = known.grades.get(fact)
    if grade is None:
        guess = did_you_mean(fact, [each for each in known.grades if each[0] == fact[0]])
        yield document.problem((*path, "fact"), f"规则研究里没有事实 “{fact}”{guess}", "没有编号就不写 fact")
    elif grade == "M" or (grade == "C" and not example):
        message = f"事实 “{fact}” 的证据等级是 {grade}（{EVIDENCE[grade]}）"
        yield document.problem((*path, "fact"), message, "核对原文以后再作依据", warning=True)
