"""Receipts that a channel pushes back: its signature first, then what became of which alert.

A receipt is signed with the secret of the webhook channel that took the alert, as the alerts
themselves are (Standard Webhooks).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors import inbound
from connectors.inbound import Unsigned
from connectors.ports import Refused
from flows import timekeeping
from flows.wiring import House
from models.core.moment import parse_stated
from models.ledger import receipts
from models.ledger.receipts import Receipt, ReceiptKind

WINDOW = timedelta(minutes=5)
MOST = 500
"""Receipts in one push."""


def take(house: House, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Record signed receipts: {"recorded", "known"}. Raises Unsigned, ValueError for what cannot be
    read, NoSuchAlert; then nothing of the push is recorded."""
    signers, now = _signers(house, headers, body), house.time.now()
    told = [_receipt(one, house) for one in _listed(body)]
    with house.store.write() as conn:
        fresh = receipts.record(conn, now, told, signers)
    return {"recorded": fresh, "known": len(told) - fresh}


def _signers(house: House, headers: Mapping[str, str], body: bytes) -> list[str]:
    """Every webhook channel whose secret made the signature: several may share one. Raises Unsigned."""
    wrong = Unsigned("没有 webhook 渠道，回执无从核对；请在 channels.yaml 里登记发出提醒的渠道")
    fitting: list[str] = []
    for settings in house.site.channels:
        if settings["type"] == "webhook":
            try:
                secret = house.site.secrets(settings["secret"])
                inbound.verify(secret, headers, body, timekeeping.world(house.time)(), WINDOW)
                fitting.append(str(settings["id"]))
            except Unsigned as error:
                wrong = error
            except (Refused, LookupError, OSError, ValueError):
                continue  # a secret that is not there signs nothing
    if not fitting:
        raise wrong
    return fitting


def _listed(body: bytes) -> list[dict[str, Any]]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'回执不是 JSON（{error}）；请发一个对象，或 {{"receipts": [对象, …]}}') from None
    rows = read.get("receipts", [read]) if isinstance(read, dict) else read
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError('回执应是一个对象，或 {"receipts": [对象, …]}')
    if len(rows) > MOST:
        raise ValueError(f"一次有 {len(rows):,} 条回执，最多 {MOST} 条；请分开发")
    return rows


def _receipt(row: dict[str, Any], house: House) -> Receipt:
    alert_id, state, at = row.get("alert_id"), row.get("state"), row.get("at")
    if not isinstance(alert_id, str) or state not in set(ReceiptKind):
        raise ValueError('每条回执要有 alert_id，state 是 "delivered"（已到达）或 "read"（已读）')
    return Receipt(alert_id, ReceiptKind(state), parse_stated(str(at)) if at else house.time.now())
