"""A file is what its content says: wrong names, two things in one, and what runs are refused in words."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ports import Refused
from connectors.uploads import DOCX, MOST, TEXT, XLSX, ending, examined, plain_name, served

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40 + b"\0\0\0\0IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 60 + b"\xff\xd9"
MP4 = b"\0\0\0\x20ftypisom" + b"\0" * 64


def archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        for name in names:
            into.writestr(name, "<x/>")
    return made.getvalue()


WORD = archive("[Content_Types].xml", "word/document.xml")
EXCEL = archive("[Content_Types].xml", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("通报.pdf", PDF, "application/pdf"),
        ("截图.PNG", PNG, "image/png"),
        ("现场.jpeg", JPEG, "image/jpeg"),
        ("录像.mp4", MP4, "video/mp4"),
        ("回执.docx", WORD, DOCX),
        ("清单.xlsx", EXCEL, XLSX),
        ("记录.txt", "情况说明：1 < 2，无异常。".encode(), TEXT),
        ("旧记录.txt", "情况说明".encode("gb18030"), TEXT),
    ],
)
def test_what_may_be_evidence_is_known_by_its_content(name: str, content: bytes, media_type: str) -> None:
    assert examined(name, content).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("空.pdf", b"", "是空的"),
        ("截图.pdf", PNG, "内容是 PNG，名字应以 .png 结尾"),
        ("通报.pdf.exe", PDF, "名字应以 .pdf 结尾"),
        ("没有后缀", PDF, "名字应以 .pdf 结尾"),
        ("通报.pdf", PDF[:-8], "不完整"),
        ("通报.pdf", PDF + archive("evil.html"), "结尾|压缩包"),
        ("截图.png", PNG + archive("a"), "结尾之后还有别的内容"),
        ("截图.png", PNG + b"<script>alert(1)</script>", "结尾之后还有别的内容"),
        ("截图.jpg", JPEG[:-2] + archive("a") + b"\xff\xd9", "还藏着压缩包"),
        ("截图.jpg", JPEG[:-2] + b"<script>x</script>\xff\xd9", "还藏着网页"),
        ("回执.docx", WORD[:4] + b"%PDF-1.4" + WORD[12:], "还藏着 PDF|打不开"),
        ("回执.docx", archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "带有宏"),
        ("回执.docx", archive("[Content_Types].xml", "word/document.xml", "word/embeddings/x.bin"), "嵌入的文件"),
        ("表.xlsx", archive("[Content_Types].xml", "xl/workbook.xml", "xl/macrosheets/sheet1.xml"), "带有宏"),
        ("回执.docx", archive("[Content_Types].xml", "word/document.xml", "word/activeX/activeX1.bin"), "带有宏"),
        ("回执.docx", archive("[Content_Types].xml", "word/document.xml", "evil.EXE"), "带有宏"),
        ("脚本.pdf", PDF[:9] + b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>" + PDF[9:], "会运行脚本"),
        ("脚本.pdf", PDF[:9] + b"/AA<</S/#4aavaScript/JS(x)>>" + PDF[9:], "会运行脚本"),
        ("启动.pdf", PDF[:9] + b"/OpenAction<</S/Launch/F(cmd.exe)>>" + PDF[9:], "会运行脚本"),
        ("资料.zip", archive("a.txt"), "是压缩包"),
        ("坏.docx", b"PK\x03\x04" + b"\0" * 50, "打不开"),
        ("图.svg", b'<?xml version="1.0"?><svg onload="alert(1)"/>', "网页或 SVG"),
        ("图.txt", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "网页或 SVG"),
        ("页.html", b"<!DOCTYPE html><p>x", "网页或 SVG"),
        ("记.txt", "前面是字<SCRIPT >".encode(), "网页或 SVG"),
        ("跑.txt", b"#!/bin/sh\nrm -rf /", "程序或脚本"),
        ("跑.exe", b"MZ\x90\0", "程序或脚本"),
        ("图.gif", b"GIF89a\x01\0\x01\0\0\0\0;", "看不出是什么"),
        ("乱.txt", b"abc\0def", "看不出是什么"),
        ("大.txt", b"a" * (MOST + 1), "超过 10 MB"),
    ],
)  # fmt: skip
def test_what_may_not_is_refused_with_what_to_do(name: str, content: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said):
        examined(name, content)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\用户\\通报.pdf", "通报.pdf"),
        ("通报\u202efdp.exe", "通报fdp.exe"),
        ('a"b\r\nX: 1.txt', "abX 1.txt"),
        ("...", "未命名"),
        ("长" * 300 + ".pdf", "长" * 116 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(given: str, kept: str) -> None:
    assert plain_name(given) == kept


def test_what_a_browser_would_run_goes_out_as_octets_to_be_saved() -> None:
    for media_type in (
        "application/pdf",
        "video/mp4",
        DOCX,
        TEXT,
        "text/html",
        "image/svg+xml",
        "application/zip",
    ):
        headers = served("通报.pdf", media_type)
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment;")
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert served("a.png", "image/png")["Content-Type"] == "image/png"


def test_what_is_kept_gets_its_usual_ending() -> None:
    assert [ending(t) for t in ("application/pdf", DOCX, "application/warc", "x/y")] == [
        ".pdf",
        ".docx",
        ".warc.gz",
        ".txt",
    ]


@given(
    st.sampled_from([("a.pdf", PDF), ("a.png", PNG), ("a.jpg", JPEG), ("a.mp4", MP4)]), st.binary(max_size=60)
)
def test_no_archive_hides_behind_another_kind(kind: tuple[str, bytes], rest: bytes) -> None:
    name, content = kind
    with pytest.raises(Refused):
        examined(name, content + archive("x.html") + rest + content[-60:])


@given(st.binary(min_size=1, max_size=200))
def test_what_is_taken_is_always_of_a_known_kind_and_never_a_page(content: bytes) -> None:
    for name in ("a.pdf", "a.png", "a.txt", "a.docx"):
        try:
            taken = examined(name, content)
        except Refused as refused:
            assert "；" in str(refused) or "，" in str(refused)
        else:
            assert taken.media_type == TEXT
            assert b"<script" not in content.lower()
