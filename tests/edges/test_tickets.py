from __future__ import annotations

import gzip
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping import from_message, guess_mapping
from connectors.ports import Refused
from connectors.tickets import mapping_of, read, read_batches
from models.core.moment import CST
from models.core.signals import Batch
from models.core.vocabulary import Medium

HEADER = "留言编号,留言用户,留言主题,留言时间,留言详情,区域,一级标签"
ROWS = (
    "1001,王某,自来水有异味,2019/9/5 12:03,三天了还没有处理,东湖区,环境保护",
    "1002,李某,路灯不亮,2019年9月5日12时,晚上很黑,西城区,城乡建设",
)


def write(path: Path, text: str, charset: str = "utf-8") -> Path:
    path.write_bytes(text.encode(charset))
    return path


def table(path: Path, *rows: str, charset: str = "utf-8", header: str = HEADER) -> Path:
    return write(path, "\r\n".join([header, *rows]) + "\r\n", charset)


def got(path: Path, **more: Any) -> Batch:
    return read(path, source_id="12345", **more)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_a_csv_of_tickets_is_read_in_every_charset(tmp_path: Path, charset: str) -> None:
    first, second = got(table(tmp_path / "t.csv", *ROWS, charset=charset)).signals
    assert (first.external_id, first.author, first.title, first.body, first.place) == (
        "1001", "王某", "自来水有异味", "三天了还没有处理", "东湖区",
    )  # fmt: skip
    assert first.published_at == datetime(2019, 9, 5, 12, 3, tzinfo=CST)
    assert second.published_at == datetime(2019, 9, 5, 12, tzinfo=CST)
    assert (first.source_id, first.medium) == ("12345", Medium.HOTLINE)


def test_a_big5_csv_of_traditional_tickets_is_read(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "1,供水異味,自來水三天都有異味", header="編號,標題,內容", charset="big5")
    with pytest.raises(Refused, match="没有表头"):
        got(path)  # traditional column names are not guessed …
    path = table(tmp_path / "u.csv", "1,供水異味,自來水三天都有異味", header="id,title,body", charset="big5")
    assert got(path).signals[0].body == "自來水三天都有異味"


def test_a_file_put_together_from_two_charsets_keeps_both(tmp_path: Path) -> None:
    rows = [ROWS[0].encode(), ROWS[1].encode("gb18030"), ROWS[0].replace("1001", "1003").encode()]
    path = tmp_path / "t.csv"
    path.write_bytes(b"\r\n".join([HEADER.encode(), *rows]) + b"\r\n")
    titles = [signal.title for signal in got(path).signals]
    assert titles == ["自来水有异味", "路灯不亮", "自来水有异味"]


def test_the_mapping_is_guessed_and_shown_with_what_is_left_aside(tmp_path: Path) -> None:
    mapping = mapping_of(table(tmp_path / "t.csv", *ROWS))
    assert mapping.columns == {
        "id": "留言编号", "title": "留言主题", "body": "留言详情", "author": "留言用户",
        "published_at": "留言时间", "place": "区域",
    }  # fmt: skip
    assert mapping.ignored == ("一级标签",)
    assert "title ← 留言主题" in mapping.shown()
    assert "一级标签" in mapping.shown()


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        (
            ["工单编号", "来电时间", "诉求内容", "事发地址"],
            {"id": "工单编号", "published_at": "来电时间", "body": "诉求内容", "place": "事发地址"},
        ),
        (
            ["ID", "Title", "Text", "Created_At"],
            {"id": "ID", "title": "Title", "body": "Text", "published_at": "Created_At"},
        ),
        (["序列", "市民反映具体内容(必填)"], {"body": "市民反映具体内容(必填)"}),
        (["标题", "答复内容", "答复时间", "回复单位编号"], {"title": "标题"}),
        (["内容", "留言详情"], {"body": "留言详情"}),
    ],
)
def test_columns_are_known_by_the_names_that_systems_give_them(
    headers: list[str], wanted: dict[str, str]
) -> None:
    assert guess_mapping(headers).columns == wanted


def test_a_bad_row_is_rejected_with_its_line_and_the_counts_add_up(tmp_path: Path) -> None:
    path = table(
        tmp_path / "t.csv",
        ROWS[0],
        "1003,赵某,停水,昨天下午,详情,东湖区,x",
        "1004,,,,,东湖区,",
        "1005,a,b,c,d,e,f,g,h",
        ROWS[1],
        "",
    )
    batch = got(path)
    assert (batch.read, len(batch.signals)) == (5, 2)
    reasons = [row.reason for row in batch.rejected]
    assert [reason.partition(": ")[0] for reason in reasons] == ["t.csv:3", "t.csv:4", "t.csv:5"]
    assert "留言时间" in reasons[0]
    assert "没有标题也没有内容" in reasons[1]
    assert "表头 7 列，这一行有 9 格" in reasons[2]
    assert "昨天下午" in batch.rejected[0].raw


