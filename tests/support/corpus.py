"""feedparser's own test corpus, taken out of its sdist by pip into the ignored cache."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

from support.missing import missing

CACHE = Path(__file__).parents[2] / ".cache" / "feedparser-corpus"
PACKAGE = "feedparser==6.0.14"
_HEADER = re.compile(rb"^Header:\s+([^:\r\n]+):([^\r\n]+)", re.MULTILINE)


def feed_files() -> dict[str, bytes]:
    """Path in the sdist's tests/ → content, for every .xml file."""
    with tarfile.open(_archive()) as pack:
        names = [member for member in pack.getmembers() if member.isfile() and member.name.endswith(".xml")]
        return {member.name.partition("/tests/")[2]: _content(pack, member) for member in names}


def _content(pack: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = pack.extractfile(member)
    assert file is not None
    return file.read()


def asked_headers(content: bytes) -> dict[str, str]:
    """The headers that a corpus file wants to be served with, `Status` among them."""
    return {
        name.decode().strip(): value.decode("latin-1").strip() for name, value in _HEADER.findall(content)
    }


def _archive() -> Path:
    found = sorted(CACHE.glob("feedparser-*.tar.gz"))
    if found:
        return found[0]
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "-d",
        str(CACHE),
    ]
    run = subprocess.run([*command, PACKAGE], capture_output=True, text=True, timeout=300, check=False)
    found = sorted(CACHE.glob("feedparser-*.tar.gz"))
    if run.returncode or not found:
        missing(f"pip could not fetch the source of {PACKAGE}: {run.stderr[-300:]}")
    return found[0]
