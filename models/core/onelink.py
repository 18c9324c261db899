"""A one-use link 一次性链接: what one person may do once about one alert, signed, without signing in.

    token = base64url( 1 ‖ act ‖ until (4 bytes, seconds since 1970) ‖ alert (16 bytes) ‖ person ‖ mac (16) )
    mac   = the first 16 bytes of HMAC-SHA256 (RFC 2104) under the site's key, drawn for this purpose alone

Short, since it goes into text messages. It proves who was written to about what; whether it still counts
(used, closed, gone from the roster) is the ledger's to say.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from models.core.moment import local

VALID = timedelta(hours=24)
"""From the moment the alert was raised, so that a resend carries the same link."""
PURPOSE = b"huiying: one-use link, version 1"
MAC = 16
LONGEST = 200
"""Characters of a token: more is none of ours."""
_HEAD = struct.Struct(">BBI16s")
_VERSION = 1


class LinkAct(StrEnum):
    """链接能做的事: one each."""

    ACK = "ack"  # 签收

    @property
    def zh(self) -> str:
        return {"ack": "签收"}[self.value]


_ACTS = {LinkAct.ACK: 1}


class LinkState(StrEnum):
    """链接现在的状态."""

    READY = "ready"  # 可用
    DONE = "done"  # 已做过
    EXPIRED = "expired"  # 已过期
    CLOSED = "closed"  # 事件已办结或并入
    GONE = "gone"  # 人已不在值班表或停用
    OTHER = "other"  # 不是发给您的
    FORGED = "forged"  # 不是本系统发出的


class Forged(ValueError):
    """Not a token that this site has signed."""


@dataclass(frozen=True, slots=True)
class Grant:
    """`person` may do `act` about `alert` (32 hexadecimal digits) before `until`, to the second."""

    alert: str
    person: str
    act: LinkAct
    until: datetime


def granted(alert: str, person: str, raised_at: datetime, act: LinkAct = LinkAct.ACK) -> Grant:
    """What the link in an alert's message allows."""
    return Grant(alert, person, act, (raised_at + VALID).replace(microsecond=0))


def token(key: bytes, grant: Grant) -> str:
    """The signed form. Raises ValueError for an alert that is not of 32 hexadecimal digits."""
    until = int(grant.until.timestamp())
    alert = bytes.fromhex(grant.alert)
    if len(alert) != 16:
        raise ValueError(f"{grant.alert!r} is no id of an alert")
    said = _HEAD.pack(_VERSION, _ACTS[grant.act], until, alert) + grant.person.encode()
    return base64.urlsafe_b64encode(said + _mac(key, said)).decode().rstrip("=")


def read(key: bytes, text: str) -> Grant:
    """The grant of a token. Raises Forged when it is not one of ours, whole and unchanged."""
    said, mac = _taken_apart(text)
    if not hmac.compare_digest(mac, _mac(key, said)):
        raise Forged("the signature is not ours")
    _, act, until, alert = _HEAD.unpack(said[: _HEAD.size])
    named = {number: one for one, number in _ACTS.items()}
    moment = local(datetime.fromtimestamp(until, tz=UTC))
    return Grant(alert.hex(), said[_HEAD.size :].decode(), named[act], moment)


def _taken_apart(text: str) -> tuple[bytes, bytes]:
    """What a token says and its signature, unchecked. Raises Forged for what has not even the form."""
    if not text.isascii() or len(text) > LONGEST:
        raise Forged("it has not the form of a link")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Forged("it is not base64url") from None
    if len(raw) <= _HEAD.size + MAC:
        raise Forged("it is too short")
    return raw[:-MAC], raw[-MAC:]


def _mac(key: bytes, said: bytes) -> bytes:
    own = hmac.new(key, PURPOSE, hashlib.sha256).digest()
    return hmac.new(own, said, hashlib.sha256).digest()[:MAC]


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of a grant: whom its alert was for, since when the act is done (by the link
    or in another way after the alert), whether the incident is closed, whether the person still counts."""

    person: str
    done_at: datetime | None
    closed: bool
    counts: bool


def judge(grant: Grant, known: Known, now: datetime, visitor: str = "") -> LinkState:
    """What the link is worth at `now`. `visitor`: who is known to sit before the page ("": nobody is)."""
    if known.person != grant.person:
        return LinkState.FORGED
    if visitor not in ("", grant.person):
        return LinkState.OTHER
    if known.done_at is not None:
        return LinkState.DONE
    if not known.counts:
        return LinkState.GONE
    if known.closed:
        return LinkState.CLOSED
    return LinkState.READY if now < grant.until else LinkState.EXPIRED
