"""The line to neighbouring installations: a letter signed and POSTed, the signed answer checked.

The address is one that the site names itself, so its host may lie in our own network; nothing else is let through.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import rfc8785

from connectors import bodies, parcels, sealing
from connectors.http import Guard, checked_url, open_client, retry_after, shown
from connectors.parcels import Answer, Unsigned
from connectors.ports import Refused, Unreachable
from models.core.levels import Kind

DOOR: Final = "/hooks/levels"
MOST_ANSWER: Final = 64 * 1024
LASTING: Final = frozenset({400, 409, 413, 422})
"""What trying again will not mend: they read the letter and would not take it."""


class Unwanted(Refused):
    """They have read the letter and will not take it: trying it again will not help. Every other trouble passes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A neighbour as the line needs it. `private`: our own key."""

    us: str
    id: str
    url: str
    public: str
    private: str


def canonical(message: Mapping[str, Any]) -> bytes:
    """The bytes that are signed. Raises Refused for numbers that JSON cannot carry safely."""
    try:
        return rfc8785.dumps(dict(message))
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        raise Refused("信件里有不能规范化的数或字符；请核对发信的系统") from None


def seal(message: Mapping[str, Any], private: str) -> bytes:
    """A letter with its signature, ready to be sent: `message` stands in it as its canonical bytes."""
    content = canonical(message)
    mark = sealing.signed(private, content)
    return b'{"message":' + content + b',"signature":' + rfc8785.dumps(mark) + b"}"


def opened(raw: bytes, public: Mapping[str, str]) -> parcels.Envelope:
    """The letter, if one of these neighbours (id → public key) signed just this. Raises Refused, Unsigned."""
    found = parcels.document(raw)
    message = found["message"]
    sender, mark = message.get("from"), found.get("signature")
    key = public.get(sender) if isinstance(sender, str) else None
    if key is None:
        raise Unsigned("没有这个邻居；请在收信一方 site.yaml 的 neighbours 里写上它的 id 和公钥")
    if not isinstance(mark, str) or not sealing.is_signed(key, canonical(message), mark):
        raise Unsigned("签名不对：内容被改动，或公钥与对方的私钥不是一对；请双方核对公钥")
    return parcels.envelope(message)


def send(guard: Guard, line: Line, message: Mapping[str, Any]) -> Answer:
    """Deliver one letter; their signed word that they have it. Raises Unwanted (they will not have it), Unreachable
    and Refused (our own key, the address, the line: try again once it is mended)."""
    content = seal(message, line.private)
    status, headers, raw = asyncio.run(_post(_to(guard, line.url), f"{line.url.rstrip('/')}{DOOR}", content))
    if status == 200:
        return _answer(raw, line, message)
    said = f"{line.id} 回答 {status}: {_error(raw)}"
    if status in LASTING:
        raise Unwanted(said)
    raise Unreachable(said, retry_after(headers))


def _answer(raw: bytes, line: Line, message: Mapping[str, Any]) -> Answer:
    """An answer that is not theirs, or to another letter, or none at all, says nothing: somebody stands between."""
    try:
        found = opened(raw, {line.id: line.public})
        said = parcels.read(Answer, found.body, "答复")
    except Refused as error:
        raise Unreachable(f"{line.id} 的答复不可信（{error}）") from None
    if (found.kind, found.id, found.receiver) != (Kind.ANSWER, message["id"], line.us):
        raise Unreachable(f"{line.id} 答复的是另一封信；请核对中间的代理")
    return said


def _to(guard: Guard, url: str) -> Guard:
    host = urlsplit(url).hostname or ""
    hosts = guard.allow_hosts | {host}
    return Guard(hosts, deadline_s=20.0, max_body=MOST_ANSWER, agent=guard.agent, resolver=guard.resolver)


async def _post(guard: Guard, url: str, content: bytes) -> tuple[int, Mapping[str, str], bytes]:
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"}
    try:
        async with asyncio.timeout(guard.deadline_s), open_client(guard, 1) as web:
            target = checked_url(url)
            async with web.stream("POST", target, content=content, headers=headers) as answer:
                packed = answer.headers.get("content-encoding", "")
                body = await bodies.bounded(answer.aiter_raw(), packed, guard.max_body, shown(url))
                return answer.status_code, dict(answer.headers), body
    except TimeoutError:
        raise Unreachable(f"{shown(url)} {guard.deadline_s:g} 秒内没有答复", reached=False) from None
    except (httpx2.HTTPError, httpx2.StreamError) as error:
        why = str(error) or type(error).__name__
        raise Unreachable(f"{shown(url)} 连不上（{why}）", reached=False) from None


def _error(raw: bytes) -> str:
    """The sentence of a refusal, as far as it is one."""
    try:
        said = json.loads(raw)["error"]
    except (ValueError, LookupError, TypeError):
        return "没有说明"
    return str(said)[:300]
