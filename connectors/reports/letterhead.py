"""The Word template 公文格式: page, styles and page number of GB/T 9704-2012, made by code so that it can be
read and compared; a site's own official.docx goes before it, and lacks nothing that ours has.

Type page 156 × 225 mm on A4 (5.2), 22 lines of 28 characters in size three (5.2.2), headings in 黑体 and
楷体 (7.3.3), page number in size four between dashes (7.5). Lengths in points and millimetres.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from docx import Document
from docx.document import Document as Docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

from connectors.reports.paper import ReportError

NAME = "official.docx"
LINE = 28.95
SONG, FANG, HEI, KAI = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
LATIN = "Times New Roman"
INSTEAD = {SONG: "宋体", FANG: "仿宋", KAI: "楷体"}
"""The names by which a machine without the standard's fonts has nearly the same."""
RED = RGBColor(0xE6, 0x00, 0x12)


@dataclass(frozen=True, slots=True)
class Look:
    """A paragraph style: font, size in points, where it stands, first line's indent in characters."""

    name: str
    font: str
    size: float
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.JUSTIFY
    indent: int = 0
    bold: bool = False
    line: float | None = LINE
    red: bool = False
    level: int | None = None
    """Its level in the outline, from 1: what Word shows as a table of contents."""


CENTRE, RIGHT, LEFT = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
TITLE = Look("公文标题", SONG, 22, CENTRE, line=35)
SUBTITLE = Look("公文副题", KAI, 16, CENTRE)
RED_HEAD = Look("公文红头", SONG, 36, CENTRE, line=None, red=True)
NUMBER = Look("公文字号", FANG, 16, CENTRE)
SEND_TO = Look("公文主送", FANG, 16, LEFT)
BODY = Look("公文正文", FANG, 16, indent=2)
HEADINGS = (
    Look("公文一级标题", HEI, 16, LEFT, 2, level=1),
    Look("公文二级标题", KAI, 16, LEFT, 2, level=2),
    Look("公文三级标题", FANG, 16, LEFT, 2, bold=True, level=3),
)
SIGNED = Look("公文落款", FANG, 16, RIGHT)
CAPTION = Look("公文图表题", HEI, 12, CENTRE, line=None)
CELL = Look("公文表格", FANG, 10.5, LEFT, line=None)
NOTE = Look("公文附注", FANG, 10.5, LEFT, line=None)
PICTURE = Look("公文插图", FANG, 10.5, CENTRE, line=None)
LOOKS = (
    TITLE, SUBTITLE, RED_HEAD, NUMBER, SEND_TO, BODY, *HEADINGS, SIGNED, CAPTION, CELL, NOTE, PICTURE,
)  # fmt: skip


def opened(templates: Path | None) -> Docx:
    """An empty document with every style: the site's template if there is one, else ours.

    Raises ReportError when the site's file is no Word document.
    """
    own = templates / NAME if templates else None
    if own is None or not own.is_file():
        return blank()
    try:
        document = Document(str(own))
    except (PackageNotFoundError, BadZipFile, ValueError, KeyError, OSError):
        raise ReportError(
            f"读不了 Word 模板 {own.name}: 不是 .docx 文件；请用 huiying report templates 重新导出一份再改"
        ) from None
    _emptied(document)
    _styled(document)
    return document


def blank() -> Docx:
    """Our own letterhead: page, styles, page number; no words yet."""
    document = Document()
    _page(document)
    _styled(document)
    _footers(document)
    _instead(document)
    _chinese(document)
    return document


def template() -> bytes:
    """Our own letterhead as a file, for a site to change."""
    buffer = io.BytesIO()
    blank().save(buffer)
    return buffer.getvalue()


def _emptied(document: Docx) -> None:
    """The words of a template go; its page settings (sectPr) stay."""
    body = document.element.body
    for child in list(body):
        if child.tag != qn("w:sectPr"):
            body.remove(child)


def _page(document: Docx) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance = Mm(25)
    section.header_distance = Mm(15)


def _styled(document: Docx) -> None:
    """Each of our styles that the document does not have."""
    there = {style.name for style in document.styles}
    for look in LOOKS:
        if look.name not in there:
            _style(document, look)


def _style(document: Docx, look: Look) -> None:
    style = document.styles.add_style(look.name, WD_STYLE_TYPE.PARAGRAPH)
    assert isinstance(style, ParagraphStyle)
    style.font.name, style.font.size, style.font.bold = LATIN, Pt(look.size), look.bold
    if look.red:
        style.font.color.rgb = RED
    _eastern(style.element.get_or_add_rPr(), look.font)
    spacing = style.paragraph_format
    spacing.space_before = spacing.space_after = Pt(0)
    spacing.alignment = look.align
    spacing.keep_with_next = look.level is not None or look is CAPTION
    if look.line:
        spacing.line_spacing_rule, spacing.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(look.line)
    _paragraph(style.element.get_or_add_pPr(), look)


def _eastern(properties: Any, font: str) -> None:
    """The font of Chinese characters stands apart from that of Latin ones."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = OxmlElement("w:rFonts")
        properties.insert(0, fonts)
    fonts.set(qn("w:eastAsia"), font)


def _paragraph(properties: Any, look: Look) -> None:
    """The first line's indent in characters, and the level in the outline."""
    if look.indent:
        indent = properties.get_or_add_ind()
        indent.set(qn("w:firstLineChars"), str(100 * look.indent))
        indent.set(qn("w:firstLine"), str(round(20 * look.indent * look.size)))
    if look.level is not None:
        level = OxmlElement("w:outlineLvl")
        level.set(qn("w:val"), str(look.level - 1))
        properties.append(level)


def _footers(document: Docx) -> None:
    """— 1 — at the outer edge: odd pages right, even pages left, one character in (7.5)."""
    document.settings.odd_and_even_pages_header_footer = True
    section = document.sections[0]
    for footer, side, edge in (
        (section.footer, RIGHT, "right"),
        (section.even_page_footer, LEFT, "left"),
    ):
        footer.is_linked_to_previous = False
        line = footer.paragraphs[0]
        line.alignment = side
        setattr(line.paragraph_format, f"{edge}_indent", Pt(14))
        _run(line, "— ")
        _field(line, "PAGE")
        _run(line, " —")


def _run(line: Any, text: str) -> Any:
    run = line.add_run(text)
    run.font.size, run.font.name = Pt(14), LATIN
    _eastern(run._element.get_or_add_rPr(), "宋体")
    return run


def _field(line: Any, code: str) -> None:
    run = _run(line, "")._element
    for kind in ("begin", None, "end"):
        if kind is None:
            part = OxmlElement("w:instrText")
            part.set(qn("xml:space"), "preserve")
            part.text = code
        else:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        run.append(part)


def _chinese(document: Docx) -> None:
    """The tongue of the words: it decides where a comma stands in its square."""
    defaults = document.styles.element.find(qn("w:docDefaults"))
    for tongue in defaults.iter(qn("w:lang")):
        tongue.set(qn("w:eastAsia"), "zh-CN")


def _instead(document: Docx) -> None:
    """Tell Word the other names of our fonts, so that it does not fall to a sans serif."""
    part = next((rel.target_part for rel in document.part.rels.values() if "fontTable" in rel.reltype), None)
    if part is None:
        return
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in INSTEAD.items()
    )
    part._blob = part.blob.replace(b"</w:fonts>", fonts.encode() + b"</w:fonts>")
