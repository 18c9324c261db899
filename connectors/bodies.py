"""A body from outside, unpacked piece by piece: never more in memory than the limit allows."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from connectors.ports import Refused

PIECE = 2**16
"""Bytes that one step of unpacking may give: a bomb multiplies what comes in by a thousand."""


class _Unpacker(Protocol):
    def decompress(self, data: bytes, /, max_length: int = ...) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...


async def bounded(pieces: AsyncIterator[bytes], encoding: str, limit: int, place: str) -> bytes:
    """The unpacked body. `encoding`: the Content-Encoding as sent; `limit`: bytes once unpacked;
    `place`: the address in words. Raises Refused when it is larger, broken or packed otherwise."""
    unpack = _unpacker(encoding, place)
    kept = bytearray()
    async for piece in pieces:
        for part in _steps(unpack, piece, place):
            kept += part
            if len(kept) > limit:
                raise Refused(f"{place} 的正文展开后超过 {limit:,} 字节，已截断不用；请核对地址是否给错")
    if kept and unpack is not None and not unpack.eof:
        raise Refused(f"{place} 的压缩正文不完整（Content-Encoding: {encoding}）；请联系对方核对")
    return bytes(kept)


def _unpacker(encoding: str, place: str) -> _Unpacker | None:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if name == "deflate":
        return _Deflate()
    # each stage of a stacked encoding multiplies what a bomb can do before we see a byte
    raise Refused(
        f"{place} 用了没有请求过的压缩方式（Content-Encoding: {encoding[:60]}），不展开；请联系对方核对"
    )


class _Deflate:
    """`deflate` is meant to be zlib's form; some servers send the bare one. The first byte decides."""

    def __init__(self) -> None:
        self._inner: _Unpacker | None = None

    def decompress(self, data: bytes, /, max_length: int = 0) -> bytes:
        if self._inner is None:
            bare = bool(data) and data[0] & 0x0F != 8
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS)
        return self._inner.decompress(data, max_length)

    @property
    def unconsumed_tail(self) -> bytes:
        return self._inner.unconsumed_tail if self._inner is not None else b""

    @property
    def eof(self) -> bool:
        return self._inner is not None and self._inner.eof


def _steps(unpack: _Unpacker | None, piece: bytes, place: str) -> Iterator[bytes]:
    """What one piece unpacks to, at most `PIECE` bytes at a time."""
    if unpack is None:
        yield piece
        return
    left, part = piece, b""
    while (left or len(part) == PIECE) and not unpack.eof:  # a full step may have more to give
        try:
            part = unpack.decompress(left, PIECE)
        except zlib.error as error:
            raise Refused(
                f"{place} 的正文与它声明的压缩方式（Content-Encoding）不符（{error}）；请联系对方核对"
            ) from None
        left = unpack.unconsumed_tail
        yield part
