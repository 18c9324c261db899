"""A file that a person hands in as evidence: what it is by its content, or why it is refused.

The name says nothing: the content decides, and the name must agree with it. What could be two things at
once (an archive behind a picture, a page inside a text) is refused, and so is whatever a browser or an office
program would run. Nothing is unpacked, drawn or executed here.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

from connectors.ports import Refused

MOST: Final = 10 * 1024 * 1024
"""Bytes of one file."""
MOST_PARTS: Final = 2_000
MOST_NAME: Final = 120
OCTETS: Final = "application/octet-stream"

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEXT: Final = "text/plain; charset=utf-8"
ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "video/mp4": (".mp4", ".m4v"),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
    TEXT: (".txt", ".csv", ".md"),
}
"""What is taken, by its content; and the names that such a content may bear, the first being usual."""
NAMED: Final = "PDF、PNG、JPEG、MP4、DOCX、XLSX、纯文本"
_KEPT: Final = {"application/warc": ".warc.gz", "application/zip": ".zip"}
_SHOWN_AS_IS: Final = frozenset({"image/png", "image/jpeg"})
_ARCHIVE_END: Final = b"PK\x05\x06"
_ARCHIVE_TAIL: Final = 66_000  # where a reader of archives looks for the end, and so must we
_PAGE: Final = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|meta|\?xml\s|\?php)",
    re.IGNORECASE,
)
_RUNS: Final = re.compile(
    r"vbaproject|vbadata|/embeddings/|/activex/|/macrosheets/|/dialogsheets/"
    r"|\.(?:exe|dll|com|scr|bat|cmd|ps1|vbs|js|jse|wsf|hta|msi|jar|lnk|ole|sh)$",
    re.IGNORECASE,
)
"""Parts that an office program runs, or that somebody runs who opens them."""
_PDF_RUNS: Final = re.compile(rb"/(?:JavaScript|Launch)(?![A-Za-z])")
_PDF_NAME: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_SCRIPT: Final = re.compile(rb"\A(?:#!|@echo\b|<#|MZ|\x7fELF|\{\\rtf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be kept: its name made plain, its bytes, and what they are."""

    name: str
    content: bytes
    media_type: str


def examined(name: str, content: bytes) -> Upload:
    """The file as it may be kept. Raises Refused that says what is wrong and what to do."""
    plain = plain_name(name)
    if not content:
        raise Refused(f"文件“{plain}”是空的；请重新选择文件")
    if len(content) > MOST:
        size = len(content) / 1024 / 1024
        raise Refused(f"文件“{plain}”有 {size:.1f} MB，超过 {MOST // 1024 // 1024} MB；请压缩或截取后再传")
    media_type = _kind(content, plain)
    ending_ = PurePosixPath(plain).suffix.lower()
    if ending_ not in ENDINGS[media_type]:
        wanted = " 或 ".join(ENDINGS[media_type])
        raise Refused(
            f"文件“{plain}”的内容是 {_zh(media_type)}，名字应以 {wanted} 结尾；请核对是不是选错了文件"
        )
    return Upload(plain, content, media_type)


def _kind(content: bytes, name: str) -> str:
    """Its media type by its first and last bytes. Raises Refused for anything else and for two in one."""
    for begins, media_type, check in _KINDS:
        if begins(content):
            why = check(content)
            if why:
                raise Refused(f"文件“{name}”{why}，不能作凭据；请另存一份干净的 {_zh(media_type)} 再传")
            return media_type
    if content.startswith(b"PK\x03\x04"):
        return _office(content, name)
    return _text(content, name)


def _zh(media_type: str) -> str:
    return {DOCX: "DOCX 文档", XLSX: "XLSX 表格", TEXT: "纯文本"}.get(
        media_type, media_type.rpartition("/")[2].upper()
    )


def _pdf(content: bytes) -> str:
    if b"%%EOF" not in content[-2048:]:
        return "不完整(没有 PDF 的结尾)"
    plain = _PDF_NAME.sub(lambda found: bytes([int(found[1], 16)]), content)  # /J#53 is /JS
    return "打开时会运行脚本或程序" if _PDF_RUNS.search(plain) else _two_in_one(content)


def _png(content: bytes) -> str:
    return _two_in_one(content) if content.endswith(b"IEND\xaeB`\x82") else "结尾之后还有别的内容或不完整"