def test_a_quotation_mark_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", ROWS[0], '1003,赵某,"停水,2019/9/5 12:03,详情,东湖区,x', ROWS[1])
    batch = got(path)
    assert [signal.external_id for signal in batch.signals] == ["1001", "1002"]
    assert len(batch.rejected) == 1
    assert batch.rejected[0].place == "t.csv:3"
    assert "引号" in batch.rejected[0].reason


def test_a_text_over_several_lines_is_one_row_and_later_line_numbers_are_right(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", '1001,王某,停水,2019/9/5 12:03,"第一行\n第二行",东湖区,x', "1002,,,,,,")
    batch = got(path)
    assert batch.signals[0].body == "第一行\n第二行"
    assert batch.rejected[0].place == "t.csv:4"


def test_a_title_above_the_header_is_passed_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv", "12345 热线工单,,,,,,\n制表: 值班室,,,,,,\n" + "\n".join([HEADER, *ROWS])
    )
    assert len(got(path).signals) == 2


def test_a_file_without_known_columns_is_refused_and_told_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="甲"):
        got(write(tmp_path / "t.csv", "甲,乙\n1,2\n"))
    with pytest.raises(Refused, match="没有表头"):
        got(write(tmp_path / "empty.csv", ""))


def test_a_row_without_an_id_gets_the_same_one_every_time(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "停水,三天", "停水,四天", header="标题,内容")
    ids = [signal.external_id for signal in got(path).signals]
    assert len(set(ids)) == 2
    assert ids == [signal.external_id for signal in got(path).signals]


def sheet(path: Path, *rows: list[Any], title: str = "Sheet1") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def test_an_xlsx_with_date_cells_numbers_and_blank_rows_is_read(tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "t.xlsx",
        ["12345 热线工单"],
        ["工单编号", "标题", "来电时间", "诉求内容"],
        [24, "停水", datetime(2019, 9, 5, 12, 3), "三天了"],  # noqa: DTZ001  (a sheet knows no zones)
        [None, None, None, None],
        [25.0, "停电", 43713.5, "=1+1"],
        ["26", "断网", "不知道", "x"],
    )
    batch = got(path)
    assert [signal.external_id for signal in batch.signals] == ["24", "25"]
    assert batch.signals[0].published_at == datetime(2019, 9, 5, 12, 3, tzinfo=CST)
    assert batch.signals[1].published_at == datetime(2019, 9, 5, 12, tzinfo=CST)
    assert batch.rejected[0].place == "t.xlsx:Sheet1:6"


def test_a_sheet_that_was_formatted_to_its_end_and_an_empty_book_are_bounded(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["标题", "内容"])
    page.append(["停水", "三天"])
    page.cell(row=1_048_576, column=1, value="很远的一格")
    book.save(tmp_path / "far.xlsx")
    assert [signal.title for signal in got(tmp_path / "far.xlsx").signals] == ["停水"]
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(Refused, match="空的"):
        got(tmp_path / "empty.xlsx")


def test_a_workbook_of_nested_entities_is_cut_and_the_next_is_read(tmp_path: Path) -> None:
    path = sheet(tmp_path / "t.xlsx", ["标题", "内容"], ["停水", "三天"])
    bomb = tmp_path / "bomb.xlsx"
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    kind = f'<!DOCTYPE worksheet [<!ENTITY e0 "停水">{entities}]>'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            xml = old.read(part).decode()
            xml = xml.replace("&#19977;&#22825;", "三天")  # as openpyxl writes it where lxml is there
            new.writestr(part, kind + xml.replace("三天", "&e11;") if "sheet1" in part else xml)
    rejected = got(bomb).rejected
    assert "已损坏" in rejected[0].reason
    assert len(got(path).signals) == 1


def test_a_zip_bomb_and_a_file_that_is_no_workbook_are_refused(tmp_path: Path) -> None:
    path = sheet(tmp_path / "t.xlsx", ["标题", "内容"], ["停水", "三天"])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as pack:
        for number in range(6):
            pack.writestr(f"xl/media/{number}.bin", bytes(100 * 2**20))
    with pytest.raises(Refused, match="太大"):
        got(path)
    with pytest.raises(Refused, match=r"另存为 \.xlsx"):
        got(write(tmp_path / "u.xlsx", "<html>not a workbook</html>"))
    with pytest.raises(Refused, match=r"\.xlsx"):
        got(write(tmp_path / "old.xls", "x"))


