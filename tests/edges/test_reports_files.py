"""Papers and workbooks as files: read back by the libraries, opened by LibreOffice, drawn by poppler."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from openpyxl import load_workbook

from connectors.reports import excel, letterhead, pdf, plain, typeset, word
from connectors.reports.paper import Heading, Paper, Para, Picture, ReportError, Table, chinese
from connectors.reports.workbook import Formula, Number, Sheet, Workbook, column
from flows.reporting.assessment import blocks, sheets
from models.core.moment import CST
from support import office

AT = datetime(2026, 11, 21, 6, 5, 4, 321, tzinfo=CST)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 310 50" width="310" height="50" '
    'font-family="\'Noto Sans CJK SC\',sans-serif"><text x="5" y="30" font-size="20">{}</text></svg>'
)
PAPER = Paper(
    kind="舆情专报",
    title="关于东坪街道仓库起火的舆情专报",
    made_at=AT,
    signed="临江市政府办公室",
    blocks=(
        Heading("基本情况"),
        Para("11月21日凌晨，东坪街道一仓库起火，3人受伤。"),
        Heading("经过", 2),
        Heading("接报", 3),
        Table(("时钟", "用时"), (("首次发布", 3.5), ("发布会", None), ("=1+1", 2)), "各时钟"),
        Heading("态势"),
        Picture(SVG.format("热度"), "每小时线索数", "最多 9 条"),
        Table(("何人",), (), "提醒记录"),
        Para("附注一句", note=True),
    ),
    subtitle="（第 12 期）",
    red_head="临江市政府办公室文件",
    number="临政办〔2026〕12号",
    send_to="市委、市政府",
    seal="链尾 " + "ab" * 32,
)  # fmt: skip


def opened(content: bytes) -> Any:
    return Document(io.BytesIO(content))


# ── Word ──────────────────────────────────────────────────────────────────────────────────────


def test_a_word_file_says_what_the_paper_says_in_its_order() -> None:
    document = opened(word.write(PAPER))
    said = [(line.style.name, line.text) for line in document.paragraphs if line.text]
    assert said == [
        ("公文红头", "临江市政府办公室文件"),
        ("公文字号", "临政办〔2026〕12号"),
        ("公文标题", "关于东坪街道仓库起火的舆情专报"),
        ("公文副题", "（第 12 期）"),
        ("公文主送", "市委、市政府："),
        ("公文一级标题", "一、基本情况"),
        ("公文正文", "11月21日凌晨，东坪街道一仓库起火，3人受伤。"),
        ("公文二级标题", "（一）经过"),
        ("公文三级标题", "1. 接报"),
        ("公文图表题", "各时钟"),
        ("公文一级标题", "二、态势"),
        ("公文图表题", "每小时线索数"),
        ("公文正文", "提醒记录：无。"),
        ("公文附注", "附注一句"),
        ("公文落款", "临江市政府办公室"),
        ("公文落款", "2026年11月21日"),
        ("公文附注", "链尾 " + "ab" * 32),
    ]
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert rows == [["时钟", "用时"], ["首次发布", "3.5"], ["发布会", "—"], ["=1+1", "2"]]


def test_a_word_file_is_set_as_the_standard_asks() -> None:
    document = opened(word.write(PAPER))
    (section,) = document.sections
    edges = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(edge / Mm(1)) for edge in edges] == [37, 35, 28, 26]
    body = document.styles["公文正文"]
    assert (body.font.size.pt, body.paragraph_format.line_spacing.pt) == (16, 28.95)
    assert body.element.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")) == "仿宋_GB2312"
    assert "PAGE" in section.footer._element.xml
    with zipfile.ZipFile(io.BytesIO(word.write(PAPER))) as parts:
        assert 'w:altName w:val="仿宋"' in parts.read("word/fontTable.xml").decode()


def test_a_picture_in_word_says_in_words_what_it_shows() -> None:
    drawings = opened(word.write(PAPER)).element.body.iter(qn("wp:docPr"))
    assert [(d.get("title"), d.get("descr")) for d in drawings] == [("每小时线索数", "最多 9 条")]


@pytest.mark.parametrize("write", [word.write, pdf.write, plain.write])
def test_the_same_paper_is_the_same_file_to_the_byte(write: Any) -> None:
    assert write(PAPER) == write(PAPER)


def test_the_only_date_in_a_word_file_is_the_reports_own() -> None:
    content = word.write(PAPER)
    core = opened(content).core_properties
    assert core.created == core.modified
    assert f"{core.created:%Y-%m-%dT%H:%M:%S}" == "2026-11-20T22:05:04"
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_word_opens_as_pages_that_are_not_blank(tmp_path: Path) -> None:
    path = tmp_path / "paper.docx"
    path.write_bytes(word.write(PAPER))
    seen = office.converted(path, "pdf")
    assert "一、基本情况11月21日凌晨" in office.words(seen)
    pages = office.drawn(seen)
    assert len(pages) in (1, 2)
    assert all(office.ink(page) > 0.002 for page in pages)


# ── a site's own template ─────────────────────────────────────────────────────────────────────


def test_a_sites_own_word_template_decides_the_look_and_not_the_words(tmp_path: Path) -> None:
    own = opened(letterhead.template())
    own.styles["公文标题"].font.size = Pt(9)
    own.sections[0].top_margin = Mm(50)
    own.add_paragraph("模板里的说明")
    own.save(str(tmp_path / "official.docx"))
    document = opened(word.write(PAPER, tmp_path))
    assert document.styles["公文标题"].font.size == Pt(9)
    assert round(document.sections[0].top_margin.mm) == 50
    assert "模板里的说明" not in [line.text for line in document.paragraphs]


def test_a_template_without_our_styles_gets_them(tmp_path: Path) -> None:
    Document().save(str(tmp_path / "official.docx"))
    assert opened(word.write(PAPER, tmp_path)).styles["公文正文"].font.size.pt == 16


def test_a_template_that_is_no_word_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "official.docx").write_bytes(b"no zip")
    with pytest.raises(ReportError, match=r"读不了 Word 模板 official\.docx.*huiying report templates"):
        word.write(PAPER, tmp_path)


def test_a_mistake_in_a_sites_pdf_template_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "official.typ").write_text("#nosuch(1)", encoding="utf-8")
    with pytest.raises(ReportError, match=r"排版没有完成: .*nosuch.*先移走站点自己的模板"):
        pdf.write(PAPER, tmp_path)


def test_a_sites_pdf_template_reads_nothing_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("密钥", encoding="utf-8")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "official.typ").write_text('#read("../secret.txt")', encoding="utf-8")
    with pytest.raises(ReportError, match="排版没有完成"):
        pdf.write(PAPER, folder)


# ── PDF ───────────────────────────────────────────────────────────────────────────────────────


def printed(folder: Path, paper: Paper) -> Path:
    path = folder / "paper.pdf"
    path.write_bytes(pdf.write(paper))
    return path


def test_a_pdf_says_what_the_paper_says(tmp_path: Path) -> None:
    said = office.words(printed(tmp_path, PAPER))
    for words in (
        "关于东坪街道仓库起火的舆情专报",
        "一、基本情况",
        "（一）经过",
        "首次发布",
        "=1+1",
        "提醒记录：无。",
        "2026年11月21日",
    ):
        assert words in said
    assert "ab" * 32 in said


def pictured(folder: Path, words: str) -> bytes:
    paper = replace(
        PAPER, red_head="", title=words, blocks=(Para(words),), signed=words, subtitle="", send_to="", seal=""
    )
    (page,) = office.drawn(printed(folder, paper), 60)
    return page


def test_different_characters_are_drawn_differently_and_not_as_empty_boxes(tmp_path: Path) -> None:
    assert pictured(tmp_path, "舆情专报热度") != pictured(tmp_path, "回应时钟逾期")


def test_characters_that_no_font_has_are_all_the_same_box(tmp_path: Path) -> None:
    """What the test above relies on."""
    assert pictured(tmp_path, "\U000f1234\U000f1235") == pictured(tmp_path, "\U000f1236\U000f1237")


def test_words_in_a_drawing_are_drawn_too() -> None:
    assert typeset.png(SVG.format("舆情"), 80) != typeset.png(SVG.format("回应"), 80)
    assert typeset.png(SVG.format("舆情"), 80).startswith(b"\x89PNG")


def test_each_face_of_the_standard_has_a_font_here() -> None:
    assert all(typeset.faces()[role] for role in ("song", "fang", "hei", "kai"))


def test_a_machine_without_a_chinese_font_refuses_rather_than_draw_boxes() -> None:
    with pytest.raises(ReportError, match=r"没有中文字体.*请安装 fonts-noto-cjk，或把字体文件放进"):
        typeset.chosen(["DejaVu Sans Mono", "Libertinus Serif"])


def test_the_fonts_of_the_standard_go_before_those_that_stand_in_for_them() -> None:
    assert typeset.chosen(["Noto Serif CJK SC", "FangSong", "SimHei"])["fang"] == [
        "FangSong",
        "Noto Serif CJK SC",
    ]


# ── Markdown ──────────────────────────────────────────────────────────────────────────────────


def test_words_from_outside_stay_words_in_markdown() -> None:
    table = Table(("内容",), (("[点我](http://x) | **急**\n换行",),))
    said = plain.write(replace(PAPER, blocks=(table, Para("# 不是标题")))).decode()
    assert r"| \[点我\](http://x) \| \*\*急\*\* 换行 |" in said
    assert r"\# 不是标题" in said


def test_csv_has_the_rows_of_all_tables_and_nothing_that_computes() -> None:
    tables = (Table(("a", "b"), (("x", 1.5), ("=1+1", None)), "甲"), Table(("a", "b"), (("y", "-2"),), "乙"))
    said = plain.rows(replace(PAPER, blocks=tables)).decode("utf-8-sig").splitlines()
    assert said == ["表,a,b", "甲,x,1.5", "甲,'=1+1,—", "乙,y,'-2"]


# ── Excel ─────────────────────────────────────────────────────────────────────────────────────


def test_a_title_that_looks_like_a_formula_stays_a_title() -> None:
    book = load_workbook(io.BytesIO(excel.write(excel.of_paper(PAPER))))
    cell = book["各时钟"]["A6"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_the_tables_of_a_paper_are_sheets_with_their_own_names() -> None:
    twice = replace(PAPER, blocks=tuple(Table(("a",), (("x",),), "各[单位]/按时*率") for _ in range(3)))
    book = load_workbook(io.BytesIO(excel.write(excel.of_paper(twice))))
    assert book.sheetnames == ["说明", "各 单位  按时 率", "各 单位  按时 率 2", "各 单位  按时 率 3"]


def test_a_workbook_is_the_same_to_the_byte() -> None:
    assert excel.write(excel.of_paper(PAPER)) == excel.write(excel.of_paper(PAPER))


def clock(name: str, met: int, met_late: int, breached: int, waived: int = 0) -> dict[str, Any]:
    return {
        "rule_id": name, "name": name, "total": met + met_late + breached + waived, "met": met,
        "met_late": met_late, "breached": breached, "waived": waived, "on_time": None,
    }  # fmt: skip


def unit(
    name: str, clocks: list[Any], response: float, score: float, rank: int, **points: Any
) -> dict[str, Any]:
    parts = [{"key": "response", "score": response}, {"key": "website", "score": 30.0}]
    return {"unit": name, "name": name, "clocks": clocks, "parts": parts, "score": score, "rank": rank} | {
        "deductions": points.get("deductions", []), "bonuses": points.get("bonuses", []),
    }  # fmt: skip


ASSESSED = {
    "from": "2026-01-01T00:00:00+08:00", "to": "2027-01-01T00:00:00+08:00", "profile": "cn-national", "head": "ab" * 32,
    "most_bonus": 5.0,
    "weights": [
        {"key": "response", "name": "舆情回应", "weight": 0.04, "full": 70.0, "basis": ["S-121"]},
        {"key": "website", "name": "网站与新媒体", "weight": 0.03, "full": 30.0, "basis": ["S-120"]},
    ],
    "units": [
        unit("应急局", [clock("首次发布", 3, 1, 0), clock("发布会", 1, 0, 1, 2)], 46.67, 74.67, 2,
             deductions=[{"why": "投诉", "points": 2.0, "ref": "e-1"}]),
        unit("环保局", [clock("首次发布", 2, 0, 0)], 70.0, 105.0, 1,
             bonuses=[{"why": "信息采用", "points": 4.0, "ref": "e-2"}, {"why": "表扬", "points": 3.5, "ref": "e-3"}]),
        unit("无事局", [], 70.0, 100.0, 3),
    ],
    "totals": {"incidents": 5, "clocks": 10, "on_time": 0.75, "first_statement_median_s": 7200},
    "triggers": [{"trigger": "late_response", "trigger_zh": "热点回应不及时", "unit": "应急局", "incident": "2026-0001",
                  "why": "逾期完成", "state": "draft"}],
    "registers": [{"kind": "training", "kind_zh": "业务培训", "name": "上半年培训", "needed": 1, "done": 0,
                   "until": "2026-06-30T23:59:59+08:00", "late": True, "basis": ["S-116"]}],
}  # fmt: skip
ASSESSED["units"][2]["rank"] = 2  # type: ignore[index]
ASSESSED["units"][0]["rank"] = 3  # type: ignore[index]


def blinded(book: Workbook) -> Workbook:
    """The same workbook with every result taken out: whatever is found was computed by the reader."""

    def blind(value: Any) -> Any:
        return Formula(value.text, 0, value.style) if isinstance(value, Formula) else value

    return replace(
        book,
        sheets=tuple(
            replace(
                sheet,
                rows=tuple(tuple(map(blind, row)) for row in sheet.rows),
                total=tuple(map(blind, sheet.total)),
            )
            for sheet in book.sheets
        ),
    )


def values(book: Workbook) -> dict[str, Any]:
    """What we say each formula comes to: sheet!address → value."""
    return {
        f"{sheet.name}!{column(x)}{y + 4}": value.value
        for sheet in book.sheets
        for y, row in enumerate([*sheet.rows, sheet.total])
        for x, value in enumerate(row)
        if isinstance(value, Formula)
    }


def test_every_formula_comes_to_what_we_say_when_libreoffice_computes_it(tmp_path: Path) -> None:
    book = Workbook("考核", AT, "市政府办公室", sheets(ASSESSED, "2026年"))
    path = tmp_path / "book.xlsx"
    path.write_bytes(excel.write(blinded(book)))
    computed = load_workbook(office.converted(path, "xlsx"), data_only=True)
    ours = values(book)
    assert len(ours) > 25
    for place, value in ours.items():
        name, _, address = place.partition("!")
        found = computed[name][address].value
        assert (found or 0 if value != "" else found or "") == pytest.approx(value, abs=1e-9), place


def test_the_formulas_give_the_scores_and_ranks_of_the_assessment() -> None:
    top = sheets(ASSESSED, "2026年")[0]
    shown = [(row[0], row[8].value, row[9].value) for row in top.rows]  # type: ignore[union-attr]
    assert shown == [("应急局", 74.67, 3), ("环保局", 105.0, 1), ("无事局", 100.0, 2)]


def test_the_assessment_has_native_charts_over_its_own_rows() -> None:
    book = Workbook("考核", AT, "市政府办公室", sheets(ASSESSED, "2026年"))
    with zipfile.ZipFile(io.BytesIO(excel.write(book))) as parts:
        charts = [parts.read(name).decode() for name in parts.namelist() if "charts/chart" in name]
    assert len(charts) == 2
    assert "考核总表!$I$4:$I$6" in charts[0]
    assert "考核总表!$D$4:$D$6" in charts[1]


def test_an_assessment_without_units_is_a_workbook_all_the_same(tmp_path: Path) -> None:
    nothing = ASSESSED | {"units": [], "triggers": [], "registers": []}
    book = Workbook("考核", AT, "市政府办公室", sheets(nothing, "2026年"))
    assert load_workbook(io.BytesIO(excel.write(book))).sheetnames[0] == "考核总表"


def test_the_assessment_on_paper_has_the_same_scores() -> None:
    said = plain.write(replace(PAPER, blocks=tuple(blocks(ASSESSED)))).decode()
    assert "| 1 | 环保局 | 2/2（100.0%） | 70 | 30 | 0 | 7.5 | 105 |" in said
    assert "| 热点回应不及时 | 应急局 | 2026-0001 | 逾期完成 | draft |" in said


# ── small sums ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "words"), [(1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (99, "九十九")]
)
def test_headings_are_numbered_in_chinese(number: int, words: str) -> None:
    assert chinese(number) == words


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ")])
def test_columns_are_named_as_a_sheet_names_them(number: int, name: str) -> None:
    assert column(number) == name


def test_a_percentage_is_a_number_with_a_look() -> None:
    sheet = Sheet("率", ("率",), ((Number(0.5, "percent"),),))
    book = load_workbook(io.BytesIO(excel.write(Workbook("x", AT, "y", (sheet,)))))
    assert (book["率"]["A4"].value, book["率"]["A4"].number_format) == (0.5, "0.0%")
