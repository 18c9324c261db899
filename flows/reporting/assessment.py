"""考核: the workbook with formulas and charts, and the same as a paper. Both draw `assess`'s answer as it is;
the formulas compute it once more, so that a reader sees how a score came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connectors.reports.paper import Block, Paper, Para, Table
from connectors.reports.workbook import TOP, Cell, Chart, Formula, Number, Sheet, Workbook, cell, column
from flows.reporting import asking, sections
from flows.reporting.asking import Ask, View
from models.core.moment import span

CLOCKS, POINTS, WEIGHTS = "时钟", "加减分", "权重"


def paper(ask: Ask) -> Paper:
    """The assessment of a period for reading and signing."""
    found = _assessed(ask)
    with ask.house.store.read() as conn:
        title = f"{ask.period.name}政务舆情回应考核"
        return asking.paper(conn, ask, "考核", title, blocks(found), data=found)


def book(ask: Ask) -> Workbook:
    """The assessment of a period as a workbook."""
    found = _assessed(ask)
    return Workbook(f"{ask.period.name}政务舆情回应考核", ask.now, ask.signed, sheets(found, ask.period.name))


def _assessed(ask: Ask) -> View:
    from flows.office.assessment import assess  # the one reader of the figures

    found = assess(ask.house, ask.period.since, ask.period.until)
    return View(asking.veiled(found)) | {"most_bonus": ask.house.site.assessment.most_bonus}


# ── the workbook ──────────────────────────────────────────────────────────────────────────────


def sheets(found: View, period: str) -> tuple[Sheet, ...]:
    """The sheets of an assessment: totals by unit first, then what they are summed from."""
    note = f"期间：{period}；参数集：{found['profile']}；链尾：{found['head']}"
    return (
        _units(found, note), _clocks(found), _points(found), _weights(found), _triggers(found), _registers(found),
        _about(found, period),
    )  # fmt: skip


def _units(found: View, note: str) -> Sheet:
    weights = found["weights"]
    head = (
        "单位",
        "到期时钟",
        "按时",
        "按时率",
        *(w["name"] for w in weights),
        "扣分",
        "加分",
        "得分",
        "名次",
    )
    score = 4 + len(weights) + 2
    rows = tuple(_unit(n, unit, found) for n, unit in enumerate(found["units"]))
    charts = (
        Chart("各单位得分", "bar", 0, (score,), "分"),
        Chart("各单位按时率", "column", 0, (3,), percent=True),
    )
    return Sheet(
        "考核总表", head, rows, "考核总表", note, (22, 11, 9, 10, *(16 for _ in weights), 9, 9, 10, 8),
        charts if rows else (), _total(found, len(rows)),
    )  # fmt: skip


def _unit(n: int, unit: View, found: View) -> tuple[Cell, ...]:
    """A unit's line; every figure that follows from others is a formula."""
    met, decided = _sums(unit)
    name, parts = cell(0, n), len(found["weights"])
    off, bonus, score = cell(4 + parts, n), cell(5 + parts, n), cell(6 + parts, n)
    last = TOP + len(found["units"])
    scores = f"{column(6 + parts)}${TOP + 1}:{column(6 + parts)}${last}"
    most = found.get("most_bonus", 5.0)
    off_value, bonus_value = _signed(unit["deductions"]), min(most, _signed(unit["bonuses"]))
    return (
        unit["unit"] if "name" not in unit else unit["name"],
        Formula(f"SUMIFS({_of(CLOCKS, 'H')},{_of(CLOCKS, 'A')},{name})", decided),
        Formula(f"SUMIFS({_of(CLOCKS, 'D')},{_of(CLOCKS, 'A')},{name})", met),
        Formula(
            f'IF({cell(1, n)}=0,"",{cell(2, n)}/{cell(1, n)})', met / decided if decided else "", "percent"
        ),
        *(_part(n, x, weight, unit, decided) for x, weight in enumerate(found["weights"])),
        Formula(_points_of(name, "扣分"), off_value, "score"),
        Formula(f"MIN({most:g},{_points_of(name, '加分')})", bonus_value, "score"),
        Formula(
            f"ROUND(MAX(0,SUM({cell(4, n)}:{cell(3 + parts, n)})-{off}+{bonus}),2)", unit["score"], "score"
        ),
        Formula(f"RANK({score},{scores})", unit["rank"]),
    )


def _part(n: int, x: int, weight: View, unit: View, decided: int) -> Cell:
    """The points of a part. Those of the response follow from the clocks before our eyes."""
    points = next((part["score"] for part in unit["parts"] if part["key"] == weight["key"]), weight["full"])
    if weight["key"] != "response":
        return Number(points, "score")
    full = f"{WEIGHTS}!$C${TOP + 1 + x}"
    worth = f"IF({cell(1, n)}=0,{full},{full}*{cell(2, n)}/{cell(1, n)})"
    return Formula(f"ROUND({worth},2)", points, "score")


def _of(sheet: str, letter: str) -> str:
    """A whole column of another sheet."""
    return f"{sheet}!${letter}:${letter}"


