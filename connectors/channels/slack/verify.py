"""Is it Slack that speaks? The v0 signature, within five minutes of our own clock.

https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.ports import Refused

WINDOW = timedelta(minutes=5)


class NotSlack(Refused):
    """The signature is missing, wrong or too old; the words say which and what to do."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """`headers` in lower case. Raises NotSlack, in words, for whatever is missing, old or wrong."""
    stamp, signature = headers.get("x-slack-request-timestamp"), headers.get("x-slack-signature")
    if not stamp or not signature:
        raise NotSlack("没有 Slack 的签名；请核对 Slack 应用里的地址，并经由 Slack 发来")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= 12):
        raise NotSlack("签名时间不是秒数；没有执行")
    if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise NotSlack("签名时间与本机相差五分钟以上；请核对本机时间，重放的请求不执行")
    if not hmac.compare_digest(signed(secret, stamp, body).encode(), signature.encode("utf-8", "replace")):
        raise NotSlack("签名不对；请核对 channels.yaml 的 signing_secret 与 Slack 应用的 Signing Secret")


def signed(secret: str, stamp: str, body: bytes) -> str:
    """The signature that Slack makes: HMAC-SHA256 over v0:TIME:BODY."""
    return (
        "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    )
