from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.encodings import decode, guess, known

SIMPLIFIED = "临江市化工园区今日凌晨发生爆炸，现场浓烟滚滚，多名工人被送往医院，有关部门正在救援。"
TRADITIONAL = "臨江市化工園區今日凌晨發生爆炸，現場濃煙滾滾，多名工人被送往醫院，有關部門正在救援。"


@pytest.mark.parametrize(
    "text",
    [SIMPLIFIED, SIMPLIFIED[:7], "供水异味", "自来水有异味怎么办", "联通", "标题,内容\n停水,停水三天\n"],
)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "gbk", "utf-16", "hz"])
def test_undeclared_simplified_chinese_is_told_apart(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


SHORT = [
    "停水",
    "东坪",
    "你好",
    "A座停水",
    "①停水",
    "12345热线：停水",
    "王某某反映停水停电",
    "2026-11-21,停水,12.5元",
    "停水\r\n",
]


@pytest.mark.parametrize("text", [*SHORT, "喆", "㐂堃", "中", "啊"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_few_characters_are_enough(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


@pytest.mark.parametrize("text", ["停電", "臺北", "漏水嚴重", "請處理", "標題,內容\n停水,三天\n"])
@pytest.mark.parametrize("charset", ["utf-8", "big5", "gb18030", "utf-16"])
def test_a_few_traditional_characters_are_enough(text: str, charset: str) -> None:
    assert decode(text.encode(charset)) == text


@pytest.mark.parametrize("charset", ["utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be"])
def test_undeclared_traditional_chinese_is_told_apart(charset: str) -> None:
    assert decode(TRADITIONAL.encode(charset)) == TRADITIONAL


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_apart(charset: str) -> None:
    assert decode(SIMPLIFIED.encode(charset)) == SIMPLIFIED


@pytest.mark.parametrize(
    "mark", [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_LE, "utf-32-le"),
             (b"\x84\x31\x95\x33", "gb18030")],
)  # fmt: skip
def test_a_byte_order_mark_decides_against_every_declaration(mark: tuple[bytes, str]) -> None:
    head, charset = mark
    assert decode(head + SIMPLIFIED.encode(charset), "iso-8859-1") == SIMPLIFIED


@pytest.mark.parametrize(
    "wrong", ["gb2312", "big5", "iso-8859-1", "utf-16", "no-such-charset", "zlib", "idna", ""]
)
def test_a_wrong_declaration_does_not_spoil_good_utf_8(wrong: str) -> None:
    assert decode(SIMPLIFIED.encode(), wrong) == SIMPLIFIED


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1", "big5"])
def test_a_wrong_declaration_does_not_spoil_good_gb18030(wrong: str) -> None:
    assert decode(SIMPLIFIED.encode("gb18030"), wrong) == SIMPLIFIED


def test_big5_declared_as_gb2312_is_read_as_big5() -> None:
    assert decode(TRADITIONAL.encode("big5"), "gb2312") == TRADITIONAL


def test_gb2312_is_read_as_gb18030_so_that_rare_names_survive() -> None:
    name = "喆𠮷里、堃园路"
    assert decode(name.encode("gb18030"), "gb2312") == name


def test_a_declaration_inside_xml_or_html_is_heard() -> None:
    xml = f'<?xml version="1.0" encoding="GB2312"?><rss><title>{SIMPLIFIED}</title></rss>'
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=big5"></head>{TRADITIONAL}</html>'
    assert SIMPLIFIED in decode(xml.encode("gbk"))
    assert TRADITIONAL in decode(page.encode("big5"))


def test_a_declared_western_charset_is_respected() -> None:
    assert decode("Café à Zürich".encode("latin-1"), "iso-8859-1") == "Café à Zürich"
    assert decode("Пожар на заводе".encode("koi8-r"), "koi8-r") == "Пожар на заводе"


def test_xml_in_utf_16_without_a_mark_is_read_by_either_end() -> None:
    xml = '<?xml version="1.0" encoding="UTF-16"?><rss><title>water supply</title></rss>'
    assert decode(xml.encode("utf-16-be")) == xml
    assert decode(xml.encode("utf-16-le")) == xml


def test_one_bad_byte_in_plain_ascii_is_not_taken_for_utf_16() -> None:
    text = '<?xml version="1.0" encoding="utf-8"?><rss><title>water supply</title></rss>'
    assert decode(text.encode() + b"\x98").startswith(text)
    assert decode(text.encode() + b"\x98 ").startswith(text)


def test_one_bad_byte_costs_one_character_and_not_the_charset() -> None:
    data = SIMPLIFIED.encode("gb18030") + b"\xff" + SIMPLIFIED.encode("gb18030")
    assert decode(data).count(SIMPLIFIED) == 2
    assert decode(SIMPLIFIED.encode() + b"\xff\xfe\xfa" + SIMPLIFIED.encode()).count(SIMPLIFIED) == 2


def test_charsets_that_are_no_text_are_unknown() -> None:
    assert [known(name) for name in ("zlib", "hex", "idna", "punycode", "unicode_escape", "utf-7", None)] == [
        None
    ] * 7


@given(st.binary(max_size=400), st.one_of(st.none(), st.text(max_size=12)))
def test_no_bytes_and_no_declaration_raise(data: bytes, declared: str | None) -> None:
    assert isinstance(decode(data, declared), str)


@given(st.text(alphabet=st.sampled_from(SIMPLIFIED), min_size=8, max_size=80))
def test_ordinary_words_in_utf_8_always_come_back(text: str) -> None:
    assert decode(text.encode()) == text
    assert guess(text.encode()) == "utf-8"
