"""The parts that several reports have in common: what is known, how loud it was, which limits were kept,
what was done. Each takes views and gives blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from connectors.reports.paper import Block, Heading, Para, Picture, Row, Table
from flows.reporting import pictures
from flows.reporting.asking import Ask, View
from models.core.casework import (
    MeetingKind,
    MeetingState,
    Outlet,
    PartyRole,
    PartyState,
    ProductKind,
    StatementState,
    TaskState,
    Verdict,
)
from models.core.moment import clock_face, deadline_face, local, parse_iso, span
from models.core.vocabulary import OPEN_STATES, ClockState, EvidenceKind
from models.ledger.limits import kind_zh as work_zh

OPEN = frozenset(state.value for state in OPEN_STATES)
LATE = (ClockState.MET_LATE.value, ClockState.BREACHED.value)
KEPT = (ClockState.MET.value,)
BRIEF = 60
"""Characters of a reason where it is only a reminder; the incident's file has it whole."""
COUNTED = (*KEPT, *LATE)
"""Clocks by which being on time is measured: kept or late; what runs still and what was waived is left out."""


def full(moment: datetime | str | None) -> str:
    """A moment for a document: 2026-11-21 02:13; — when unknown."""
    if not moment:
        return ""
    at = local(parse_iso(moment) if isinstance(moment, str) else moment)
    return f"{at:%Y-%m-%d %H:%M}"


def day(moment: datetime | str | None) -> str:
    """A limit's day: what ends at midnight ends the day before (民法典 203); — when unknown."""
    if not moment:
        return ""
    at = local(parse_iso(moment) if isinstance(moment, str) else moment)
    return f"{at - timedelta(seconds=1):%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%d}"


def lateness(clock: View, now: datetime) -> float:
    """Seconds behind the limit, 0 when it was kept or is not over."""
    due = parse_iso(clock["due_at"])
    end = parse_iso(clock["ended_at"]) if clock.get("ended_at") else now
    return max(0.0, (end - due).total_seconds()) if clock["state"] in LATE else 0.0


def outcome(clock: View, now: datetime) -> str:
    """What became of a clock, in words."""
    state = clock["state"]
    if state in LATE:
        return f"{clock['state_zh']}，迟 {span(lateness(clock, now))}"
    if state in OPEN:
        left = (parse_iso(clock["due_at"]) - now).total_seconds()
        return f"{clock['state_zh']}，还剩 {span(left)}"
    return str(clock["state_zh"])


def share(part: int, whole: int) -> str:
    """A share in words: 5/8（62.5%）; — of nothing."""
    return f"{part}/{whole}（{part / whole:.1%}）" if whole else "—"


_CALL = re.compile(r"^[（(【\[]?(?:快讯|突发|最新|独家|视频|网曝)[】\]）)]?[：:！!｜| ]*")


def matter(title: str) -> str:
    """A title without the newspaper's call before it."""
    return _CALL.sub("", title) or title


def clipped(words: str, longest: int | None) -> str:
    """The words, cut where they are too long, and marked so."""
    return words if longest is None or len(words) <= longest else f"{words[: longest - 1]}…"


# ── of one incident ───────────────────────────────────────────────────────────────────────────


def summary(view: View, ask: Ask) -> list[Block]:
    """基本情况: what it is, in one paragraph; the known times and facts."""
    kind = f"，类别为{view['kind_zh']}" if view["kind_zh"] else ""
    place = f"，发生地{view['place']}" if view["place"] else ""
    sure = "（系统暂定，待人工确认）" if view["provisional"] else ""
    closed = f"，{full(view['closed_at'])}办结" if view["closed_at"] else ""
    words = (
        f"{view['title']}（{view['ref']}）于{full(view['opened_at'])}立案{place}{kind}。"
        f"级别为{view['grade']}级（{view['grade_zh']}，{view['colour']}色）{sure}；"
        f"牵头单位：{ask.unit(view['owner'])}；目前处于{view['stage_zh']}阶段{closed}。立案理由：{view['reason']}。"
    )
    return [Para(words), _facts(view), times(view, BRIEF)]


def _facts(view: View) -> Table:
    rows = tuple(
        (fact["name"], str(fact.get("value", "")), str(fact.get("text", ""))) for fact in view["facts"]
    )
    return Table(("事项", "数值", "原文"), rows, "已知情况", (1, 1, 3), "线索中没有写明伤亡、损失等情况。")


