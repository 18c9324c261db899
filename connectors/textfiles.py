"""Files of text from anywhere, plain or gzipped, as lines: charset found out, everything bounded."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from connectors import encodings
from connectors.ports import Refused

MAX_LINE = 2 * 2**20  # characters of one line
MAX_UNPACKED = 2 * 2**30  # bytes that a .gz may unpack to
_SAMPLE = 256 * 2**10
_MISFIT = re.compile("[\udc80-\udcff]")


class _Bounded(io.RawIOBase):
    """A gzip stream that ends with a refusal instead of filling the machine."""

    def __init__(self, inner: IO[bytes], name: str) -> None:
        self._inner, self._name, self._left = inner, name, MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._inner.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise Refused(f"{self._name}: 解压后超过 {MAX_UNPACKED:,} 字节；请拆成几个文件")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        super().close()


def open_bytes(path: Path) -> io.BufferedReader:
    if path.name.lower().endswith(".gz"):
        return io.BufferedReader(_Bounded(gzip.open(path), path.name), _SAMPLE)  # type: ignore[arg-type]
    return path.open("rb")


def _encoding(path: Path) -> str:
    """Guessed from the first stretch that holds more than ASCII."""
    with open_bytes(path) as file:
        head = block = file.read(_SAMPLE)
        while block and block.isascii() and b"\x00" not in block:
            block = file.read(_SAMPLE)
    sample = head if block is head or not block else block
    # a cut in the middle of a character must not count against the right charset
    cut = sample.rfind(b"\n") + 1
    whole = sample[:cut] if len(sample) == _SAMPLE and cut else sample
    name = encodings.guess(whole)
    return "utf-8-sig" if name == "utf-8" or _mostly_utf8(whole) else name


def _mostly_utf8(sample: bytes) -> bool:
    """At least half of the lines that tell are UTF-8: the others came from somewhere else."""
    telling = [line for line in sample.splitlines()[:500] if not line.isascii()]
    return b"\x00" not in sample and 2 * sum(map(_is_utf8, telling)) >= max(len(telling), 1)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def open_text(path: Path) -> io.TextIOWrapper:
    """What does not fit the file's charset is marked, so that `lines` may look at that line by itself."""
    name = _encoding(path)
    errors = "surrogateescape" if name == "utf-8-sig" else "replace"
    return io.TextIOWrapper(open_bytes(path), encoding=name, errors=errors, newline="")


def lines(file: IO[str]) -> Iterator[str]:
    """Lines of at most MAX_LINE characters, so that one endless line cannot fill the memory.

    Files that were put together from several have lines of another charset: each is told apart alone.
    """
    first = file.readline(MAX_LINE).removeprefix("\ufeff")
    if first:
        yield _told_apart(first)
    while line := file.readline(MAX_LINE):
        yield _told_apart(line)


def _told_apart(line: str) -> str:
    return encodings.decode(line.encode("utf-8", "surrogateescape")) if _MISFIT.search(line) else line
