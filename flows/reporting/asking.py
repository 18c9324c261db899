"""What every report is asked with, and what every one of them shares: the frame of its paper, masked words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.reports.paper import (
    Block,
    Cell,
    Heading,
    NoSuchThing,
    Paper,
    Para,
    Picture,
    ReportError,
    Table,
)
from flows.wiring import House
from models.core.periods import Period
from models.core.personal import mask_personal
from models.ledger import reporting, views
from models.ledger.incidents import NoSuchIncident
from models.ledger.store import Connection

View = dict[str, Any]
_HASH = re.compile(r"(?=\d*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{12}…|[0-9a-f]{16}…)")
"""Whole or cut as we cut them, with a letter at least: a number alone may be somebody's."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+-]+")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_PICTURED = re.compile("[\U0001f000-\U0001faff\ufe0f\u200d]+")


@dataclass(frozen=True, slots=True)
class Ask:
    """One wish for a report: of which incident, or of which period, as seen when."""

    house: House
    now: datetime
    period: Period
    incident: str = ""

    def unit(self, unit_id: str | None) -> str:
        """A unit in words."""
        if not unit_id:
            return "未定"
        found = self.house.site.roster.unit(unit_id)
        return found.name if found else unit_id

    def person(self, person_id: str | None) -> str:
        """A person in words."""
        return self.house.names.get(person_id or "", person_id or "未定")

    @property
    def signed(self) -> str:
        return self.house.site.reports.signed or self.house.site.name


def templates(house: House) -> Path | None:
    """The folder of the site's own templates and fonts. Raises ReportError when it is not there."""
    named = house.site.reports.templates
    if named is None:
        return None
    folder = (house.site.directory / named).resolve()
    if not folder.is_dir():
        raise ReportError(
            f"没有模板目录 {named}；用 huiying report templates -o {named} 导出一份，或删去这一行"
        )
    return folder


def seen(conn: Connection, ask: Ask) -> View:
    """The incident that was asked for, whole. Raises NoSuchThing when there is none of that number."""
    try:
        return views.incident(conn, ask.incident, ask.now, ask.house.called)
    except NoSuchIncident:
        raise NoSuchThing(f"没有编号为 {ask.incident} 的事件；用 huiying board 查看编号") from None


def paper(
    conn: Connection,
    ask: Ask,
    kind: str,
    title: str,
    blocks: Iterable[Block],
    *,
    subtitle: str = "",
    data: View | None = None,
) -> Paper:
    """The frame that all reports have, around the blocks; personal data is masked in every word."""
    count, head = reporting.head(conn)
    said = ask.house.site.reports
    return Paper(
        kind=kind,
        title=clean(title),
        made_at=ask.now,
        signed=ask.signed,
        blocks=tuple(masked(block) for block in blocks),
        subtitle=clean(subtitle),
        red_head=said.red_head,
        send_to=said.send_to,
        seal=f"数据取自留痕第 1 至 {count} 条，链尾 {head}。用 huiying verify 可核对。",
        data=veiled(data or {}),
    )


def masked(block: Block) -> Block:
    """The block with every word fit for paper and its personal data masked; hashes stay as they are."""
    match block:
        case Heading() | Para():
            return replace(block, text=clean(block.text))
        case Picture():
            return replace(block, title=clean(block.title), words=clean(block.words))
        case Table():
            rows = tuple(tuple(_cell(cell) for cell in row) for row in block.rows)
            return replace(block, title=clean(block.title), rows=rows)


def veiled(value: Any) -> Any:
    """Figures for a program, as clean as the paper; hashes and times stay as they are."""
    match value:
        case dict():
            return {key: veiled(each) for key, each in value.items()}
        case list() | tuple():
            return [veiled(each) for each in value]
        case str():
            return value if _HASH.fullmatch(value) or _TIME.fullmatch(value) else clean(value)
        case _:
            return value


def _cell(cell: Cell) -> Cell:
    return cell if not isinstance(cell, str) or _HASH.fullmatch(cell) else clean(cell)


def clean(text: str) -> str:
    """Words as a file can hold them: no control characters, small pictures by a word, nobody's numbers."""
    return mask_personal(_PICTURED.sub("〔图〕", _UNFIT.sub("", text)))