def _points_of(name: str, kind: str) -> str:
    return f'SUMIFS({_of(POINTS, "D")},{_of(POINTS, "A")},{name},{_of(POINTS, "B")},"{kind}")'


def _sums(unit: View) -> tuple[int, int]:
    """Of a unit: how many clocks were met in time, how many were decided one way or the other."""
    met = sum(clock["met"] for clock in unit["clocks"])
    return met, met + sum(clock["met_late"] + clock["breached"] for clock in unit["clocks"])


def _signed(points: Iterable[View]) -> float:
    return float(sum(point["points"] for point in points))


def _total(found: View, rows: int) -> tuple[Cell, ...]:
    if not rows:
        return ()
    sums = [_sums(unit) for unit in found["units"]]
    met, decided = sum(one for one, _ in sums), sum(all_ for _, all_ in sums)
    last = TOP + rows
    blank = tuple("" for _ in found["weights"])
    mean = sum(unit["score"] for unit in found["units"]) / rows
    score = column(6 + len(found["weights"]))
    here = TOP + rows + 1
    return (
        "合计",
        Formula(f"SUM(B{TOP + 1}:B{last})", decided),
        Formula(f"SUM(C{TOP + 1}:C{last})", met),
        _rate(f"C{here}", f"B{here}", met, decided),
        *blank,
        "",
        "平均",
        Formula(f"AVERAGE({score}{TOP + 1}:{score}{last})", mean, "score"),
        "",
    )


def _clocks(found: View) -> Sheet:
    lines = [(unit, clock) for unit in found["units"] for clock in unit["clocks"]]
    rows = tuple(_clock(n, unit, clock) for n, (unit, clock) in enumerate(lines))
    head = ("单位", "时钟", "标识", "按时", "逾期完成", "逾期未完成", "免除", "计入", "按时率")
    return Sheet(
        CLOCKS,
        head,
        rows,
        "各单位各时钟",
        "按时率 = 按时 ÷ 计入；限内免除单列，不计入；逾期后免除的计在逾期未完成",
        (22, 24, 26, 8, 10, 12, 8, 8, 10),
    )


def _clock(n: int, unit: View, clock: View) -> tuple[Cell, ...]:
    decided = clock["met"] + clock["met_late"] + clock["breached"]
    return (
        unit.get("name", unit["unit"]), clock["name"], clock["rule_id"], clock["met"], clock["met_late"],
        clock["breached"], clock["waived"],
        Formula(f"SUM({cell(3, n)}:{cell(5, n)})", decided),
        _rate(cell(3, n), cell(7, n), clock["met"], decided),
    )  # fmt: skip


def _rate(part: str, whole: str, met: int, decided: int) -> Formula:
    """A share of two cells; empty where nothing counts."""
    return Formula(f'IF({whole}=0,"",{part}/{whole})', met / decided if decided else "", "percent")


def _points(found: View) -> Sheet:
    rows = tuple(
        (unit.get("name", unit["unit"]), kind, point["why"], float(point["points"]), point["ref"])
        for unit in found["units"]
        for kind, points in (("扣分", unit["deductions"]), ("加分", unit["bonuses"]))
        for point in points
    )
    return Sheet(POINTS, ("单位", "类别", "事由", "分值", "出处"), rows, "扣分与加分", "", (22, 8, 50, 8, 30))


def _weights(found: View) -> Sheet:
    rows = tuple(
        (
            w["name"],
            Number(w["weight"] / 100 if w["weight"] > 1 else w["weight"], "percent"),
            Number(w["full"], "score"),
            _basis(w),
        )
        for w in found["weights"]
    )
    total: tuple[Cell, ...] = ()
    if rows:
        whole = sum(w["full"] for w in found["weights"])
        total = ("合计", "", Formula(f"SUM(C{TOP + 1}:C{TOP + len(rows)})", whole, "score"), "")
    return Sheet(WEIGHTS, ("部分", "权重", "满分", "依据"), rows, "权重", "", (22, 10, 10, 60), total=total)


def _basis(row: View) -> str:
    basis = row.get("basis") or ""
    return basis if isinstance(basis, str) else "；".join(map(str, basis))


def _triggers(found: View) -> Sheet:
    rows = tuple(
        (t["trigger_zh"], t["unit"], t["incident"], t["why"], t.get("state_zh") or t["state"])
        for t in found["triggers"]
    )
    note = "系统只起草，由人决定"
    return Sheet(
        "问责建议", ("情形", "单位", "事件", "事由", "状态"), rows, "问责建议", note, (24, 22, 16, 50, 12)
    )


def _registers(found: View) -> Sheet:
    rows = tuple(
        (
            r["kind_zh"], r["name"], r["needed"], r["done"],
            Formula(f"MAX(0,{cell(2, n)}-{cell(3, n)})", max(0, (r["needed"] or 0) - (r["done"] or 0))),
            sections.day(r["until"]), "逾期" if r["late"] else "", _basis(r),
        )
        for n, r in enumerate(found["registers"])
    )  # fmt: skip
    head = ("台账", "事项", "应有", "已有", "尚缺", "截止", "状态", "依据")
    return Sheet("年度台账", head, rows, "年度台账", "", (16, 40, 8, 8, 8, 14, 8, 40))


