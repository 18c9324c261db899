"""What is wrong in a file, said so that its author can mend it: place, sentence, hint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `line` and `column` count from 1; a `warning` does not stop the file from being used."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        mark = "提醒：" if self.warning else ""
        hint = f"（{self.hint}）" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {mark}{self.message}{hint}"


class Problems(Exception):
    """Every problem of one run, in the order of file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that stop: without the warnings."""
    return [problem for problem in problems if not problem.warning]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: the only one that holds `word`, or one that differs
    in at most 40% of its letters."""
    choices = list(known)
    holding = [choice for choice in choices if len(word) >= 4 and word.lower() in choice]
    if len(holding) == 1:
        return holding[0]
    found = process.extractOne(
        word.lower()[:100], choices, scorer=DamerauLevenshtein.normalized_distance, score_cutoff=0.4
    )
    return found[0] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """“，是不是 “amount”？”, or nothing."""
    found = nearest(word, known)
    return f"，是不是 “{found}”？" if found else ""


def listed(known: Iterable[str], most: int = 12) -> str:
    """A short list for a hint: a、b、c …"""
    words = list(known)
    return "、".join(words[:most]) + (" …" if len(words) > most else "")
