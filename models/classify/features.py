"""Texts → hashed features, in numpy, whole batches at a time: character pairs and rjieba tokens.

A text never chooses how much memory it takes: it is read up to `LIMIT` characters, and every
feature falls into one of a fixed number of buckets. The hashes are arithmetic on code points and
CRC-32, so the same text gives the same features on every machine and in every run.
Texts are expected in canonical form (`models.core.text.canonical`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import rjieba

GRAM_BITS = 18
TOKEN_BITS = 17
GRAMS = 1 << GRAM_BITS
TOKENS = 1 << TOKEN_BITS
WIDTH = GRAMS + TOKENS  # buckets of characters and character pairs, then of tokens
LIMIT = 2_000  # characters read of one text: the head of a ticket says what it is about
CHUNK = 60_000  # characters at once: bounds memory whatever the batch

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
_Codes = npt.NDArray[np.uint32]

_SHIFT = 20  # bits kept for the bucket when (row, bucket) is packed into one integer
_MULTIPLIERS = (np.uint32(0x9E3779B1), np.uint32(0x85EBCA77))
_SALTS = (np.uint32(0x27D4EB2F), np.uint32(0x165667B1))


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows: feature `bucket[k]` stands `count[k]` times in text `row[k]`; sorted by row.

    `size` texts, some of which may have no feature at all.
    """

    row: Ints
    bucket: Ints
    count: Floats
    size: int

    def weight(self) -> Floats:
        """Sublinear: 1 + ln(count)."""
        return (1.0 + np.log(self.count)).astype(np.float32)


def rows(texts: Sequence[str]) -> Rows:
    """The distinct features of each canonical text, counted."""
    compact = ["".join(text[:LIMIT].split()) for text in texts]
    keys, counts = np.unique(np.concatenate([*_gram_keys(compact), _token_keys(compact)]), return_counts=True)
    return Rows(keys >> _SHIFT, keys & ((1 << _SHIFT) - 1), counts.astype(np.float32), len(texts))


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The batch in pieces of at most about CHUNK characters, in order."""
    start = held = 0
    for place, text in enumerate(texts):
        held += min(len(text), LIMIT) + 1
        if held >= CHUNK:
            yield texts[start : place + 1]
            start, held = place + 1, 0
    if start < len(texts):
        yield texts[start:]


def _gram_keys(texts: Sequence[str]) -> list[Ints]:
    """Packed (row, bucket) of every character and every pair that stays inside one text."""
    joined = "\0".join(text.replace("\0", "") for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)
    ends = codes == 0
    row = np.cumsum(ends, dtype=np.int64)
    one = _mix(_SALTS[0] ^ codes, 0)
    two = _mix(_mix(_SALTS[1] ^ codes[:-1], 0) ^ codes[1:], 1)
    crossing = ends[:-1] | ends[1:]
    return [_pack(row, one)[~ends], _pack(row[:-1], two)[~crossing]]


def _mix(codes: _Codes, turn: int) -> _Codes:
    mixed = codes * _MULTIPLIERS[turn]
    return mixed ^ (mixed >> np.uint32(15))


def _pack(row: Ints, mixed: _Codes) -> Ints:
    return (row << _SHIFT) | (mixed >> np.uint32(32 - GRAM_BITS)).astype(np.int64)


def _token_keys(texts: Sequence[str]) -> Ints:
    found = [token_buckets(text) for text in texts]
    lengths = [len(buckets) for buckets in found]
    flat = np.fromiter((b for buckets in found for b in buckets), np.int64, sum(lengths))
    return (np.repeat(np.arange(len(texts), dtype=np.int64), lengths) << _SHIFT) | (flat + GRAMS)


def token_buckets(text: str) -> list[int]:
    """Buckets 0..TOKENS-1 of the rjieba tokens of one text, in order, with repetition."""
    return [zlib.crc32(token.encode("utf-8", "replace")) & (TOKENS - 1) for token in rjieba.cut(text)]


def pair_bucket(pair: str) -> int:
    """The bucket of one character pair: the same arithmetic as for whole batches."""
    first = _mix_one(int(_SALTS[1]) ^ ord(pair[0]), 0)
    return _mix_one(first ^ ord(pair[1]), 1) >> (32 - GRAM_BITS)


def _mix_one(code: int, turn: int) -> int:
    mixed = code * int(_MULTIPLIERS[turn]) & 0xFFFFFFFF
    return mixed ^ (mixed >> 15)
