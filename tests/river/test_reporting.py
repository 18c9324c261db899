"""Reports of a whole site: through the command line and the pages, over a real desk and both databases."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from connectors.console.app import build
from connectors.reports.paper import NoSuchThing, ReportError
from flows.reporting import making
from playbooks.reports_paper import ReportsSource
from support import office
from support.cli import Cli
from support.river_site import Site, at

TOLD = "联系人：王小明，电话13812345678，家住人民路3号2栋1单元501室"


def opened(site: Site, **more: str) -> str:
    given = {"title": "东坪街道仓库起火，3人受伤", "grade": "II", "owner": "office", "reason": "接报"}
    return str(site.desk.act("open", "", given | more, "chen")["id"])


def night(site: Site) -> str:
    """A fire at midnight, talked of, answered in time, with a conference that is late."""
    incident = opened(site, occurred_at="2026-11-21T00:00+08:00")
    site.time.moment = at("00:10")
    site.say("news", "东坪街道仓库起火，浓烟滚滚", "东坪街道一仓库起火，3人受伤，网民质疑迟迟没有说法")
    site.until("00:15")
    for other in [i["id"] for i in site.desk.board()["incidents"] if i["id"] != incident]:
        site.desk.act("merge", other, {"into": incident, "reason": "同一起火情"}, "chen")
    site.time.moment = at("00:40")
    site.desk.act("ack", incident, {}, "chen")
    site.desk.act("update", incident, {"text": f"已向家属通报。{TOLD}"}, "li")
    proof = {
        "kind": "published_statement", "url": "https://linjiang.example/1", "publisher": "临江发布",
        "published_at": "2026-11-21T00:35+08:00",
    }  # fmt: skip
    site.desk.act("stop", incident, proof, "chen")
    return incident


def text_of(made: making.Made) -> str:
    """All words of a .docx, tables too."""
    document = Document(io.BytesIO(made.content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(line.text for line in document.paragraphs), *cells])


def table_of(made: making.Made, title: str) -> list[tuple[Any, ...]]:
    """A table of a report that was asked for as .xlsx, without its heads."""
    sheet = load_workbook(io.BytesIO(made.content))[title]
    return [tuple(row) for row in sheet.iter_rows(min_row=4, values_only=True)]


def test_a_special_report_says_what_happened_and_which_limits_were_kept(site: Site) -> None:
    incident = night(site)
    said = text_of(making.make(site.house, "special", "docx", {"incident": incident}))
    assert "关于东坪街道仓库起火，3人受伤的舆情专报" in said
    assert "级别为II级（重大，橙色）" in said
    assert "牵头单位：市政府办公室" in said
    assert "首次发布权威信息\n事件发生 11-21 00:00\n11-21 05:00\n按时完成" in said
    assert "https://linjiang.example/1" in said
    assert "发布前后" in said
    assert (
        "举行新闻发布会：时限 11-21 24:00，临期" in said or "举行新闻发布会：时限 11-21 24:00，计时中" in said
    )


def test_personal_data_is_in_no_report(site: Site) -> None:
    incident = night(site)
    for kind in ("special", "file", "duty"):
        said = text_of(making.make(site.house, kind, "docx", {"incident": incident}))
        assert "13812345678" not in said
        assert "501室" not in said
        assert "王小明" not in said
        made = making.make(site.house, kind, "md", {"incident": incident})
        assert "13812345678" not in json.dumps(made.data, ensure_ascii=False)
    assert "〔电话〕" in text_of(making.make(site.house, "special", "docx", {"incident": incident}))


def test_a_late_limit_is_told_with_how_late_it_is(site: Site) -> None:
    incident = night(site)
    site.time.moment = at("1+02:30")
    made = making.make(site.house, "special", "xlsx", {"incident": incident})
    late = [row for row in table_of(made, "各个时钟") if row[0] == "举行新闻发布会"]
    assert late[0][3] == "已逾期，迟 2 小时 30 分"


def test_the_file_of_an_incident_quotes_the_journal_with_its_hashes(site: Site, tmp_path: Path) -> None:
    incident = night(site)
    made = making.make(site.house, "file", "pdf", {"incident": incident})
    path = tmp_path / "file.pdf"
    path.write_bytes(made.content)
    said = office.words(path)
    shown = site.desk.incident(incident)
    assert shown is not None
    for entry in shown["timeline"]:
        assert entry["hash"] in said
    assert all(evidence["sha256"] in said for evidence in shown["evidence"])
    pages = office.drawn(path)
    assert len(pages) > 3
    assert all(office.ink(page) > 0.0004 for page in pages)


def test_a_brief_counts_incidents_clocks_and_what_was_late(site: Site) -> None:
    night(site)
    site.time.moment = at("1+02:30")
    made = making.make(site.house, "brief", "docx", {"period": "2026-11-21"})
    said = text_of(made)
    assert "舆情日报" in said
    assert "办理事件 1 起，其中新立案 1 起（II级 1 起）。" in said
    assert (made.data["kept"], made.data["late"]) == (2, 3)
    assert ("举行新闻发布会" in said, "已逾期，迟 2 小时 30 分" in said) == (True, True)


def test_an_incident_that_was_closed_before_the_period_is_not_in_it(site: Site) -> None:
    incident = opened(site, grade="IV", title="路灯不亮")
    for clock in site.clocks(incident):
        site.desk.act("waive", incident, {"clock": clock, "reason": "当场修复"}, "li")
    site.desk.act("close", incident, {"reason": "已修复"}, "li")
    site.time.moment = at("2+08:00")
    assert making.make(site.house, "brief", "md", {"period": "2026-11-22"}).data["incidents"] == 0
    assert making.make(site.house, "brief", "md", {"period": "2026-11-21"}).data["incidents"] == 1


def test_the_shifts_report_names_every_open_incident(site: Site) -> None:
    night(site)
    opened(site, title="自来水有异味", grade="IV")
    said = text_of(making.make(site.house, "duty", "docx", {}))
    assert "目前未结事件 2 起" in said
    assert "自来水有异味" in said


def finding(site: Site, title: str, defect: str, happened_at: str) -> str:
    """A finding of the monitoring of websites, registered at the desk."""
    given = {
        "kind": "finding",
        "title": title,
        "defect": defect,
        "happened_at": happened_at,
        "unit": "office",
    }
    return str(site.desk.registers.act("add", "", given | {"reason": "季度监测"}, "chen")["id"])


def test_a_bulletin_says_what_became_of_last_quarters_findings(site: Site) -> None:
    mended = finding(site, "栏目一年没有更新", "late", "2026-08-01")
    finding(site, "电话打不通", "useless", "2026-09-01")
    finding(site, "数字有误", "inaccurate", "2026-11-02")
    site.desk.registers.act("done", mended, {"result": "已更新"}, "chen")
    made = making.make(site.house, "bulletin", "docx", {"period": "2026-Q4"})
    said = text_of(made)
    assert made.data["findings"] == {"late": 0, "inaccurate": 1, "unresponsive": 0, "useless": 0}
    assert (made.data["last"]["found"], made.data["last"]["mended"]) == (2, 1)
    assert "共发现问题 1 个：不及时 0 个、不准确 1 个" in said
    assert "2026年第三季度发现问题 2 个，已整改 1/2（50.0%）" in said


def test_the_registers_are_exported_row_by_row(site: Site) -> None:
    finding(site, "数字有误", "inaccurate", "2026-11-02")
    made = making.make(site.house, "registers", "xlsx", {"period": "2026"})
    (row,) = table_of(made, "网站问题")
    assert (row[1], row[2], row[3]) == ("数字有误", "市政府办公室", "2026-11-02")


def test_the_assessment_is_the_one_that_the_page_shows(site: Site, tmp_path: Path) -> None:
    night(site)
    site.time.moment = at("1+02:30")
    page = site.desk.assessment.assess({"from": "2026-01-01", "to": "2026-12-31"})
    made = making.make(site.house, "assessment", "xlsx", {"period": "2026"})
    path = tmp_path / "book.xlsx"
    path.write_bytes(made.content)
    top = load_workbook(office.converted(path, "xlsx"), data_only=True)["考核总表"]
    shown = {row[0]: row for row in top.iter_rows(min_row=4, values_only=True)}
    assert page["units"]
    for unit in page["units"]:
        assert shown[unit["name"]][-2:] == pytest.approx((unit["score"], unit["rank"]))
    assert page["head"] in "".join(str(cell.value) for row in top.iter_rows(max_row=2) for cell in row)


def test_the_review_of_an_incident_has_the_chain_and_the_lateness(site: Site) -> None:
    incident = night(site)
    site.time.moment = at("1+02:30")
    said = text_of(making.make(site.house, "afteraction", "docx", {"incident": incident}))
    assert "复盘报告" in said
    assert "举行新闻发布会迟2 小时 30 分" in said.replace("迟 ", "迟")
    assert "原因：原因未写" in said


def test_the_annual_chapter_counts_by_month_and_limit(site: Site) -> None:
    night(site)
    made = making.make(site.house, "annual", "docx", {"period": "2026"})
    said = text_of(made)
    assert "2026年政府信息公开工作年度报告（政务舆情回应部分）" in said
    assert "首次发布权威信息\n1\n1\n0\n0" in said


def test_every_report_is_written_in_every_form(site: Site) -> None:
    incident = night(site)
    begins = {"docx": b"PK", "xlsx": b"PK", "pdf": b"%PDF", "md": b"# ", "csv": b"\xef\xbb\xbf"}
    for kind in making.KINDS.values():
        wish = {} if kind.of == "period" else {"incident": incident}
        for form, begin in begins.items():
            made = making.make(site.house, kind.key, form, wish)
            assert made.content.startswith(begin), (kind.key, form)


def test_a_report_made_twice_at_one_moment_is_the_same_to_the_byte(site: Site) -> None:
    wish = {"incident": night(site)}
    for form in making.MEDIA:
        made, again = (making.make(site.house, "special", form, wish) for _ in range(2))
        assert made.sha256 == again.sha256, form


# ── the site's look ───────────────────────────────────────────────────────────────────────────


def test_the_red_head_is_the_sites_own(site: Site) -> None:
    look = ReportsSource(red_head="临江市政府办公室文件", signed="临江市舆情办", send_to="市委")
    site.house.site = dataclasses.replace(site.house.site, reports=look)
    said = text_of(making.make(site.house, "special", "docx", {"incident": night(site)}))
    assert said.startswith("临江市政府办公室文件")
    assert "市委：" in said
    assert "临江市舆情办" in said


def test_a_folder_of_templates_that_is_not_there_is_named(site: Site) -> None:
    site.house.site = dataclasses.replace(site.house.site, reports=ReportsSource(templates="模板"))
    with pytest.raises(ReportError, match="没有模板目录 模板；用 huiying report templates -o 模板 导出"):
        making.make(site.house, "special", "docx", {"incident": night(site)})


# ── refusals, each in one sentence ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "form", "wish", "words"),
    [
        ("speciall", "docx", {}, "没有报告 “speciall”.*special（舆情专报）"),
        ("special", "docx", {}, "舆情专报要写明哪一起事件"),
        ("special", "docx", {"incident": "2026-9999"}, "没有编号为 2026-9999 的事件；用 huiying board"),
        ("special", "odt", {"incident": "2026-0001"}, r"不会写 \.odt 文件；可用 \.docx"),
        ("brief", "docx", {"incident": "2026-0001"}, "不按事件；请去掉 --incident"),
        ("brief", "docx", {"period": "上周"}, "“上周” 不是期间；可写 2026（年）"),
        ("brief", "docx", {"period": "2026-11", "from": "2026-11-01"}, "只能写一种"),
        ("brief", "docx", {"to": "2026-11-01"}, "没有 --from"),
        ("brief", "docx", {"from": "2026-11-02", "to": "2026-11-01"}, "不晚于起 2026-11-02"),
        ("brief", "docx", {"period": "2025"}, "2025年没有任何记录：本站自 2026-11-21 00:00 起才有"),
        ("brief", "docx", {"period": "2027"}, "2027年还没有到；请写已经过去的期间"),
    ],
)
def test_what_cannot_be_reported_is_refused_in_one_sentence(
    site: Site, kind: str, form: str, wish: dict[str, str], words: str
) -> None:
    opened(site)
    with pytest.raises(ReportError, match=words):
        making.make(site.house, kind, form, wish)


def test_a_site_without_any_record_says_so(site: Site) -> None:
    with pytest.raises(ReportError, match="还没有任何记录，没有可报告的内容"):
        making.make(site.house, "brief", "docx", {})


# ── command line and pages ────────────────────────────────────────────────────────────────────


def test_the_command_writes_the_file_and_says_which(site: Site, tmp_path: Path) -> None:
    incident, path = night(site), tmp_path / "专报.docx"
    cli = Cli(site.house.site.directory)
    shown = cli.json("report", "special", "--incident", incident, "-o", str(path))
    assert (shown["kind_zh"], shown["path"]) == ("舆情专报", str(path))
    assert zipfile.is_zipfile(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.doc", "文件 x.doc 的结尾 .doc 不认识；请写成 .docx、.xlsx、.pdf、.md、.csv 之一"),
        ("x", "文件 x 没有结尾"),
        ("nowhere/x.docx", "写不了"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_and_leaves_nothing(
    site: Site, tmp_path: Path, name: str, words: str
) -> None:
    said = Cli(site.house.site.directory)(
        "report", "special", "--incident", night(site), "-o", str(tmp_path / name)
    )
    assert said.code == 1
    assert words in said.err
    assert list(tmp_path.glob("*x*")) == []


def test_a_report_without_a_file_is_wrong_usage(site: Site) -> None:
    said = Cli(site.house.site.directory)("report", "brief")
    assert (said.code, "加 -o 日报周报.docx" in said.err) == (2, True)


def test_the_templates_are_written_once_and_never_over_ones_own(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    assert cli("report", "templates", "-o", str(tmp_path / "模板")).code == 0
    assert sorted(path.name for path in (tmp_path / "模板").iterdir()) == ["official.docx", "official.typ"]
    again = cli("report", "templates", "-o", str(tmp_path / "模板"))
    assert (again.code, "已经有 official.docx、official.typ" in again.err) == (1, True)


def test_the_page_offers_every_report_and_sends_it_at_one_click(site: Site) -> None:
    incident = night(site)
    client = TestClient(build(site.desk))
    page = client.get("/reports", params={"incident": incident}).text
    assert all(kind.zh in page for kind in making.KINDS.values())
    assert f'value="{incident}" selected' in page
    sent = client.get(
        "/reports/file", params={"kind": "special", "form": "pdf", "incident": incident, "period": ""}
    )
    assert sent.content.startswith(b"%PDF")
    assert "filename*=UTF-8''%E8%88%86%E6%83%85%E4%B8%93%E6%8A%A5" in sent.headers["content-disposition"]


def test_dates_go_before_the_period_that_the_form_had_filled_in(site: Site) -> None:
    night(site)
    client = TestClient(build(site.desk))
    asked = {"period": "2020", "from": "2026-11-21", "to": "2026-11-21"}
    assert client.get("/api/v1/reports/brief", params=asked).json()["data"]["incidents"] == 1


def test_the_page_and_the_api_refuse_in_the_same_words(site: Site) -> None:
    night(site)
    client = TestClient(build(site.desk))
    missing = client.get("/api/v1/reports/special/file", params={"incident": "2026-9999"})
    assert (missing.status_code, "没有编号为 2026-9999" in missing.json()["error"]) == (404, True)
    refused = client.get("/reports/file", params={"kind": "special"})
    assert (refused.status_code, "要写明哪一起事件" in refused.text) == (409, True)
    assert client.get("/api/v1/reports/nosuch").status_code == 404


def test_a_report_leaves_no_mark_in_the_journal(site: Site) -> None:
    incident = night(site)
    before = site.desk.revision()
    making.make(site.house, "file", "md", {"incident": incident})
    assert site.desk.revision() == before
    assert site.verified()


def test_an_unknown_kind_is_no_such_thing() -> None:
    with pytest.raises(NoSuchThing):
        making.named("nosuch")


def test_the_file_holds_the_statement_word_for_word_with_who_signed_it(site: Site) -> None:
    incident, room = night(site), site.desk.statements
    text = "## 事实\n仓库起火，3人受伤。\n\n## 措施\n消防已到场扑救。\n\n## 结果\n明火已于5时扑灭。\n"
    written = {"title": "仓库火灾通报", "text": text, "disclosure": "proactive"}
    sid = str(room.draft(incident, written, "chen")["id"])
    room.act("submit", sid, {"reviewers": "li,zhao,zhou", "secrecy": "zhou"}, "chen")
    sha256 = str(room.one(sid)["sha256"])
    room.act("sign", sid, {"sha256": sha256, "step": "1"}, "li")
    said = text_of(making.make(site.house, "file", "docx", {"incident": incident}))
    for words in ("仓库起火，3人受伤。", "明火已于5时扑灭。", sha256, "第 1 稿\n初审\n李主任\n同意"):
        assert words in said
    assert "李主任同意" in text_of(making.make(site.house, "special", "docx", {"incident": incident}))


def test_a_period_groups_the_limits_of_the_work_and_a_single_incident_names_each(site: Site) -> None:
    incident, room = night(site), site.desk.statements
    for title in ("初报", "续报"):
        text = "## 事实\n仓库起火，3人受伤。\n\n## 措施\n消防已到场扑救。\n\n## 结果\n明火已扑灭。\n"
        sid = str(
            room.draft(incident, {"title": title, "text": text, "disclosure": "proactive"}, "chen")["id"]
        )
        room.act("submit", sid, {"reviewers": "li,zhao,zhou", "secrecy": "zhou"}, "chen")
    site.time.moment = at("1+02:30")
    rows = table_of(making.make(site.house, "annual", "xlsx", {"period": "2026"}), "各时限")
    assert rows[-1][:4] == ("审核", 4, 0, 4), "two first steps and two checks, below the clocks of the law"
    for report, period in (("brief", "2026-11-21"), ("bulletin", "2026-Q4"), ("annual", "2026")):
        late = [
            row[2] for row in table_of(making.make(site.house, report, "xlsx", {"period": period}), "逾期")
        ]
        assert sorted(late) == ["上报事故（本级）", "举行新闻发布会", "审核（4 项）", "持续发布"]
    made = making.make(site.house, "special", "xlsx", {"incident": incident})
    single = [str(row[0]) for row in table_of(made, "各个时钟")]
    assert sum(name.startswith(("初审", "保密审查")) for name in single) == 4
