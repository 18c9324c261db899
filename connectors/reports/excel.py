"""A workbook as .xlsx by XlsxWriter: formulas, native charts, print settings.

Words from outside are always written as strings: a title that begins with "=" stays a title.
"""

from __future__ import annotations

import io
from math import ceil
from typing import Any

import xlsxwriter

from connectors.reports.paper import DASH, Paper, Table, shown
from connectors.reports.workbook import TOP, Cell, Chart, Formula, Number, Sheet, Workbook
from models.core.moment import local

FONT = "仿宋"
LOOKS = {"percent": "0.0%", "score": "0.00", "": "General"}
_BAD = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
"""What the name of a sheet must not hold."""
LINE_HEIGHT = 17
"""Points of a line of cells: not every program finds out by itself."""
LONGEST = 32767
"""Characters of a cell (the format's own limit)."""


def write(book: Workbook) -> bytes:
    """The whole workbook; the same workbook gives the same bytes."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as made:
        made.set_properties(
            {
                "title": book.title,
                "author": book.signed,
                "created": local(book.made_at).replace(tzinfo=None),
            }
        )
        made.set_calc_mode("auto")
        looks = _formats(made)
        for sheet in book.sheets:
            _sheet(made, sheet, looks)
    return buffer.getvalue()


def of_paper(paper: Paper) -> Workbook:
    """The tables of a paper, a sheet each, behind a sheet that says what they are."""
    tables = [block for block in paper.blocks if isinstance(block, Table)]
    names = _names([table.title or f"表{n}" for n, table in enumerate(tables, 1)])
    front = Sheet(
        "说明",
        ("项目", "内容"),
        (("报告", paper.title), ("期间", paper.subtitle), ("单位", paper.signed), ("来源", paper.seal)),
        title=paper.title,
        widths=(14, 80),
    )
    sheets = [
        Sheet(name, table.head, table.rows, title=table.title, widths=_widths(table))
        for name, table in zip(names, tables, strict=True)
    ]
    return Workbook(paper.title, paper.made_at, paper.signed, (front, *sheets))


def _names(titles: list[str]) -> list[str]:
    """Names of sheets: 31 characters, none twice."""
    found: list[str] = []
    for title in titles:
        base = title.translate(_BAD).strip()[:28] or "表"
        tries = (base, *(f"{base[:25]} {n}" for n in range(2, len(titles) + 2)))
        found.append(next(name for name in tries if name not in found))
    return found


def _widths(table: Table) -> tuple[float, ...]:
    """Two characters' width for each Chinese character of a column's longest words, within reason."""
    columns = zip(table.head, *(map(shown, row) for row in table.rows), strict=True)
    return tuple(max(8.0, min(60.0, 2.0 * max(map(len, column)) + 2)) for column in columns)


def _formats(made: Any) -> dict[str, Any]:
    base = {"font_name": FONT, "font_size": 12, "valign": "vcenter"}
    boxed = base | {"border": 1, "text_wrap": True}
    return {
        "title": made.add_format(base | {"font_size": 18, "bold": True}),
        "note": made.add_format(base | {"font_size": 10, "font_color": "#66707E"}),
        "head": made.add_format(boxed | {"bold": True, "bg_color": "#E8EBF2", "align": "center"}),
        "text": made.add_format(boxed),
        **{
            f"number{look}": made.add_format(boxed | {"num_format": form, "align": "right"})
            for look, form in LOOKS.items()
        },
    }


def _sheet(made: Any, sheet: Sheet, looks: dict[str, Any]) -> None:
    page = made.add_worksheet(sheet.name)
    page.write_string(0, 0, sheet.title or sheet.name, looks["title"])
    page.write_string(1, 0, sheet.note, looks["note"])
    for x, width in enumerate(sheet.widths or (16,) * len(sheet.head)):
        page.set_column(x, x, width)
    for x, head in enumerate(sheet.head):
        page.write_string(TOP - 1, x, head, looks["head"])
    below = (sheet.total,) if sheet.total else ()
    for y, row in enumerate((*sheet.rows, *below), TOP):
        page.set_row(y, LINE_HEIGHT * _lines(row, sheet.widths))
        for x, value in enumerate(row):
            _cell(page, y, x, value, looks)
    for n, chart in enumerate(sheet.charts):
        page.insert_chart(TOP + len(sheet.rows) + 2 + 18 * n, 0, _chart(made, sheet, chart))
    _printed(page, sheet)


def _lines(row: tuple[Cell, ...], widths: tuple[float, ...]) -> int:
    """How many lines the longest cell of a row needs; a Chinese character is two wide."""
    pairs = zip(row, widths or (16.0,) * len(row), strict=False)
    needed = (
        ceil(sum(2 if ord(c) > 0x2E7F else 1 for c in text) / width)
        for text, width in pairs
        if isinstance(text, str)
    )
    return max(1, min(20, max(needed, default=1)))


def _printed(page: Any, sheet: Sheet) -> None:
    """A4 across, one page wide, the heads on every page."""
    page.freeze_panes(TOP, 1)
    page.set_paper(9)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.repeat_rows(TOP - 1)
    page.set_footer("&C— &P —")
    if sheet.rows:
        page.autofilter(TOP - 1, 0, TOP - 1 + len(sheet.rows), len(sheet.head) - 1)


def _cell(page: Any, y: int, x: int, value: Cell, looks: dict[str, Any]) -> None:
    match value:
        case Formula():
            page.write_formula(y, x, value.text, looks[f"number{value.style}"], value.value)
        case Number():
            page.write_number(y, x, value.value, looks[f"number{value.style}"])
        case int() | float():
            page.write_number(y, x, value, looks["number"])
        case _:
            page.write_string(y, x, (DASH if value is None else value)[:LONGEST], looks["text"])


def _chart(made: Any, sheet: Sheet, chart: Chart) -> Any:
    drawn = made.add_chart({"type": chart.kind})
    first, last = TOP, TOP + len(sheet.rows) - 1
    for x in chart.values:
        drawn.add_series(
            {
                "name": sheet.head[x],
                "categories": [sheet.name, first, chart.names, last, chart.names],
                "values": [sheet.name, first, x, last, x],
                "data_labels": {"value": True, "num_format": "0%" if chart.percent else "0.##"},
            }
        )
    drawn.set_title({"name": chart.title, "name_font": {"name": FONT, "size": 14}})
    axis = {"name": chart.axis, "min": 0, "num_format": "0%" if chart.percent else "0"}
    drawn.set_y_axis(axis | ({"max": 1} if chart.percent else {}))
    if len(chart.values) == 1:
        drawn.set_legend({"none": True})
    drawn.set_size({"width": 720, "height": 330})
    return drawn