def _about(found: View, period: str) -> Sheet:
    totals = found["totals"]
    on_time = totals.get("on_time")
    rows: tuple[tuple[Cell, ...], ...] = (
        ("期间", period),
        ("起", sections.full(found["from"])),
        ("止", sections.full(found["to"])),
        ("参数集", found["profile"]),
        ("事件", totals.get("incidents", 0)),
        ("时钟", totals.get("clocks", 0)),
        ("按时率", Number(on_time, "percent") if on_time is not None else ""),
        ("首次发布用时（中位数）", _median(totals)),
        ("链尾", found["head"]),
        ("核对", "huiying verify 由留痕重建全部数据；链尾与此相同，数字即与留痕一致"),
    )
    return Sheet("说明", ("项目", "内容"), rows, "说明", "", (26, 90))


def _median(totals: View) -> str:
    seconds = totals.get("first_statement_median_s")
    return span(seconds) if seconds is not None else ""


# ── the paper ─────────────────────────────────────────────────────────────────────────────────


def blocks(found: View) -> list[Block]:
    """The assessment in words and tables."""
    return [
        *sections.headed("总体情况", [_said(found)]),
        *sections.headed("各单位得分", [_ranked(found)]),
        *sections.headed("扣分与加分", [_credited(found["units"])]),
        *sections.headed("问责建议", [_proposed(found)]),
        *sections.headed("年度台账", [_kept(found)]),
        *sections.headed("计分办法", [_rules(found), Para(_method(found), note=True)]),
    ]


def _said(found: View) -> Para:
    totals = found["totals"]
    rate = f"，按时率 {totals['on_time']:.1%}" if totals.get("on_time") is not None else ""
    first = _median(totals)
    word = f"；首次发布权威信息用时中位数 {first}" if first else ""
    return Para(f"本期事件 {totals.get('incidents', 0)} 起，时钟 {totals.get('clocks', 0)} 个{rate}{word}。")


def _ranked(found: View) -> Table:
    parts = [w["key"] for w in found["weights"]]
    rows = tuple(
        (
            unit["rank"], unit.get("name", unit["unit"]), sections.share(*_sums(unit)),
            *(_points_in(unit, key) for key in parts), _signed(unit["deductions"]), _signed(unit["bonuses"]),
            float(unit["score"]),
        )
        for unit in sorted(found["units"], key=lambda unit: (unit["rank"], unit["unit"]))
    )  # fmt: skip
    head = ("名次", "单位", "按时", *(w["name"] for w in found["weights"]), "扣分", "加分", "得分")
    return Table(
        head, rows, "得分", (0.7, 2, 1.8, *(1.2 for _ in parts), 0.8, 0.8, 0.9), "本期没有可考核的单位。"
    )


def _points_in(unit: View, key: str) -> float | None:
    return next((float(part["score"]) for part in unit["parts"] if part["key"] == key), None)


def _credited(units: Sequence[View]) -> Table:
    rows = tuple(
        (unit.get("name", unit["unit"]), f"{sign}{point['points']:g}", point["why"], point["ref"])
        for unit in units
        for sign, points in (("-", unit["deductions"]), ("+", unit["bonuses"]))
        for point in points
    )
    return Table(
        ("单位", "分值", "事由", "出处"), rows, "扣分与加分", (1.5, 0.7, 3.5, 1.5), "没有扣分和加分。"
    )


def _proposed(found: View) -> Table:
    rows = tuple(
        (t["trigger_zh"], t["unit"], t["incident"], t["why"], t.get("state_zh") or t["state"])
        for t in found["triggers"]
    )
    return Table(
        ("情形", "单位", "事件", "事由", "状态"),
        rows,
        "问责建议",
        (1.5, 1.4, 1.2, 3, 1),
        "没有需要决定的问责建议。",
    )


def _kept(found: View) -> Table:
    rows = tuple(
        (
            r["name"],
            r["needed"],
            r["done"],
            sections.day(r["until"]),
            "逾期" if r["late"] else "",
            _basis(r),
        )
        for r in found["registers"]
    )
    return Table(
        ("事项", "应有", "已有", "截止", "状态", "依据"), rows, "年度台账", (2.6, 0.7, 0.7, 1.2, 0.8, 2)
    )


def _rules(found: View) -> Table:
    rows = tuple((w["name"], f"{_percent(w['weight'])}", w["full"], _basis(w)) for w in found["weights"])
    return Table(("部分", "权重", "满分", "依据"), rows, "权重", (1.5, 0.8, 0.8, 4))


def _percent(weight: float) -> str:
    return f"{weight if weight > 1 else 100 * weight:g}%"


def _method(found: View) -> str:
    return (
        "得分 = 各部分得分之和 - 扣分 + 加分（有上限），不低于 0；各部分得分 = 满分 × 按时率，没有事项的得满分；"
        "限内免除单列，不计入，逾期后免除的仍计逾期。"
        f"期间 {sections.full(found['from'])} 至 {sections.full(found['to'])}。"
    )
