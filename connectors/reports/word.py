"""A paper as .docx by python-docx. The same paper gives the same bytes: every date is the report's own."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC
from pathlib import Path
from typing import Any

from docx.document import Document as Docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from connectors.reports import letterhead, typeset
from connectors.reports.letterhead import Look
from connectors.reports.paper import Block, Cell, Heading, Paper, Para, Picture, Table, numbered, shown

TYPE_PAGE = 156.0
"""Width of the type page in mm."""
DOTS = 220
"""Dots per inch of a picture: sharp on paper, small in the mail."""
HEAD_SHADE = "E8EBF2"


def write(paper: Paper, templates: Path | None = None) -> bytes:
    """The whole document. Raises ReportError for a template or font that cannot be used."""
    document = letterhead.opened(templates)
    _properties(document, paper)
    _front(document, paper)
    for block in numbered(paper.blocks):
        _block(document, block)
    _end(document, paper)
    buffer = io.BytesIO()
    document.save(buffer)
    return _settled(buffer.getvalue())


def _properties(document: Docx, paper: Paper) -> None:
    core, at = document.core_properties, paper.made_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core.title, core.subject = paper.title[:255], paper.kind
    core.author = core.last_modified_by = paper.signed[:255]
    core.created = core.modified = at
    core.revision, core.comments = 1, ""


def _front(document: Docx, paper: Paper) -> None:
    if paper.red_head:
        _ruled(_line(document, letterhead.RED_HEAD, paper.red_head) if not paper.number else None)
    if paper.red_head and paper.number:
        _line(document, letterhead.RED_HEAD, paper.red_head)
        _ruled(_line(document, letterhead.NUMBER, paper.number))
    if paper.red_head:
        _line(document, letterhead.BODY, "")
    _line(document, letterhead.TITLE, paper.title)
    if paper.subtitle:
        _line(document, letterhead.SUBTITLE, paper.subtitle)
    _line(document, letterhead.BODY, "")
    if paper.send_to:
        _line(document, letterhead.SEND_TO, f"{paper.send_to}：")


def _end(document: Docx, paper: Paper) -> None:
    """署名 and 成文日期, four characters in (7.3.5); then where the figures come from."""
    last = [_line(document, letterhead.BODY, "")]
    for words in (paper.signed, paper.date):
        line = _line(document, letterhead.SIGNED, words)
        line.paragraph_format.right_indent = Pt(4 * 16)
        last.append(line)
    if paper.seal:
        last += [_line(document, letterhead.BODY, ""), _line(document, letterhead.NOTE, paper.seal)]
    for line in last[:-1]:
        line.paragraph_format.keep_with_next = True


def _line(document: Docx, look: Look, text: str) -> Any:
    return document.add_paragraph(text, style=look.name)


def _ruled(line: Any) -> None:
    """The red line under the head (7.2.7)."""
    if line is None:
        return
    border = OxmlElement("w:pBdr")
    rule = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "18"), ("space", "11"), ("color", "E60012")):
        rule.set(qn(f"w:{name}"), value)
    border.append(rule)
    properties = line._p.get_or_add_pPr()
    properties.insert_element_before(border, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr")


def _block(document: Docx, block: Block) -> None:
    match block:
        case Heading():
            _line(document, letterhead.HEADINGS[block.level - 1], block.text)
        case Para():
            _line(document, letterhead.NOTE if block.note else letterhead.BODY, block.text)
        case Picture():
            _picture(document, block)
        case Table():
            _table(document, block)


def _picture(document: Docx, picture: Picture) -> None:
    """As a bitmap: Word before 2016 draws no SVG. What it says stands in the alternative text."""
    line = _line(document, letterhead.PICTURE, "")
    line.paragraph_format.keep_with_next = True
    run = line.add_run()
    drawn = run.add_picture(io.BytesIO(typeset.png(picture.svg, DOTS)), width=Mm(TYPE_PAGE - 1))
    drawn._inline.docPr.set("descr", picture.words or picture.title)
    drawn._inline.docPr.set("title", picture.title)
    below = _line(document, letterhead.CAPTION, picture.title)
    below.paragraph_format.keep_with_next = False
    below.paragraph_format.space_after = Pt(6)


def _table(document: Docx, table: Table) -> None:
    if not table.rows:
        _line(document, letterhead.BODY, f"{table.title}：{table.empty}" if table.title else table.empty)
        return
    if table.title:
        _line(document, letterhead.CAPTION, table.title).paragraph_format.space_before = Pt(6)
    made = document.add_table(rows=0, cols=len(table.head))
    made.alignment, made.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    for column, share in zip(made.columns, table.shares, strict=True):
        column.width = Mm(TYPE_PAGE * share)
    _bordered(made)
    _row(made, table, table.head, head=True)
    for row in table.rows:
        _row(made, table, row)
    _line(document, letterhead.NOTE, "")


def _bordered(made: Any) -> None:
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        edge = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "66707E")):
            edge.set(qn(f"w:{name}"), value)
        borders.append(edge)
    made._tbl.tblPr.append(borders)


def _row(made: Any, table: Table, cells: tuple[Cell, ...], head: bool = False) -> None:
    row = made.add_row()
    _whole(row, head)
    for box, value, share in zip(row.cells, cells, table.shares, strict=True):
        box.width = Mm(TYPE_PAGE * share)
        line = box.paragraphs[0]
        line.style = letterhead.CELL.name
        run = line.add_run(shown(value))
        if head:
            line.alignment, run.bold = WD_ALIGN_PARAGRAPH.CENTER, True
            _shaded(box)
        elif isinstance(value, int | float):
            line.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _whole(row: Any, head: bool) -> None:
    """A row is not torn over two pages; the heads stand on each."""
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if head:
        properties.append(OxmlElement("w:tblHeader"))


def _shaded(box: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", HEAD_SHADE)):
        shade.set(qn(f"w:{name}"), value)
    box._tc.get_or_add_tcPr().append(shade)


def _settled(content: bytes) -> bytes:
    """The same parts with one date: a zip otherwise holds the moment of its writing."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as made,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as kept,
    ):
        for part in made.infolist():
            still = zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0))
            still.compress_type, still.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            kept.writestr(still, made.read(part.filename))
    return buffer.getvalue()
