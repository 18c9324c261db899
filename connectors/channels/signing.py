"""Signatures that gateways ask for: Alibaba Cloud's ACS3, Tencent Cloud's TC3, a plain HMAC.

Each is tried against the maker's own published example (tests/edges/test_channel_gateway.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from models.core.moment import utc


def acs3(
    key_id: str, secret: str, host: str, action: str, version: str, query: str, at: datetime, nonce: str
) -> dict[str, str]:
    """The headers of an RPC-style POST without a body, ACS3-HMAC-SHA256.

    https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature; `query` as
    `canonical` writes it, `nonce` never used before.
    """
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": _sha256(b""),
        "x-acs-date": f"{utc(at):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    request, signed = _canonical_request(query, headers, b"")
    mark = hmac.digest(secret.encode(), f"ACS3-HMAC-SHA256\n{_sha256(request)}".encode(), "sha256").hex()
    said = f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={mark}"
    return headers | {"Authorization": said}


def tc3(key_id: str, secret: str, host: str, service: str, content: bytes, at: datetime) -> dict[str, str]:
    """The headers of a POST of JSON, TC3-HMAC-SHA256; the action goes beside it.

    https://cloud.tencent.com/document/api/382/52072
    """
    moment = utc(at)
    headers = {"content-type": "application/json; charset=utf-8", "host": host}
    request, signed = _canonical_request("", headers, content)
    scope = f"{moment:%Y-%m-%d}/{service}/tc3_request"
    stamp = str(int(moment.timestamp()))
    said = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(request)}"
    key = f"TC3{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    mark = hmac.digest(key, said.encode(), "sha256").hex()
    given = f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={mark}"
    return headers | {"X-TC-Timestamp": stamp, "Authorization": given}


def plain_hmac(secret: str, content: bytes, at: datetime) -> dict[str, str]:
    """`X-Timestamp`, seconds since 1970, and `X-Signature`, hex HMAC-SHA256 over `timestamp.body`."""
    stamp = str(int(utc(at).timestamp()))
    mark = hmac.digest(secret.encode(), f"{stamp}.".encode() + content, "sha256").hex()
    return {"X-Timestamp": stamp, "X-Signature": mark}


def canonical(params: Mapping[str, str]) -> str:
    """A query in the order of its names, percent-encoded after RFC 3986."""
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(params.items())
    )


def _canonical_request(query: str, headers: Mapping[str, str], content: bytes) -> tuple[bytes, str]:
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    signed = ";".join(names)
    return "\n".join(["POST", "/", query, lines, signed, _sha256(content)]).encode(), signed


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
