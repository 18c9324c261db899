"""What others push to us: the signature first, then one ticket or many, as Standard Webhooks says.

`webhook-signature` is HMAC-SHA256 over `id.timestamp.body`; a body that is not signed with the source's
secret, or was signed too long ago, is not even parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from connectors import encodings
from connectors.mapping import Mapping_, accept, json_trouble, rows_in, shorten
from connectors.ports import Refused
from models.core.signals import Batch, RawSignal, Rejected
from models.core.vocabulary import Medium

MAX_BODY = 4 * 2**20  # bytes of one push
MAX_ROWS = 5_000
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_ID = re.compile(r"[\x21-\x7e]{1,200}")


class Unsigned(Refused):
    """The signature is missing, wrong or too old; the words say which and what to do."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime, window: timedelta) -> str:
    """The push's id. Raises Unsigned unless one of its signatures is ours and fresh."""
    given = {name: headers.get(name, "") for name in HEADERS}
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise Unsigned(f"请求没有签名: 缺少 {'、'.join(missing)}；请按 Standard Webhooks 签名")
    push, stamp, signatures = given.values()
    if not _ID.fullmatch(push) or not re.fullmatch(r"\d{1,12}", stamp):
        raise Unsigned("webhook-id 或 webhook-timestamp 写法不对；后者是 1970 年以来的秒数")
    if abs(now.timestamp() - int(stamp)) > window.total_seconds():
        raise Unsigned(f"签名时间与本机相差超过 {window.total_seconds():.0f} 秒；请校准时钟后重新签名")
    if not _signed(secret, f"{push}.{stamp}.".encode() + body, signatures):
        raise Unsigned("签名不对；请核对两边的密钥，并对原样的请求正文签名")
    return push


def _signed(secret: str, content: bytes, signatures: str) -> bool:
    wanted = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in keys(secret)]
    offered = [one.partition(",")[2].encode() for one in signatures.split()[:10] if one.startswith("v1,")]
    same = [hmac.compare_digest(ours, theirs) for ours in wanted for theirs in offered]
    return any(same)  # all were compared: the time says nothing


def keys(secret: str) -> list[bytes]:
    """The keys that a secret may mean: `whsec_` and base64; else its bytes, or what base64 makes of it."""
    bare = secret.removeprefix("whsec_")
    try:
        decoded = [base64.b64decode(bare, validate=True)]
    except (binascii.Error, ValueError):
        decoded = []
    found = decoded if secret.startswith("whsec_") else [secret.encode(), *decoded]
    if not all(found) or not found:
        raise Refused("推送的签名密钥是空的或写法不对；用 huiying secret 生成一个")
    return found


def read_push(
    body: bytes, push: str, *, source_id: str, medium: Medium, mapping: Mapping_ | None = None
) -> Batch:
    """The tickets of a signed body: JSON of one object, a list, or {"data": […]}; what cannot be read is
    rejected with its place. Never raises."""
    outcomes = list(_outcomes(body, push, source_id, medium, mapping))
    signals = tuple(one for one in outcomes if isinstance(one, RawSignal))
    return Batch(signals, tuple(one for one in outcomes if isinstance(one, Rejected)))


def _outcomes(
    body: bytes, push: str, source_id: str, medium: Medium, mapping: Mapping_ | None
) -> Iterator[RawSignal | Rejected]:
    text, place = encodings.decode(body, "utf-8"), f"推送 {push}"
    try:
        rows = rows_in(json.loads(text))
    except (ValueError, RecursionError) as error:
        yield Rejected(
            place, f"{place}: 不是 JSON（{json_trouble(error)}）；请发一个对象或对象列表", shorten(text)
        )
        return
    if rows is None or len(rows) > MAX_ROWS:
        wrong = "里面没有工单" if rows is None else f"一次有 {len(rows):,} 条，最多 {MAX_ROWS:,} 条"
        yield Rejected(place, f"{place}: {wrong}；请发一个对象或对象列表", shorten(text))
        return
    for number, row in enumerate(rows, 1):
        fits = mapping and isinstance(row, Mapping) and any(c in row for c in mapping.columns.values())
        used = mapping if fits else None
        yield accept(row, f"{place}[{number}]", source_id=source_id, medium=medium, mapping=used)