def times(view: View, longest: int | None = None) -> Table:
    """Every known time with its author and reason, at most so long; a correction stands below what it
    corrects (law 7)."""
    rows = tuple(
        (t["event_zh"], full(t["value"]), t["by"], clipped(t["reason"], longest)) for t in view["times"]
    )
    return Table(("何事", "何时", "记录人", "依据"), rows, "各个时间", (1, 1.5, 1, 3))


def loudness(view: View, hours: pictures.Hours, makeup: View) -> list[Block]:
    """舆情态势: how many, where, how negative, the two pictures."""
    if not makeup["total"]:
        return [Para("尚无线索归入本事件。")]
    most = max(hours, key=lambda hour: hour[1])
    words = (
        f"截至目前共有线索 {makeup['total']} 条，负面占 {makeup['negative']:.1%}；"
        f"最多的一小时是 {clock_face(most[0])}，{most[1]} 条。"
    )
    media = "、".join(f"{name} {count}" for name, count in makeup["by_medium"])
    return [
        Para(words),
        Picture(pictures.heat(hours), "每小时线索数", words),
        Picture(pictures.mood(hours), "负面占比", f"负面共占 {makeup['negative']:.1%}"),
        Para(f"来源：{media}。"),
        _voices(view),
    ]


def _voices(view: View) -> Table:
    """The newest signals that are no copies of others: at most eight."""
    own = [s for s in view["signals_list"] if s["copy_of"] is None][:8]
    rows = tuple(
        (full(s["at"])[5:], s["medium_zh"], s["title"] or s["body"][:60], s["sentiment_zh"]) for s in own
    )
    return Table(("时间", "来源", "内容", "情绪"), rows, "主要说法", (1.3, 1, 4, 0.8))


def limits(view: View, now: datetime) -> list[Block]:
    """回应时限: every clock with its basis, the picture, what is late."""
    shown = [clock for clock in view["clocks"] if clock["state"] != ClockState.ARMED.value]
    if not shown:
        return [Para("本事件没有设立时钟。")]
    rows = tuple(_limit(clock, now) for clock in shown)
    head = ("时钟", "起算", "时限", "结果", "依据")
    late = [clock for clock in shown if clock["state"] in LATE]
    said = "；".join(f"{c['name']}迟{span(lateness(c, now))}" for c in late)
    words = (
        f"共 {len(shown)} 个时钟，其中逾期 {len(late)} 个：{said}。"
        if late
        else f"共 {len(shown)} 个时钟，没有逾期。"
    )
    return [
        Para(words),
        Table(head, rows, "各个时钟", (1.6, 1.8, 1.4, 1.7, 2.2)),
        Picture(pictures.clocks(shown, now), "时限与完成", words),
    ]


def _limit(clock: View, now: datetime) -> Row:
    start = f"{clock['start_event_zh']} {clock_face(parse_iso(clock['started_at']))}"
    basis = "、".join(map(str, clock["basis"]))
    return (clock["name"], start, deadline_face(parse_iso(clock["due_at"])), outcome(clock, now), basis)


def work(view: View, done: View, ask: Ask) -> list[Block]:
    """已做工作: units, statements, meetings, publications, progress; only what there is."""
    parts = (
        _parties(done["parties"], ask), _statements(done["statements"], ask), _releases(done, ask),
        _meetings(done["meetings"]), evidence(view), _tasks(done["tasks"], ask), progress(view),
    )  # fmt: skip
    found: list[Block] = [part for part in parts if part.rows]
    return found or [Para("尚无办理记录。")]


def _parties(rows: Sequence[View], ask: Ask) -> Table:
    made = tuple(
        (
            ask.unit(p["unit"]), PartyRole(p["role"]).zh, PartyState(p["state"]).zh, full(p["asked_at"]),
            full(p["answered_at"]), p["answer"] or p["reason"],
        )
        for p in rows
    )  # fmt: skip
    return Table(("单位", "责任", "认领", "交办", "答复", "说明"), made, "责任单位", (1.6, 1, 1, 1.5, 1.5, 2))


