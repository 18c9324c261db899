"""事件卷宗: all of one incident, for the archive: facts, times, clocks, statements with their texts, evidence with
hashes, alerts, and the journal's own entries with theirs."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.reports.paper import Block, Heading, Paper, Para, Table
from flows.reporting import asking, effects, sections
from flows.reporting.asking import Ask, View
from models.core.casework import ProductKind, Verdict
from models.ledger import reporting, views
from models.ledger.store import Connection

MOST = 2000
"""Alerts of one incident that are listed; nobody reads more on paper."""


def paper(ask: Ask) -> Paper:
    """The whole file of an incident."""
    with ask.house.store.read() as conn:
        view = asking.seen(conn, ask)
        done = reporting.work(conn, view["id"])
        blocks = [
            *sections.headed("基本情况", sections.summary(view, ask)[:2]),
            *sections.headed("时间与定级", [sections.times(view), _grading(view)]),
            *sections.headed("时限", [*sections.limits(view, ask.now), _steps(view)]),
            *sections.headed("办理", sections.work(view, done, ask)),
            *sections.headed("稿件全文与审核", _texts(done["statements"], ask)),
            *sections.headed("发布会问答", _questions(done["meetings"])),
            *sections.headed("移交", _dossiers(done["dossiers"], ask)),
            *sections.headed("阶段成果", _products(done["products"], ask)),
            *sections.headed("舆情态势", effects.talk(conn, view, ask.now)),
            *sections.headed("网页核对", _pages(view)),
            *sections.headed("线索", [_signals(view)]),
            *sections.headed("提醒", [_alerts(conn, view)]),
            *sections.headed("留痕", _journal(view)),
        ]
        title = f"{view['ref']} {view['title']} 事件卷宗"
        return asking.paper(
            conn, ask, "事件卷宗", title, blocks, subtitle=f"（截至 {sections.full(ask.now)}）", data=view
        )


def _grading(view: View) -> Table:
    rows = tuple((part["part"], f"{part['grade']}级", part["reason"]) for part in view["grade_parts"])
    return Table(("方面", "级别", "理由"), rows, "定级理由", (1, 0.8, 5))


def _steps(view: View) -> Table:
    """Every step that was raised, with how late the system itself was."""
    raised = [(clock, step) for clock in view["clocks"] for step in clock["steps"] if step["raised_at"]]
    raised.sort(key=lambda pair: str(pair[1]["raised_at"]))
    rows = tuple(
        (
            clock["name"], step["key"], sections.full(step["due_at"])[5:], sections.full(step["raised_at"])[5:],
            f"第 {step['rung']} 级", "补发时略过" if step["skipped"] else "已提醒",
        )
        for clock, step in raised
    )  # fmt: skip
    return Table(("时钟", "节点", "应于", "实于", "到", "结果"), rows, "提醒节点", (2, 0.8, 1.3, 1.3, 1, 1.2))


def _texts(statements: Iterable[View], ask: Ask) -> list[Block]:
    """Every version of every statement, word for word, with its hash and who signed it."""
    blocks: list[Block] = []
    for statement in statements:
        blocks.append(Heading(statement["title"], 2))
        for text in statement["texts"]:
            blocks += [
                Para(f"第 {text['version']} 稿，{ask.person(text['by'])}，{sections.full(text['at'])}：")
            ]
            blocks += [Para(line) for line in str(text["text"]).splitlines() if line.strip()]
        blocks += [_hashes(statement, ask), _signatures(statement, ask)]
    return blocks


def _hashes(statement: View, ask: Ask) -> Table:
    rows = tuple((f"第 {t['version']} 稿", ask.person(t["by"]), t["sha256"]) for t in statement["texts"])
    return Table(("稿次", "作者", "SHA-256"), rows, "稿件指纹", (0.8, 1, 5))


def _signatures(statement: View, ask: Ask) -> Table:
    steps = {step["key"]: step.get("name", step["key"]) for step in statement["chain"]}
    rows = tuple(
        (
            f"第 {s['version']} 稿", steps.get(s["step"], s["step"]), ask.person(s["person"]), Verdict(s["verdict"]).zh,
            s["opinion"], sections.full(s["at"]),
        )
        for s in statement["signatures"]
    )  # fmt: skip
    return Table(
        ("稿次", "环节", "何人", "意见", "理由", "时间"),
        rows,
        "审核",
        (0.9, 1, 1, 0.8, 2.4, 1.4),
        "没有审核记录。",
    )


def _questions(meetings: Iterable[View]) -> list[Block]:
    rows = tuple((q.get("ask"), q.get("answer"), q.get("by")) for m in meetings for q in m["questions"])
    return [Table(("问", "答", "答者"), rows, "问答", (3, 4, 1))] if rows else []


def _products(rows: Iterable[View], ask: Ask) -> list[Block]:
    return [
        Para(
            f"{ProductKind(row['kind']).zh}（{ask.person(row['by'])}，{sections.full(row['at'])}）：{row['text']}"
        )
        for row in rows
    ]


def _pages(view: View) -> list[Block]:
    """How each page of evidence was found, each time it was looked at."""
    rows = tuple(
        (sections.full(page["at"]), e["url"], page["outcome_zh"], page["warc_sha256"])
        for e in view["evidence"]
        for page in e["pages"]
    )
    return (
        [Table(("时间", "网址", "所见", "存档 SHA-256"), rows, "网页核对", (1.2, 2.4, 0.9, 2.6))]
        if rows
        else []
    )


def _dossiers(rows: Iterable[View], ask: Ask) -> list[Block]:
    made = tuple(
        (
            sections.full(row["made_at"]), ask.person(row["made_by"]), row["receiver"], sections.full(row["handed_at"]),
            row["receipt"], row["sha256"],
        )
        for row in rows
    )  # fmt: skip
    head = ("制作", "制作人", "移交给", "移交", "回执", "SHA-256")
    return [Table(head, made, "证据包", (1.2, 0.9, 1.2, 1.2, 1, 2.4))] if made else []


def _signals(view: View) -> Table:
    """Every signal that the page shows, the newest first; how many there are beyond them stands in the title."""
    rows = tuple(
        (
            sections.full(s["at"]),
            s["medium_zh"],
            sections.clipped(s["title"] or s["body"], 80),
            s["sentiment_zh"],
            s["url"],
        )
        for s in view["signals_list"]
    )
    more = (
        f"（共 {view['signal_count']} 条，列出最近 {len(rows)} 条）"
        if view["signal_count"] > len(rows)
        else ""
    )
    return Table(("时间", "来源", "内容", "情绪", "网址"), rows, f"线索{more}", (1.2, 0.9, 3, 0.7, 2))


def _alerts(conn: Connection, view: View) -> Table:
    """Who was told of what and when, oldest first; when there are more than fit, the newest."""
    shown = views.recent_alerts(conn, MOST, view["id"])[::-1]
    rows = tuple(
        (
            sections.full(a["at"])[5:], a["name"], a["step"], a["channel"], a["state_zh"],
            sections.full(a["accepted_at"])[5:],
        )
        for a in shown
    )  # fmt: skip
    note = f"（最近 {len(rows)} 条）" if len(rows) >= MOST else ""
    head = ("时间", "何人", "节点", "渠道", "状态", "送达")
    return Table(head, rows, f"提醒记录{note}", (1.3, 1, 2, 0.9, 1, 1.3))


def _journal(view: View) -> list[Block]:
    rows = tuple(
        (
            entry["seq"],
            sections.full(entry["at"]),
            entry["kind_zh"],
            entry["actor"],
            _said(entry),
            entry["hash"],
        )
        for entry in view["timeline"]
    )
    words = "以下逐条摘自留痕，每条的指纹由上一条的指纹与本条内容算出；单条送达与撤回见上表，不在此重复。"
    head = ("序号", "时间", "何事", "何人", "内容", "指纹")
    return [Para(words, note=True), Table(head, rows, "留痕摘录", (0.7, 1.4, 0.9, 0.9, 3, 2.2))]


def _said(entry: View) -> str:
    reason = f"（{entry['reason']}）" if entry["reason"] and entry["reason"] not in entry["text"] else ""
    return f"{entry['text']}{reason}"