def _jpeg(content: bytes) -> str:
    return _two_in_one(content) if b"\xff\xd9" in content[-4096:] else "不完整(没有 JPEG 的结尾)"


def _mp4(content: bytes) -> str:
    return _two_in_one(content)


def _two_in_one(content: bytes) -> str:
    """An archive or a page hidden in what looks like something else."""
    if _ARCHIVE_END in content[-_ARCHIVE_TAIL:]:
        return "里面还藏着压缩包"
    return "里面还藏着网页" if _PAGE.search(content[:1024]) or _PAGE.search(content[-4096:]) else ""


_KINDS: Final[tuple[tuple[Callable[[bytes], bool], str, Callable[[bytes], str]], ...]] = (
    (lambda b: b.startswith(b"%PDF-"), "application/pdf", _pdf),
    (lambda b: b.startswith(b"\x89PNG\r\n\x1a\n"), "image/png", _png),
    (lambda b: b.startswith(b"\xff\xd8\xff"), "image/jpeg", _jpeg),
    (lambda b: b[4:8] == b"ftyp" and len(b) > 16, "video/mp4", _mp4),
)


def _office(content: bytes, name: str) -> str:
    """DOCX or XLSX by the parts that it lists; nothing of it is unpacked."""
    try:
        parts = [entry.filename for entry in zipfile.ZipFile(io.BytesIO(content)).infolist()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Refused(f"文件“{name}”打不开({error})；请重新导出后再传") from None
    if len(parts) > MOST_PARTS or len(set(parts)) != len(parts):
        raise Refused(f"文件“{name}”的内部结构不寻常；请用办公软件另存一份再传")
    if b"%PDF-" in content[:1024]:
        raise Refused(f"文件“{name}”里面还藏着 PDF，不能作凭据；请另存一份再传")
    if any(_RUNS.search(part) for part in parts):
        raise Refused(f"文件“{name}”带有宏或嵌入的文件，不能作凭据；请另存为不带宏的文档或 PDF")
    if "[Content_Types].xml" in parts and "word/document.xml" in parts:
        return DOCX
    if "[Content_Types].xml" in parts and "xl/workbook.xml" in parts:
        return XLSX
    raise Refused(f"文件“{name}”是压缩包；凭据只收 {NAMED}，请逐个上传里面的文件")


def _text(content: bytes, name: str) -> str:
    if _SCRIPT.match(content):
        raise Refused(f"文件“{name}”是程序或脚本，不收；凭据只收 {NAMED}")
    if _PAGE.search(content):
        raise Refused(
            f"文件“{name}”是网页或 SVG，浏览器会执行，不收；请另存为 PDF 或截图(PNG)，有网址的填网址"
        )
    if not _readable(content):
        raise Refused(f"文件“{name}”看不出是什么；凭据只收 {NAMED}，请换成其中一种")
    return TEXT


def _readable(content: bytes) -> bool:
    """Chinese or plain text in UTF-8 or GB 18030, without control characters."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not any(unicodedata.category(mark) == "Cc" and mark not in "\t\r\n\f" for mark in text)
    return False


def plain_name(name: str) -> str:
    """A file's own name without its path, marks of control and anything that turns the reading around."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(mark for mark in last if unicodedata.category(mark)[0] != "C" and mark not in '<>:"|?*')
    stem, dot, end = kept.strip(" .").rpartition(".")
    short = f"{stem[: MOST_NAME - len(end) - 1]}{dot}{end}" if dot else kept.strip(" .")[:MOST_NAME]
    return short or "未命名"


# ── out again ─────────────────────────────────────────────────────────────────────────────────


def ending(media_type: str) -> str:
    """The usual ending of what is kept under that type."""
    return ENDINGS.get(media_type, (_KEPT.get(media_type, ".txt"),))[0]


def served(name: str, media_type: str) -> dict[str, str]:
    """The headers with which kept bytes go out: always a download, never a page of ours; whatever a browser
    would run or draw by itself goes as plain octets."""
    plain = plain_name(name)
    simple = "".join(mark if mark.isascii() and (mark.isalnum() or mark in "._-") else "_" for mark in plain)
    disposition = f"attachment; filename=\"{simple}\"; filename*=UTF-8''{quote(plain, safe='')}"
    return {
        "Content-Type": media_type if media_type in _SHOWN_AS_IS else OCTETS,
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
    }