def _statements(rows: Sequence[View], ask: Ask) -> Table:
    made = tuple(
        (
            s["title"], EvidenceKind(s["kind"]).zh, ask.unit(s["unit"]), StatementState(s["state"]).zh,
            _signed(s["signatures"], ask), full(s["released_at"]),
        )
        for s in rows
    )  # fmt: skip
    return Table(
        ("稿件", "种类", "单位", "状态", "审核", "发布"), made, "稿件与三审", (2, 1.3, 1.3, 1, 2, 1.4)
    )


def _signed(signatures: Iterable[View], ask: Ask) -> str:
    return "；".join(f"{ask.person(s['person'])}{Verdict(s['verdict']).zh}" for s in signatures)


def _releases(done: View, ask: Ask) -> Table:
    titles = {s["id"]: s["title"] for s in done["statements"]}
    made = tuple(
        (titles.get(r["statement_id"], ""), Outlet(r["outlet"]).zh, full(r["at"]), _same(r), r["url"])
        for r in done["releases"]
    )
    return Table(("稿件", "渠道", "时间", "与审定稿", "网址"), made, "发布", (2, 1, 1.4, 1, 2.4))


def _same(release: View) -> str:
    return {None: "待核对", True: "一致", False: "不一致"}[release["same"]]


def _meetings(rows: Sequence[View]) -> Table:
    made = tuple(
        (
            MeetingKind(m["kind"]).zh, full(m["held_at"] or m["starts_at"]), m["place"], MeetingState(m["state"]).zh,
            m["speaker"], len(m["questions"]),
        )
        for m in rows
    )  # fmt: skip
    return Table(
        ("会议", "时间", "地点", "状态", "发布人", "问答"), made, "发布会", (1.4, 1.5, 1.5, 1, 1.4, 0.7)
    )


def evidence(view: View) -> Table:
    """凭据: what was published, when by the platform, its hash."""
    made = tuple(
        (
            e["kind_zh"] + ("（已撤回）" if e["standing"] else ""), e["publisher"], full(e["published_at"]),
            e["url"], e["sha256"],
        )
        for e in view["evidence"]
    )  # fmt: skip
    return Table(
        ("凭据", "发布者", "发布时间", "网址", "SHA-256"), made, "止算凭据", (1.2, 1.2, 1.2, 1.8, 2.4)
    )


def _tasks(rows: Sequence[View], ask: Ask) -> Table:
    made = tuple(
        (
            t["name"], ask.unit(t["unit"]) if t["unit"] else ask.person(t["person"]), full(t["due_at"]),
            TaskState(t["state"]).zh, t["result"],
        )
        for t in rows
    )  # fmt: skip
    return Table(("任务", "由谁", "期限", "状态", "结果"), made, "任务", (2.2, 1.3, 1.4, 0.9, 2))


def progress(view: View) -> Table:
    """进展: what people noted."""
    noted = [entry for entry in view["timeline"] if entry["kind"] == "progress_noted"]
    rows = tuple((full(entry["at"]), entry["actor"], entry["text"]) for entry in noted)
    return Table(("时间", "记录人", "进展"), rows, "进展", (1.4, 1, 4))


def products(done: View, ask: Ask, *kinds: ProductKind) -> list[Block]:
    """The newest product of each kind, as it was written."""
    newest = {row["kind"]: row for row in done["products"]}
    found: list[Block] = []
    for kind in kinds:
        if row := newest.get(kind.value):
            found.append(Para(f"{kind.zh}（{ask.person(row['by'])}，{full(row['at'])}）：{row['text']}"))
    return found


def ahead(view: View, now: datetime) -> list[Block]:
    """下一步: what runs, the most pressing first."""
    running = sorted((c for c in view["clocks"] if c["state"] in OPEN), key=lambda c: str(c["due_at"]))
    if not running:
        return [Para("没有仍在计时的时钟。")]
    said = [
        f"{c['name']}：时限 {deadline_face(parse_iso(c['due_at']))}，{outcome(c, now)}。" for c in running
    ]
    return [Para(words) for words in said]


# ── of a period ───────────────────────────────────────────────────────────────────────────────


