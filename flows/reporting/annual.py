"""年度报告: the chapter on answering the public of the annual report (政府信息公开条例 49, N-048), with the look-back
on last year's work (S-129)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from connectors.reports.paper import Block, Paper, Para, Picture, Table
from flows.reporting import asking, bulletin, pictures, sections
from flows.reporting.asking import Ask, View
from flows.reporting.brief import opened_in
from models.core.casework import Defect, MeetingKind, Register
from models.core.moment import local, parse_iso, span
from models.core.periods import Period, months
from models.ledger import reporting
from models.ledger.limits import kind_zh as work_zh
from models.ledger.store import Connection

WATCHED = (Register.COMPLAINT, Register.SUPERVISION, Register.ACCOUNTABILITY, Register.SITE_ERROR)


def paper(ask: Ask) -> Paper:
    """The chapter of a year (or of another period)."""
    since, until = ask.period.since, ask.period.until
    with ask.house.store.read() as conn:
        incidents = reporting.incidents(conn, since, until, ask.now, ask.house.names)
        entries = reporting.entries(conn, since, until)
        intake = reporting.intake(conn, since, until)
        requests = foi([e for e in entries if e["kind"] == Register.DISCLOSURE_REQUEST.value], ask)
        words, opened = sections.counted(incidents), opened_in(incidents, ask)
        blocks = [
            *sections.headed("总体情况", [sections.overview(incidents, opened, words), _voice(intake)]),
            *sections.headed("政务舆情回应", _response(conn, incidents, ask)),
            *sections.headed("依申请公开", _requests(requests)),
            *sections.headed("解读、会议与培训", [_counters(entries)]),
            *sections.headed("网站监测与整改", _findings(entries)),
            *sections.headed("监督与问责", [_watched(entries)]),
            *sections.headed("存在的问题和改进", _problems(incidents, ask)),
        ]
        data = {"period": ask.period.key, **words, "opened": opened, "requests": requests}
        title = f"{ask.period.name}政府信息公开工作年度报告（政务舆情回应部分）"
        return asking.paper(conn, ask, "年度报告", title, blocks, data=data)


def _voice(intake: View) -> Para:
    said = "、".join(f"{name} {count} 条" for name, count in intake["by_medium"][:6])
    return Para(f"全年收集线索 {intake['total']} 条{f'，其中{said}' if said else ''}。")


def _response(conn: Connection, incidents: Sequence[View], ask: Ask) -> list[Block]:
    by_month = [(f"{local(month.since).month}月", _opened(incidents, month)) for month in months(ask.period)]
    held = reporting.meetings(conn, ask.period.since, ask.period.until)
    out = reporting.releases(conn, ask.period.since, ask.period.until)
    kinds = Counter(MeetingKind(m["kind"]).zh for m in held)
    said = "、".join(f"{name} {count} 次" for name, count in kinds.most_common()) or "没有举行发布会"
    return [
        Picture(
            pictures.columns(by_month, "各月立案"), "各月立案数", "；".join(f"{n} {c}" for n, c in by_month)
        ),
        Para(f"发布审定稿件 {len({r['statement_id'] for r in out})} 件、{len(out)} 次；{said}。"),
        _rules(incidents),
    ]


def _opened(incidents: Sequence[View], month: Period) -> int:
    return sum(month.since <= parse_iso(i["opened_at"]) < month.until for i in incidents)


def _rules(incidents: Sequence[View]) -> Table:
    """Each limit: how often it ran, how often it was kept, the middle of what it took; the limits that the work
    itself set by what they are for, below the others."""
    found: dict[tuple[bool, str], list[View]] = {}
    for incident in incidents:
        for clock in incident["clocks"]:
            kind = work_zh(clock["id"])
            found.setdefault((kind is not None, kind or clock["name"]), []).append(clock)
    rows = tuple(_rule(name, clocks) for (_, name), clocks in sorted(found.items()))
    return Table(
        ("时钟", "次数", "按时", "逾期", "免除", "用时中位数"), rows, "各时限", (2.4, 0.8, 0.8, 0.8, 0.8, 1.5)
    )


def _rule(name: str, clocks: Sequence[View]) -> tuple[str, int, int, int, int, str]:
    sums = sections.counted([{"clocks": clocks}])
    took = sorted(
        (parse_iso(c["ended_at"]) - parse_iso(c["started_at"])).total_seconds() for c in clocks if c["met_at"]
    )
    middle = span(took[len(took) // 2]) if took else ""
    return (name, len(clocks), sums["kept"], sums["late"], sums["waived"], middle)


def foi(requests: Sequence[View], ask: Ask) -> View:
    """Requests for information: received, answered, in time, late, open, overdue."""
    done = [r for r in requests if r["done_at"]]
    late = sum(r["due_at"] is not None and r["done_at"] > r["due_at"] for r in done)
    waiting = [r for r in requests if not r["done_at"]]
    return {
        "received": len(requests),
        "answered": len(done),
        "in_time": len(done) - late,
        "late": late,
        "open": len(waiting),
        "overdue": sum(r["due_at"] is not None and r["due_at"] < ask.now for r in waiting),
    }


def _requests(sums: View) -> list[Block]:
    if not sums["received"]:
        return [Para("本期没有登记依申请公开的申请。")]
    words = (
        f"收到申请 {sums['received']} 件，答复 {sums['answered']} 件，按期答复 "
        f"{sections.share(sums['in_time'], sums['answered'])}，逾期答复 {sums['late']} 件；"
        f"尚未答复 {sums['open']} 件，其中已超期 {sums['overdue']} 件。"
    )
    return [Para(words)]


COUNTERS = (
    Register.INTERPRETATION, Register.HEARING, Register.OPEN_MEETING, Register.TRAINING, Register.DRILL, Register.MEDIA,
)  # fmt: skip


def _counters(entries: Sequence[View]) -> Table:
    rows = tuple((kind.zh, sum(e["kind"] == kind.value for e in entries)) for kind in COUNTERS)
    return Table(("事项", "次数"), rows, "年度事项", (3, 1))


def _findings(entries: Sequence[View]) -> list[Block]:
    found = [e for e in entries if e["kind"] == Register.FINDING.value]
    if not found:
        return [Para("本期没有登记网站监测问题。")]
    sums, counts = bulletin.mending(found), bulletin.by_defect(found)
    said = "、".join(f"{Defect(key).zh} {count} 个" for key, count in counts.items())
    return [
        Para(
            f"监测发现问题 {len(found)} 个：{said}；已整改 {sections.share(sums['mended'], sums['found'])}。"
        )
    ]


def _watched(entries: Sequence[View]) -> Table:
    rows = tuple(
        (
            kind.zh,
            len(of_kind := [e for e in entries if e["kind"] == kind.value]),
            sum(e["done_at"] is not None for e in of_kind),
        )
        for kind in WATCHED
    )
    return Table(("台账", "登记", "办结"), rows, "监督", (3, 1, 1))


def _problems(incidents: Sequence[View], ask: Ask) -> list[Block]:
    late = sum(c["state"] in sections.LATE for i in incidents for c in i["clocks"])
    first = f"全年逾期时钟 {late} 个，详见下表；原因与教训见各事件复盘。" if late else "全年没有逾期的时钟。"
    return [Para(first), sections.overdue(incidents, ask.now, ask)] if late else [Para(first)]
