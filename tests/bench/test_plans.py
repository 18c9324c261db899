"""Texts per second through keyword plans of ten thousand terms, and what they add to triage."""

from __future__ import annotations

import time

from flows.timekeeping import machine_now
from models.core.plans import All as Both
from models.core.plans import AnyOf, Near, Not, Plan, PlanBook, Word
from models.core.text import canonical
from support.figures import Figures
from support.texts import signals as texts

TERMS = 10_000
UNIT = "texts/s"


def term(number: int) -> str:
    """A word of three characters that no other number gives."""
    return "".join(chr(0x4E00 + digit) for digit in divmod(number * 7 + 13, 317)) + chr(0x5000 + number % 900)


def book() -> PlanBook:
    """A thousand plans of ten terms: four alternatives, a pair that stands near, three exclusions, one more."""
    plans = []
    for n in range(TERMS // 10):
        words = [term(n * 10 + k) for k in range(10)]
        either = AnyOf(tuple(Word(word) for word in (*words[:4], "隧道口" if n % 50 == 0 else words[4])))
        near = Near(((words[5],), (words[6], "小区")), 10)
        rule = Both((AnyOf((either, near)), Not(AnyOf(tuple(Word(word) for word in words[7:])))))
        plans.append(Plan(str(n), str(n), rule))
    return PlanBook(plans)


def test_ten_thousand_terms_are_matched(short: bool, measured: Figures) -> None:
    count = 2_000 if short else 50_000
    began = time.perf_counter()
    plans = book()
    compiled = time.perf_counter() - began
    said = [(one, canonical(one.title), canonical(one.body)) for one in texts(count, machine_now())]
    began = time.perf_counter()
    fired = sum(bool(plans.fire(*one)) for one in said)
    seconds = time.perf_counter() - began
    length = sum(len(title) + len(body) for _, title, body in said) / count
    measured.add(
        f"plans of {TERMS:,} terms, texts of {length:.0f} characters", UNIT, "no database", count / seconds
    )
    measured.add("  compiling them", "s", "no database", compiled)
    assert fired > 0
