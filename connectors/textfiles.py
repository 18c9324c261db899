"""Files of text from anywhere, plain or gzipped, as lines: charset found out, everything bounded."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from connectors import encodings
from connectors.ports import Refused

MAX_LINE = 2 * 2**20  # characters of one line
MAX_UNPACKED = 2 * 2**30  # bytes that a .gz may unpack to
_SAMPLE = 256 * 2**10


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
            raise Refused(f"{self._name}: unpacks to more than {MAX_UNPACKED:,} bytes; split the file")
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
    name = encodings.guess(sample[:cut] if len(sample) == _SAMPLE and cut else sample)
    return "utf-8-sig" if name == "utf-8" else name


def open_text(path: Path) -> io.TextIOWrapper:
    name = _encoding(path)
    return io.TextIOWrapper(open_bytes(path), encoding=name, errors="replace", newline="")


def lines(file: IO[str]) -> Iterator[str]:
    """Lines of at most MAX_LINE characters, so that one endless line cannot fill the memory."""
    first = file.readline(MAX_LINE).removeprefix("\ufeff")
    if first:
        yield first
    while line := file.readline(MAX_LINE):
        yield line
