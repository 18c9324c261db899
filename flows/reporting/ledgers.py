"""台账导出: every register of a period as a table, for checking and for third parties (S-131, S-132)."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.reports.paper import Block, Paper, Para, Table
from flows.reporting import asking, sections
from flows.reporting.asking import Ask, View
from models.core.casework import Defect, Register
from models.ledger import reporting

HEAD = ("编号", "事项", "单位", "发生", "期限", "办结", "状态", "结果", "细项")
WIDE = (1.2, 2.6, 1.2, 1.2, 1.2, 1.2, 0.9, 1.8, 2)


def paper(ask: Ask) -> Paper:
    """The entries of a period, register by register; cancelled ones are left out."""
    with ask.house.store.read() as conn:
        rows = reporting.entries(conn, ask.period.since, ask.period.until)
        counts = {kind: [row for row in rows if row["kind"] == kind.value] for kind in Register}
        there = {kind: of_kind for kind, of_kind in counts.items() if of_kind}
        blocks: list[Block] = [_sums(there, ask)]
        for kind, of_kind in there.items():
            blocks += sections.headed(kind.zh, [_table(kind, of_kind, ask)])
        data = {"period": ask.period.key, "counts": {kind.value: len(of) for kind, of in there.items()}}
        title = f"{ask.period.name}台账"
        return asking.paper(conn, ask, "台账", title, blocks, data=data)


def _sums(there: dict[Register, list[View]], ask: Ask) -> Block:
    if not there:
        return Para("本期没有登记。")
    rows = tuple(
        (kind.zh, len(of), sum(row["done_at"] is not None for row in of), sum(_late(row, ask) for row in of))
        for kind, of in there.items()
    )
    return Table(("台账", "登记", "办结", "逾期"), rows, "汇总", (3, 1, 1, 1))


def _table(kind: Register, rows: Sequence[View], ask: Ask) -> Table:
    return Table(HEAD, tuple(_row(row, ask) for row in rows), kind.zh, WIDE)


def _row(row: View, ask: Ask) -> tuple[str, ...]:
    return (
        row["id"], row["title"], ask.unit(row["unit"]) if row["unit"] else "", sections.full(row["happened_at"])[:10],
        sections.full(row["due_at"]), sections.full(row["done_at"]), _state(row, ask), row["result"] or "",
        _details(row["details"]),
    )  # fmt: skip


def _late(row: View, ask: Ask) -> bool:
    """Done behind its limit, or open beyond it."""
    return row["due_at"] is not None and (row["done_at"] or ask.now) > row["due_at"]


def _state(row: View, ask: Ask) -> str:
    word = "已办结" if row["done_at"] else "未办结" if row["due_at"] else "已登记"
    return f"{word}，逾期" if _late(row, ask) else word


def _details(details: View) -> str:
    """What a register knows beside the common columns, short words only."""
    known = {"defect": lambda value: Defect(value).zh if value in set(Defect) else value}
    said = (
        (key, known.get(key, str)(value)) for key, value in details.items() if isinstance(value, str | int)
    )
    return "；".join(f"{key} {value}" for key, value in said)