def counted(incidents: Sequence[View]) -> View:
    """How many clocks ended how: kept, late, waived, running, on_time (0..1 or None)."""
    states = [clock["state"] for incident in incidents for clock in incident["clocks"]]
    kept, late = sum(s in KEPT for s in states), sum(s in LATE for s in states)
    return {
        "kept": kept,
        "late": late,
        "waived": states.count(ClockState.WAIVED.value),
        "running": sum(s in OPEN and s not in LATE for s in states),
        "on_time": kept / (kept + late) if kept + late else None,
    }


def overview(incidents: Sequence[View], opened: int, words: View) -> Para:
    """The figures of a period in one sentence."""
    grades = "、".join(
        f"{grade}级 {count} 起" for grade in ("I", "II", "III", "IV")
        if (count := sum(i["grade"] == grade for i in incidents))
    )  # fmt: skip
    rate = f"，按时率 {words['on_time']:.1%}" if words["on_time"] is not None else ""
    return Para(
        f"办理事件 {len(incidents)} 起，其中新立案 {opened} 起{f'（{grades}）' if grades else ''}。"
        f"时钟按时完成 {words['kept']} 个，逾期 {words['late']} 个，免除 {words['waived']} 个，"
        f"仍在计时 {words['running']} 个{rate}。"
    )


def listed(incidents: Sequence[View], ask: Ask) -> Table:
    """Every incident in a line."""
    rows = tuple(
        (
            i["ref"], i["title"], f"{i['grade']}级", ask.unit(i["owner"]), full(i["opened_at"])[5:],
            f"已办结 {full(i['closed_at'])[5:]}" if i["closed_at"] else i["stage_zh"],
        )
        for i in incidents
    )  # fmt: skip
    return Table(
        ("编号", "事件", "级别", "牵头单位", "立案", "进度"), rows, "事件", (1.5, 3, 0.7, 1.4, 1.2, 1.5)
    )


def grouped(pairs: Iterable[tuple[View, View]]) -> list[tuple[View, View, str]]:
    """(incident, clock, what it is called) in the same order; of an incident's limits of one kind of work (three
    steps of a review) only the first, with how many they are."""
    groups: dict[tuple[str, str], list[tuple[View, View]]] = {}
    for incident, clock in pairs:
        kind = work_zh(clock["id"]) or clock["key"]
        groups.setdefault((incident["id"], kind), []).append((incident, clock))
    return [(*of[0], _called(of[0][1], len(of))) for of in groups.values()]


def _called(clock: View, count: int) -> str:
    kind = work_zh(clock["id"])
    return f"{kind}（{count} 项）" if kind and count > 1 else kind or str(clock["name"])


def overdue(incidents: Sequence[View], now: datetime, ask: Ask) -> Table:
    """Every late clock with how late it is, the worst first; the work's own limits grouped."""
    late = [(i, c) for i in incidents for c in i["clocks"] if c["state"] in LATE]
    late.sort(key=lambda pair: -lateness(pair[1], now))
    rows = tuple(
        (
            i["ref"],
            i["title"],
            name,
            deadline_face(parse_iso(c["due_at"])),
            outcome(c, now),
            ask.unit(i["owner"]),
        )
        for i, c, name in grouped(late)
    )
    return Table(
        ("编号", "事件", "时钟", "时限", "结果", "单位"),
        rows,
        "逾期",
        (1.5, 2.4, 1.4, 1.2, 1.7, 1.3),
        "没有逾期。",
    )


def public(intake: View) -> list[Block]:
    """舆情收集: how much came in, where from, how negative."""
    if not intake["total"]:
        return [Para("本期没有收到线索。")]
    said = "、".join(f"{name} {count}" for name, count in intake["by_sentiment"])
    rows = tuple((name, count, f"{count / intake['total']:.1%}") for name, count in intake["by_medium"])
    topics = tuple(
        (name, count, f"{count / intake['total']:.1%}") for name, count in intake["by_topic"] if name
    )
    return [
        Para(f"共收到线索 {intake['total']} 条：{said}。"),
        Table(("来源", "条数", "占比"), rows, "线索来源", (3, 1, 1)),
        Table(("领域", "条数", "占比"), topics, "线索领域", (3, 1, 1)),
    ]


def headed(title: str, blocks: Iterable[Block], level: int = 1) -> list[Block]:
    """A heading and what stands under it; nothing when nothing does."""
    found = list(blocks)
    return [Heading(title, level), *found] if found else []
