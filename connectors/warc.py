"""One page as a WARC 1.1 record (ISO 28500:2017), so that any archive's tool can show it again.

Written by hand: a record is a dozen header lines and the answer as it came. (The ready library for it
is for crawlers and would be a dependency for forty lines.)
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID, uuid5

MEDIA_TYPE = "application/warc"
_SPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # RFC 9562: names that are URLs
_UNPACKED = frozenset({"content-encoding", "transfer-encoding", "content-length"})
"""Headers that no longer hold, since the body is kept unpacked: kept under a telling name."""
_CRLF = "\r\n"


def record(url: str, at: datetime, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """The answer to a GET of `url` seen at `at`, as one gzipped response record."""
    block = _answer(status, headers, body)
    named = uuid5(_SPACE, f"{url} {at.isoformat()} {hashlib.sha256(block).hexdigest()}")
    lines = (
        "WARC/1.1",
        "WARC-Type: response",
        f"WARC-Target-URI: {_line(url)}",
        f"WARC-Date: {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"WARC-Record-ID: <urn:uuid:{named}>",
        f"WARC-Payload-Digest: sha256:{hashlib.sha256(body).hexdigest()}",
        f"WARC-Block-Digest: sha256:{hashlib.sha256(block).hexdigest()}",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(block)}",
    )
    return gzip.compress(_head(lines) + block + b"\r\n\r\n", mtime=0)


def _answer(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    kept = [f"{_name(name)}: {_line(value)}" for name, value in headers.items()]
    return _head((f"HTTP/1.1 {status} {_phrase(status)}", *kept, f"content-length: {len(body)}")) + body


def _head(lines: tuple[str, ...]) -> bytes:
    return (_CRLF.join(lines) + _CRLF * 2).encode("utf-8", "replace")


def _name(name: str) -> str:
    return f"x-archive-orig-{name}" if name.lower() in _UNPACKED else name


def _line(value: str) -> str:
    return " ".join(value.split())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