def lines(path: Path, *rows: object) -> Path:
    return write(
        path,
        "".join(
            (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows
        ),
    )


def test_json_lines_are_read_and_each_bad_one_is_named(tmp_path: Path) -> None:
    good = {
        "id": "1",
        "user": "u",
        "title": "停水",
        "time": "2019-09-05 12:03:11",
        "body": "三天",
        "label": "x",
    }
    path = lines(
        tmp_path / "t.jsonl",
        good,
        "{broken",
        "[1]",
        "",
        '"text"',
        {"id": "2"},
        {**good, "id": 3},
        "[" * 100_000,
    )
    batch = got(path)
    assert [signal.external_id for signal in batch.signals] == ["1", "3"]
    assert [row.place for row in batch.rejected] == [
        "t.jsonl:2",
        "t.jsonl:3",
        "t.jsonl:5",
        "t.jsonl:6",
        "t.jsonl:8",
    ]
    assert batch.read == 7


def test_posts_carry_the_fields_of_the_contract(tmp_path: Path) -> None:
    post = {
        "id": 7,
        "text": "园区冒烟",
        "channel": "微博",
        "source": "blog",
        "published_at": "2026-11-21T02:13:00+08:00",
        "place": "东湖区",
        "metrics": {"reads": "3.2万", "reposts": 12, "other": 5},
    }
    (signal,) = got(lines(tmp_path / "p.jsonl", post), kind="posts").signals
    assert (signal.body, signal.medium, signal.source_id, signal.place) == (
        "园区冒烟",
        Medium.WEIBO,
        "12345:blog",
        "东湖区",
    )
    assert signal.metrics == {"reads": 32_000, "reposts": 12}


def test_a_gzipped_file_is_read_and_a_damaged_one_keeps_what_stands_before_the_damage(tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": f"第 {n * 7919 % 10007} 件 {n * n}"} for n in range(5_000)]
    packed = gzip.compress(lines(tmp_path / "t.jsonl", *rows).read_bytes())
    whole, cut = tmp_path / "w.jsonl.gz", tmp_path / "c.jsonl.gz"
    whole.write_bytes(packed)
    cut.write_bytes(packed[: len(packed) // 2])
    assert len(got(whole).signals) == 5_000
    with pytest.raises(Refused, match="已损坏"):
        got(cut)


def test_a_line_without_end_is_rejected_and_the_next_is_read(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", '{"title": "' + "x" * (3 * 2**20) + '"}', {"id": "2", "title": "停水"})
    batch = got(path)
    assert [signal.external_id for signal in batch.signals] == ["2"]
    assert [row.place for row in batch.rejected] == ["t.jsonl:1"]
    assert len(batch.rejected[0].raw) < 100_000


ROW = '{"id": 1, "title": "停水"}'


@pytest.mark.parametrize("text", [f"[{ROW}]", f'{{"data": [{ROW}]}}', ROW, f"{ROW}\n{ROW}"])
def test_a_json_file_may_hold_a_list_an_object_with_a_list_one_row_or_lines(
    tmp_path: Path, text: str
) -> None:
    assert {signal.external_id for signal in got(write(tmp_path / "t.json", text)).signals} == {"1"}


@pytest.mark.parametrize("text", ["", "{", '"text"', '{"a": 1}', "[" * 100_000])
def test_a_json_file_without_rows_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match=r"t\.json"):
        got(write(tmp_path / "t.json", text))


def test_batches_hold_five_hundred_rows_and_add_up(tmp_path: Path) -> None:
    rows = [{"id": str(n), "title": "停水"} if n % 10 else {"id": str(n)} for n in range(1_201)]
    batches = list(read_batches(lines(tmp_path / "t.jsonl", *rows), source_id="x"))
    assert [batch.read for batch in batches] == [500, 500, 201]
    assert sum(len(batch.rejected) for batch in batches) == 121


def test_a_file_that_is_not_there_or_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="没有这个文件"):
        got(tmp_path / "none.csv")
    with pytest.raises(Refused, match=r"\.pdf"):
        got(write(tmp_path / "t.pdf", "x"))
    with pytest.raises(ValueError, match="tickets posts"):
        got(table(tmp_path / "t.csv", *ROWS), kind="letters")


def test_no_row_makes_itself_a_publication_of_ours() -> None:
    for channel in ("official", "官方 official", "OFFICIAL"):
        row = {"id": "1", "title": "情况通报", "channel": channel}
        assert from_message(row, source_id="x", medium=Medium.MAILBOX).medium is Medium.MAILBOX


def test_excels_way_of_writing_text_and_hidden_controls_are_taken_off() -> None:
    signal = from_message({"id": '="00123"', "title": "停\x00水\x08", "内容": "三天\u200b了"}, source_id="x")
    assert (signal.external_id, signal.title) == ("00123", "停水")
    assert "\x00" not in signal.body


FIELDS = st.sampled_from(["id", "title", "body", "time", "metrics", "source", "place", "reads"])
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
CELLS = st.one_of(PLAIN, st.lists(st.integers(), max_size=2))


@given(st.lists(st.one_of(PLAIN, st.dictionaries(FIELDS, CELLS)), max_size=8))
def test_whatever_json_lines_hold_the_counts_add_up(
    tmp_path_factory: pytest.TempPathFactory, rows: list[object]
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert got(path).read == len(rows)


@given(st.text(alphabet=st.sampled_from('ab,"\n\r停;\t'), max_size=200))
def test_whatever_a_csv_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(("标题,内容\n" + text).encode())
    batch = got(path)
    assert batch.read <= text.count("\n") + text.count("\r") + 1
