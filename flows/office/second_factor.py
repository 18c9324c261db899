"""The second factor: its secret in the database, sealed where the site has a key, and its codes, each taken once."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING

from connectors import credentials
from connectors.console.desk import Unavailable
from connectors.ports import Refused
from connectors.sealing import Sealer, sealer
from flows.wiring import House
from models.ledger import accounts
from models.ledger.store import Connection

if TYPE_CHECKING:
    from flows.office.access import Access

_SEALED = "sealed:"


def _sealer(house: House) -> Sealer | None:
    """The site's, where it has a key. Raises Unavailable when the key cannot be had."""
    reference = house.site.access.totp_key
    if not reference:
        return None
    try:
        return sealer(house.site.secrets(reference))
    except (LookupError, OSError, ValueError, Refused) as error:
        raise Unavailable(f"两步验证的钥匙取不到（{error}）；请核对 site.yaml 的 access.totp_key") from None


def sealed(house: House, account: str, secret: str) -> str:
    """What is written down of a secret."""
    box = _sealer(house)
    if box is None:
        return secret
    closed = base64.b64encode(box.seal(account, {"totp": secret})).decode()
    return f"{_SEALED}{box.key_id}:{closed}"


def opened(house: House, account: str, kept: str) -> str:
    """The secret that `sealed` wrote down. Raises Unavailable for another key's."""
    if not kept.startswith(_SEALED):
        return kept
    key_id, _, closed = kept.removeprefix(_SEALED).partition(":")
    box = _sealer(house)
    try:
        if box is None:
            raise Refused("site.yaml 里没有 access.totp_key")
        return str(box.open(account, key_id, base64.b64decode(closed))["totp"])
    except (Refused, binascii.Error, KeyError) as error:
        raise Unavailable(f"账号 {account} 的两步验证打不开（{error}）；请管理员取消后重设") from None


def judge(access: Access, conn: Connection, account: str, code: str) -> str:
    """What is wrong with a code, in a word for the records; "" = nothing. Counts what was wrong."""
    row, now = accounts.get(conn, account), access.wall()
    if row.disabled_at:
        return "disabled"
    if row.locked_until and row.locked_until > now:
        return "locked"
    if _taken(access, conn, account, row.totp, code, now):
        accounts.succeeded(conn, account)
        return ""
    accounts.failed(conn, access.desk.now(), now, account, access.rules)
    return "code"


def _taken(
    access: Access, conn: Connection, account: str, kept: str | None, code: str, now: datetime
) -> bool:
    """The code of a step is taken once; else it may be one of the written-down ones."""
    secret = opened(access.desk.house, account, kept) if kept else ""
    step = credentials.matching_step(secret, code, now) if secret else None
    if step is not None:
        return accounts.use_code(conn, account, step)
    return accounts.use_recovery(conn, access.desk.now(), account, credentials.recovery_digest(code))
