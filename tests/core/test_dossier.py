"""The archive of a rumour: the same bytes for the same content, every file with its hash, nothing that runs."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from models.core import dossier
from support.duty import HOUR, MIDNIGHT

POSTS: list[dict[str, Any]] = [
    {"number": 1, "url": "https://e.org/1", "title": "死三十人", "author": "=LINK(1)", "at": MIDNIGHT, "reposts": 5},
    {"number": 2, "url": "https://e.org/2", "title": "转发", "author": "网友", "at": MIDNIGHT + HOUR, "reposts": 7},
    {"number": 3, "url": None, "title": "又说", "author": None, "at": MIDNIGHT + 70 * HOUR / 60, "reads": 9},
]  # fmt: skip
ABOUT = {"incident": "舆-2026-0001", "posts": 3, "made_by": "陈值班", "made_at": "x", "journal_head": "ab"}


def made() -> tuple[bytes, dict[str, Any]]:
    files = dossier.files_of(POSTS, {"0001.txt": "死了三十人"}, {"aa.png": b"\x89PNG"})
    manifest = dossier.manifest_of(files, ABOUT)
    return dossier.packed(files, manifest), manifest


def test_the_same_content_gives_the_same_bytes() -> None:
    assert made()[0] == made()[0]


def test_every_file_stands_in_the_manifest_with_its_hash() -> None:
    content, manifest = made()
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    inside = json.loads(archive.read(dossier.MANIFEST))
    assert inside == manifest
    hashes = {one["path"]: one["sha256"] for one in inside["files"]}
    assert {
        name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if name in hashes
    } == hashes
    assert set(archive.namelist()) == {*hashes, dossier.MANIFEST}


def test_a_cell_that_a_spreadsheet_would_run_is_text() -> None:
    text = zipfile.ZipFile(io.BytesIO(made()[0])).read("posts.csv").decode("utf-8-sig")
    assert "'=LINK(1)" in text


def test_the_spread_is_counted_by_the_hour() -> None:
    rows = dossier.spread(POSTS)
    assert [(row["new"], row["total"], row["reposts"], row["reads"]) for row in rows] == [
        (1, 1, 5, 0),
        (2, 3, 12, 9),
    ]


@pytest.mark.parametrize(
    "written", ["京公网回〔2026〕12号", "京公网回 〔2026〕 12号", "移交回执 京公网回(2026)１２号"]
)
def test_a_receipt_is_the_same_however_it_is_written(written: str) -> None:
    assert dossier.receipt_key(written) == "京公网回202612号"
