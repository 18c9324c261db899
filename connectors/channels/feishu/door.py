"""What Feishu says at our door: the press of a card's button, encrypted and signed.

https://open.feishu.cn/document/event-subscription-guide/event-subscriptions/event-subscription-configure-/
encrypt-key-encryption-configuration-case: AES-256-CBC, the key is SHA-256 of the Encrypt Key, the first 16
bytes are the vector; the signature is SHA-256 over time, nonce, Encrypt Key and body. A press without the
Encrypt Key would only be a shared word without a time, which anybody may say again: it is not taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors import sealing
from connectors.channels.apps import NotSigned, Press, pressed
from connectors.ports import Refused
from models.core.mentions import OPENID, USERID, Mention

WINDOW = timedelta(minutes=5)
CHALLENGE = "url_verification"
PRESSED = "card.action.trigger"
_WRONG = "签名不对；请核对 channels.yaml 的 encrypt_key、token 与飞书后台的 Encrypt Key、Verification Token"


def opened(key: str, token: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
    """What is in a push, `headers` in lower case. Raises NotSigned unless Feishu has sealed and signed it now;
    only the question whether we are there comes without a signature."""
    if not key or not token:
        raise NotSigned("没有登记飞书的 encrypt_key 和 token，无从核对；请写进 channels.yaml")
    signed = _is_signed(key, headers, body, now)
    told = _unsealed(key, body)
    if not signed and told.get("type") != CHALLENGE:
        raise NotSigned(_WRONG)
    if not hmac.compare_digest(_token_of(told).encode("utf-8", "replace"), token.encode()):
        raise NotSigned(_WRONG)
    return told


def _is_signed(key: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """False without a signature. Raises NotSigned for one that is wrong or old."""
    stamp, nonce, mark = (
        headers.get(f"x-lark-{name}", "") for name in ("request-timestamp", "request-nonce", "signature")
    )
    if not mark:
        return False
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise NotSigned("签名时间不是秒数；没有执行")
    if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise NotSigned("签名时间与本机相差五分钟以上；请核对本机时间，重放的请求不执行")
    if not hmac.compare_digest(signature(stamp, nonce, key, body).encode(), mark.encode("utf-8", "replace")):
        raise NotSigned(_WRONG)
    return True


def signature(stamp: str, nonce: str, key: str, body: bytes) -> str:
    return hashlib.sha256(f"{stamp}{nonce}{key}".encode("utf-8", "replace") + body).hexdigest()


def _unsealed(key: str, body: bytes) -> dict[str, Any]:
    """Raises NotSigned, in the same words for every way in which it may be wrong."""
    try:
        box = base64.b64decode(json.loads(body)["encrypt"], validate=True)
        told = json.loads(sealing.cbc_open(hashlib.sha256(key.encode()).digest(), box[:16], box[16:]))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error, Refused):
        raise NotSigned(_WRONG) from None
    if not isinstance(told, dict):
        raise NotSigned(_WRONG)
    return told


def _token_of(told: Mapping[str, Any]) -> str:
    """At the top of the question, in the head of everything else."""
    head = told.get("header")
    return str((head if isinstance(head, dict) else told).get("token", ""))


def press(told: Mapping[str, Any]) -> Press | None:
    """The button that was pressed; None for what is about none. Raises Refused."""
    head, event = _part(told, "header"), _part(told, "event")
    if head.get("event_type") != PRESSED:
        return None
    who, value = _part(event, "operator"), _part(_part(event, "action"), "value")
    named = ((OPENID, who.get("open_id")), (USERID, who.get("user_id")))
    names = tuple(Mention(way, str(name)) for way, name in named if name)
    key = f"feishu-{head.get('event_id', '')}"[:100]
    return pressed(value.get("act"), value.get("about"), names, key, bool(value.get("others")))


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def toast(words: str, good: bool, card: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer that Feishu shows to the one who pressed, and what their card becomes."""
    shown: dict[str, Any] = {"toast": {"type": "success" if good else "error", "content": words[:300]}}
    return shown | ({"card": {"type": "raw", "data": card}} if card else {})
