"""What an event would need to be graver: each level's bounds of the text that applies, beside what is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.core.grade import table_for
from models.core.standards import LEVELS, MEASURES, Row, Standards, Table
from models.core.vocabulary import EventType

View = dict[str, Any]


def applying(basis: Iterable[str], kind: EventType | None, standards: Standards) -> Table:
    """The table whose fact id a part of the grade cites, else the one for the type of event."""
    cited = set(basis)
    named = (table for table in standards.tables.values() if cited & set(table.facts))
    return next(named, None) or table_for(kind, None, None, standards)


def bounds(table: Table, facts: Mapping[str, float]) -> list[View]:
    """The levels, the gravest first: [{grade, grade_zh, fact, rows [{words, have, reached}]}]; of a level's rows
    any one is enough (以上含本数). `have`: what is known of the row's measures, in words."""
    return [
        {
            "grade": level.value,
            "grade_zh": level.zh,
            "fact": fact,
            "rows": [_row(row, facts) for row in table.rows.get(level, ())],
        }
        for level, fact in zip(LEVELS, table.facts, strict=True)
        if table.rows.get(level)
    ]


def _row(row: Row, facts: Mapping[str, float]) -> View:
    known = {name: value(facts, name) for name in row}
    return {
        "words": "且".join(f"{MEASURES[name][0]} ≥ {said(name, least)}" for name, least in row.items()),
        "have": "、".join(said(name, n) for name, n in known.items() if n is not None) or "未见说明",
        "reached": all(n is not None and n >= row[name] for name, n in known.items()),
    }


def value(facts: Mapping[str, float], name: str) -> float | None:
    """The count that a measure asks for; 地震 counts the missing among the dead (N-108)."""
    if name != "dead_or_missing":
        return facts.get(name)
    known = [facts[part] for part in ("deaths", "missing") if part in facts]
    return sum(known) if known else None


def said(name: str, number: float) -> str:
    """A measure's number with its unit: 12 人, 5000 万元, 设区的市级."""
    if name == "source_cut":
        return "设区的市级" if number >= 2 else "县级"
    if name == "loss_cny":
        return f"{number / 1e8:g} 亿元" if number >= 1e8 else f"{number / 1e4:g} 万元"
    return f"{number:g} {MEASURES[name][1]}"
