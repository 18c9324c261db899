"""证据包: what was gathered of a rumour as one archive that anybody can check, and its hand-over form. Pure.

国办发〔2016〕61号 (N-006) and 黔财办〔2017〕14号 (七)2 (S-035): answer, and hand leads of offences over to the
police or the network authority. The same content gives the same bytes: names in order, no compression, one
fixed date inside, so that its SHA-256 speaks for the content alone.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from models.core.moment import iso, local, parse_iso

BASIS: Final = ("国办发〔2016〕61号 N-006", "黔财办〔2017〕14号 (七)2 S-035")
MANIFEST: Final = "manifest.json"
COUNTS: Final = ("reads", "reposts", "likes", "comments")
COLUMNS: Final = (
    "number", "url", "title", "author", "medium", "source", "published_at", "seen_at", *COUNTS, "sealed_sha256",
    "page", "page_sha256",
)  # fmt: skip
KEPT: Final = ("sha256", "media_type", "bytes")
_FIXED: Final = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can name
_HOUR: Final = timedelta(hours=1)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

README: Final = """证据包说明

posts.csv / posts.json  线索清单: 网址、发布者、时间、传播量、入库时的哈希；制作时看过网页的，写明还在不在和网页的哈希
posts/                  每条线索入库时的文字
spread.csv              每小时新增与累计条数、各条线索最近一次读到的传播量合计
snapshots.csv           已经存证的网页(WARC)和文件: 内容的 SHA-256、类型、字节数
snapshots/              它们的原件，文件名是内容的 SHA-256；发布者已遮盖的证据包没有，要原件的凭哈希另行调取
manifest.json           每个文件的 SHA-256、制作人、制作时间、当时日志链的末端哈希

核对: 对每个文件求 SHA-256，与 manifest.json 中的相比；
日志链的末端哈希可在本系统用 huiying verify 核对。
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """CSV that a spreadsheet opens as UTF-8; what would run as a formula there is made text."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return b"\xef\xbb\xbf" + made.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def spread(posts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Hour by hour: how many posts came, how many there were by then, and what their counts add up to."""
    hours: Counter[datetime] = Counter()
    sums: dict[datetime, Counter[str]] = {}
    for post in posts:
        at = local(post["at"])
        hour = at.replace(minute=0, second=0, microsecond=0)
        hours[hour] += 1
        sums.setdefault(hour, Counter()).update({name: int(post.get(name) or 0) for name in COUNTS})
    rows: list[dict[str, Any]] = []
    total: Counter[str] = Counter()
    for hour in sorted(hours):
        total.update(sums[hour])
        so_far = (rows[-1]["total"] if rows else 0) + hours[hour]
        rows.append({"hour": iso(hour), "new": hours[hour], "total": so_far, **{n: total[n] for n in COUNTS}})
    return rows


def files_of(
    posts: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
    snapshots: Mapping[str, bytes],
    kept: Sequence[Mapping[str, Any]] = (),
) -> dict[str, bytes]:
    """The files of a package, but its manifest. `texts`: the posts' words by file name; `snapshots`: bytes
    by file name; `kept`: sha256, media_type and bytes of what lies in the store, given along or not."""
    listed = [{name: post.get(name) for name in COLUMNS} for post in posts]
    rows = spread(posts)
    return {
        "README.txt": README.encode(),
        "posts.csv": sheet(COLUMNS, listed),
        "posts.json": _json(listed),
        "snapshots.csv": sheet(KEPT, kept),
        "spread.csv": sheet(("hour", "new", "total", *COUNTS), rows),
        **{f"posts/{name}": text.encode() for name, text in texts.items()},
        **{f"snapshots/{name}": content for name, content in snapshots.items()},
    }


def manifest_of(files: Mapping[str, bytes], about: Mapping[str, Any]) -> dict[str, Any]:
    """`about` (incident, who, when, why, the journal's end) with the size and SHA-256 of every file."""
    listed = [
        {"path": path, "bytes": len(files[path]), "sha256": sha256(files[path])} for path in sorted(files)
    ]
    return {**about, "basis": list(BASIS), "files": listed}


def packed(files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> bytes:
    """The archive: the same files and manifest give the same bytes."""
    whole = {**files, MANIFEST: _json(manifest)}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(whole):
            entry = zipfile.ZipInfo(path, _FIXED)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, whole[path])
    return made.getvalue()


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def form(
    site: str, ref: str, title: str, receiver: str, sha: str, manifest: Mapping[str, Any], reason: str, at: datetime
) -> str:  # fmt: skip
    """The hand-over form, in lines of plain text that print as they are."""
    lines = [
        "涉嫌违法线索移交单",
        "",
        f"移交单位：{site}",
        f"接收单位：{receiver}",
        f"移交时间：{_dated(at)}",
        f"事件：{ref} {title}",
        f"移交事由：{reason}",
        f"依据：{'；'.join(BASIS)}",
        f"移交材料：证据包 1 份，线索 {manifest['posts']} 条，文件 {len(manifest['files'])} 个",
        f"证据包 SHA-256：{sha}",
        f"日志链末端哈希：{manifest['journal_head']}",
        f"制作：{manifest['made_by']}，{_dated(parse_iso(manifest['made_at']))}",
        "",
        "移交人（签字）：",
        "接收人（签字）：",
        "接收单位（盖章）：",
        "接收时间：",
        "回执编号：",
    ]
    return "\n".join(lines)


def _dated(moment: datetime) -> str:
    """2026年11月22日 12:22, as a form wants it."""
    at = local(moment)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"


def receipt_key(text: str) -> str:
    """What makes two receipt numbers the same: letters and digits, whatever their width, case and hyphens."""
    plain = unicodedata.normalize("NFKC", text).upper().removeprefix("移交回执")
    return "".join(mark for mark in plain if mark.isalnum())
