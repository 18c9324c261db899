"""From a wish to a file: which report, of what, in which form; every refusal in one clear sentence."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.reports import excel, letterhead, pdf, plain, word
from connectors.reports.paper import NoSuchThing, Paper, ReportError
from connectors.reports.workbook import Workbook
from flows.reporting import afteraction, annual, assessment, brief, bulletin, dutylog, ledgers, special, whole
from flows.reporting.asking import Ask, templates
from flows.wiring import House
from models.core import periods
from models.core.moment import clock_face
from models.core.periods import Period
from models.ledger import journal
from playbooks.problem import did_you_mean

MEDIA = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "md": "text/markdown; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}
"""The forms, by the ending of the file."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report: `of` incident, period or either; `form` is what it is mostly wanted as."""

    key: str
    zh: str
    of: str
    form: str
    about: str
    build: Callable[[Ask], Paper]
    book: Callable[[Ask], Workbook] | None = None
    period: Callable[[Any], Period] = periods.day_of


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind("special", "舆情专报", "incident", "docx", "概况、态势、时限、已做工作、下一步", special.special),
        Kind("duty", "值班快报", "either", "docx", "此刻全部未结事件；写了事件即只报一起", special.duty),
        Kind("brief", "日报、周报", "period", "docx", "一天、一周或任意一段：数字、事件、逾期、线索", brief.paper),
        Kind("dutylog", "值班日志", "period", "docx", "逐班：谁在班、来了什么、做了什么、记事、签字", dutylog.paper),
        Kind(
            "bulletin", "季度通报", "period", "docx", "回应结果、四类网站问题、上季度整改", bulletin.paper,
            period=periods.quarter_of,
        ),
        Kind(
            "assessment", "考核", "period", "xlsx", "各单位得分与名次，公式与图表", assessment.paper, assessment.book,
            periods.year_to,
        ),
        Kind("annual", "年度报告章节", "period", "docx", "政府信息公开年报的舆情回应部分", annual.paper,
            period=periods.year_to),
        Kind("registers", "台账", "period", "xlsx", "各类台账逐条导出", ledgers.paper, period=periods.year_to),
        Kind("afteraction", "复盘报告", "incident", "docx", "时间链、逾期与原因、教训、改进任务", afteraction.paper),
        Kind("file", "事件卷宗", "incident", "pdf", "一起事件的全部：稿件全文、凭据与指纹、留痕摘录", whole.paper),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A report's file: its name, its bytes, what was in it."""

    kind: Kind
    name: str
    form: str
    content: bytes
    data: dict[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def make(house: House, kind: str, form: str, wish: Mapping[str, str]) -> Made:
    """The report `kind` as `form`. `wish`: incident?, period?, from?, to? as people write them.

    Raises ReportError with what is wrong and what to do.
    """
    asked = named(kind)
    if form not in MEDIA:
        raise ReportError(f"不会写 .{form[:12]} 文件；可用 {'、'.join(f'.{each}' for each in MEDIA)}")
    ask = _ask(house, asked, wish)
    content, data = _written(asked, ask, form)
    about = f"-{ask.incident}" if ask.incident else "" if asked.of == "either" else f"-{ask.period.key}"
    return Made(asked, f"{asked.zh}{about}.{form}".replace("、", ""), form, content, data)


def drawn(house: House, kind: str, wish: Mapping[str, str]) -> Paper:
    """The report before it is a file. Raises ReportError."""
    asked = named(kind)
    return asked.build(_ask(house, asked, wish))


def named(kind: str) -> Kind:
    """The kind of that name. Raises ReportError."""
    if kind not in KINDS:
        known = "、".join(f"{each.key}（{each.zh}）" for each in KINDS.values())
        raise NoSuchThing(f"没有报告 “{kind[:40]}”{did_you_mean(kind, list(KINDS))}；可用 {known}")
    return KINDS[kind]


def _written(kind: Kind, ask: Ask, form: str) -> tuple[bytes, dict[str, Any]]:
    folder = templates(ask.house)
    if form == "xlsx" and kind.book is not None:
        return excel.write(kind.book(ask)), {}
    paper = kind.build(ask)
    writers: Mapping[str, Callable[[], bytes]] = {
        "docx": lambda: word.write(paper, folder),
        "pdf": lambda: pdf.write(paper, folder),
        "md": lambda: plain.write(paper),
        "csv": lambda: plain.rows(paper),
        "xlsx": lambda: excel.write(excel.of_paper(paper)),
    }
    return writers[form](), paper.data


def _ask(house: House, kind: Kind, wish: Mapping[str, str]) -> Ask:
    now = house.time.now()
    incident = wish.get("incident", "").removeprefix("舆-")
    if kind.of == "incident" and not incident:
        raise ReportError(f"{kind.zh}要写明哪一起事件: --incident 2026-0001；用 huiying board 查看编号")
    if kind.of == "period" and incident:
        raise ReportError(f"{kind.zh}是一段时间的报告，不按事件；请去掉 --incident，写 --period")
    return Ask(house, now, _period(house, kind, wish), incident)


def _period(house: House, kind: Kind, wish: Mapping[str, str]) -> Period:
    """What was asked for, else the stretch that this kind is usually of. Raises ReportError."""
    now = house.time.now()
    text, since, until = (wish.get(key, "") for key in ("period", "from", "to"))
    if text and (since or until):
        raise ReportError("--period 与 --from/--to 只能写一种")
    if until and not since:
        raise ReportError(f"写了 --to {until} 却没有 --from；两个都写，或写 --period")
    try:
        found = (
            periods.read(text) if text else periods.between(since, until, now) if since else kind.period(now)
        )
    except ValueError as error:
        raise ReportError(str(error)) from None
    if kind.of == "period":
        _recorded(house, found)
    return found


def _recorded(house: House, period: Period) -> None:
    """A period in which we cannot have seen anything is refused; one in which nothing happened is reported."""
    with house.store.read() as conn:
        first = journal.began(conn)
    if period.since > house.time.now():
        raise ReportError(f"{period.name}还没有到；请写已经过去的期间")
    if first is None:
        raise ReportError("还没有任何记录，没有可报告的内容；先用 huiying run 收集，或用 huiying open 立案")
    if period.until <= first:
        raise ReportError(
            f"{period.name}没有任何记录：本站自 {first.year}-{clock_face(first)} 起才有；请写其后的期间"
        )


def form_of(path: Path) -> str:
    """The form that a file's ending asks for. Raises ReportError."""
    form = path.suffix.removeprefix(".").lower()
    if form not in MEDIA:
        said = f"文件 {path.name} 的结尾 .{form} 不认识" if form else f"文件 {path.name} 没有结尾"
        raise ReportError(f"{said}；请写成 {'、'.join(f'.{each}' for each in MEDIA)} 之一")
    return form


def put(path: Path, content: bytes) -> None:
    """The file, whole or not at all. Raises ReportError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise ReportError(f"写不了 {path}: {error.strerror}；请换一个可写的位置") from None
    finally:
        beside.unlink(missing_ok=True)


def export(folder: Path) -> list[Path]:
    """Our own templates, for a site to change. Raises ReportError; overwrites nothing."""
    made = {folder / letterhead.NAME: letterhead.template(), folder / pdf.NAME: pdf.OURS.read_bytes()}
    there = [path.name for path in made if path.exists()]
    if there:
        raise ReportError(f"{folder} 里已经有 {'、'.join(there)}；换一个目录，或先移走")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"建不了目录 {folder}: {error.strerror}；请换一个可写的位置") from None
    for path, content in made.items():
        put(path, content)
    return list(made)
