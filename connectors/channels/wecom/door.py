"""What WeCom says at our door: the press of a card's button, encrypted and signed.

https://developer.work.weixin.qq.com/document/path/90968: the signature is SHA-1 over the sorted token, time,
nonce and cipher; AES-256-CBC, the key is the EncodingAESKey with "=" in Base64, its first 16 bytes the vector,
padded to 32; inside: 16 random bytes, the length in four, the XML, the corporation's id. Nothing of the XML is
parsed before the signature is known, and no entity of it ever.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors import sealing
from connectors.channels.apps import NotSigned, Press, pressed
from connectors.channels.settings import Settings, name
from connectors.ports import Refused
from models.core.mentions import USERID, Mention

WINDOW = timedelta(minutes=5)
_BLOCK = 32
_CIPHER = re.compile(rb"<Encrypt>\s*<!\[CDATA\[([A-Za-z0-9+/=]{1,200000})\]\]>\s*</Encrypt>")
_FIELD = re.compile(r"<(\w{1,40})>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</\1>", re.DOTALL)
_WRONG = "签名不对；请核对 channels.yaml 的 token、encrypt_key 与企业微信后台的 Token、EncodingAESKey"


@dataclass(frozen=True, slots=True)
class Keys:
    """What WeCom and we share for the way back; `usable` False: buttons cannot come back."""

    corp: str
    token: str = field(repr=False)
    aes: bytes = field(repr=False)

    @property
    def usable(self) -> bool:
        return bool(self.token and self.aes)


def keys(settings: Settings, corp: str, token: str, encoding_key: str) -> Keys:
    """Raises Refused for a key that is none, without repeating it."""
    if bool(token) != bool(encoding_key):
        raise Refused(f"{name(settings)}: 'token' and 'encrypt_key' belong together; write both or neither")
    try:
        aes = base64.b64decode(encoding_key + "=", validate=True) if encoding_key else b""
    except (ValueError, binascii.Error):
        aes = b"?"
    if encoding_key and len(aes) != 32:
        raise Refused(f"{name(settings)}: 'encrypt_key' is no EncodingAESKey; copy all 43 characters of it")
    return Keys(corp, token, aes)


def greeted(keys: Keys, query: Mapping[str, str], now: datetime) -> str:
    """The words inside `echostr`. Raises NotSigned."""
    cipher = query.get("echostr", "")
    _verify(keys, query, cipher, now)
    return _unsealed(keys, cipher)


def opened(keys: Keys, query: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
    """The fields of what WeCom says. Raises NotSigned."""
    found = _CIPHER.search(body)
    if found is None:
        raise NotSigned("正文里没有 Encrypt；请核对企业微信后台的回调地址")
    cipher = found[1].decode()
    _verify(keys, query, cipher, now)
    return {
        match[0]: match[1] or html.unescape(match[2]) for match in _FIELD.findall(_unsealed(keys, cipher))
    }


def _verify(keys: Keys, query: Mapping[str, str], cipher: str, now: datetime) -> None:
    if not keys.usable:
        raise NotSigned("没有登记企业微信的 token 和 encrypt_key，无从核对；请写进 channels.yaml")
    stamp, nonce, mark = (query.get(name, "") for name in ("timestamp", "nonce", "msg_signature"))
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise NotSigned("签名时间不是秒数；没有执行")
    if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise NotSigned("签名时间与本机相差五分钟以上；请核对本机时间，重放的请求不执行")
    ours = signature(keys.token, stamp, nonce, cipher)
    if not hmac.compare_digest(ours.encode(), mark.encode("utf-8", "replace")):
        raise NotSigned(_WRONG)


def signature(token: str, stamp: str, nonce: str, cipher: str) -> str:
    joined = "".join(sorted((token, stamp, nonce, cipher)))
    return hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _unsealed(keys: Keys, cipher: str) -> str:
    """Raises NotSigned for what is damaged or meant for another corporation."""
    try:
        box = base64.b64decode(cipher, validate=True)
        plain = sealing.cbc_open(keys.aes, keys.aes[:16], box, _BLOCK)
        end = 20 + int.from_bytes(plain[16:20], "big")
        words, corp = plain[20:end].decode(), plain[end:].decode()
    except (ValueError, binascii.Error, Refused):
        raise NotSigned(_WRONG) from None
    if corp != keys.corp:
        raise NotSigned("这是发给另一家企业的；请核对 channels.yaml 的 app_id（企业 ID）")
    return words


def sealed(keys: Keys, words: str, noise: bytes) -> str:
    """`words` as WeCom seals them."""
    said = words.encode()
    plain = noise + len(said).to_bytes(4, "big") + said + keys.corp.encode()
    return base64.b64encode(sealing.cbc_seal(keys.aes, keys.aes[:16], plain, _BLOCK)).decode()


def press(told: Mapping[str, str]) -> Press | None:
    """The button that was pressed; None for what is about none. Raises Refused. WeCom's own advice is to tell a
    repeat by who and when."""
    if told.get("Event") != "template_card_event":
        return None
    act, _, about = told.get("EventKey", "").partition(":")
    same = "\n".join(told.get(one, "") for one in ("FromUserName", "CreateTime", "TaskId", "EventKey"))
    who = (Mention(USERID, told["FromUserName"]),) if told.get("FromUserName") else ()
    return pressed(act, about, who, f"wecom-{hashlib.sha256(same.encode()).hexdigest()[:40]}")


def answered(keys: Keys, told: Mapping[str, str], words: str, now: datetime) -> str:
    """The sealed XML that renames the button of the one who pressed."""
    stamp, nonce = str(int(now.timestamp())), os.urandom(8).hex()
    inner = (
        f"<xml>{_tag('ToUserName', told.get('FromUserName', ''))}{_tag('FromUserName', keys.corp)}"
        f"<CreateTime>{stamp}</CreateTime>{_tag('MsgType', 'update_button')}"
        f"<Button>{_tag('ReplaceName', words[:30])}</Button></xml>"
    )
    cipher = sealed(keys, inner, os.urandom(16))
    mark = signature(keys.token, stamp, nonce, cipher)
    return (
        f"<xml>{_tag('Encrypt', cipher)}{_tag('MsgSignature', mark)}"
        f"<TimeStamp>{stamp}</TimeStamp>{_tag('Nonce', nonce)}</xml>"
    )


def _tag(label: str, words: str) -> str:
    return f"<{label}><![CDATA[{words.replace(']]>', ']] >')}]]></{label}>"
