"""Receipts that a channel pushes back, over the console's real HTTP door, signed as the alerts are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signer

from flows.deliver import deliver
from flows.respond import respond
from models.ledger.verify import verify
from support.console import served
from support.river_site import Site
from support.sites import SECRET


@pytest.fixture
def door(site: Site) -> Iterator[httpx.Client]:
    with served(site.desk) as url, httpx.Client(base_url=url) as client:
        yield client


def told(site: Site) -> dict[str, Any]:
    """An alert that the receiver has taken."""
    site.desk.act("open", "", {"title": "化工园区火灾", "grade": "II"}, "chen")
    respond(site.house)
    deliver(site.house)
    return site.bodies()[0]


def push(door: httpx.Client, body: Any, secret: str = SECRET, at: datetime | None = None) -> Any:
    content, moment = json.dumps(body), at or datetime.now(UTC)
    headers = {
        "webhook-id": "receipt-1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Signer(secret.encode()).sign("receipt-1", moment, content),
    }
    return door.post("/hooks/receipts", content=content, headers=headers)


def shown(site: Site, alert_id: str) -> dict[str, Any]:
    return next(a for a in site.desk.board()["recent_alerts"] if a["id"] == alert_id)


def test_a_signed_receipt_is_shown_on_the_alert_and_is_no_acknowledgement(
    site: Site, door: httpx.Client
) -> None:
    alert = told(site)
    answer = push(door, {"alert_id": alert["alert_id"], "state": "read", "at": alert["sent_at"]})
    assert (answer.status_code, answer.json()) == (200, {"recorded": 1, "known": 0})
    now = shown(site, alert["alert_id"])
    assert now["read_at"] == now["delivered_at"] == alert["sent_at"]
    (incident,) = site.desk.board()["incidents"]
    assert incident["acked"] == []
    assert "已读" in door.get("/").text
    assert verify(site.house.store, site.time.now())["ok"]


def test_the_same_receipt_twice_is_taken_once_and_never_goes_backwards(
    site: Site, door: httpx.Client
) -> None:
    alert = told(site)
    read = {"alert_id": alert["alert_id"], "state": "read", "at": alert["sent_at"]}
    later = {"alert_id": alert["alert_id"], "state": "delivered"}
    assert push(door, read).json() == {"recorded": 1, "known": 0}
    site.time.moment += timedelta(minutes=3)
    assert push(door, {"receipts": [read, later]}).json() == {"recorded": 0, "known": 2}
    assert shown(site, alert["alert_id"])["delivered_at"] == alert["sent_at"]


def test_an_unknown_alert_is_404_and_nothing_of_the_push_is_recorded(site: Site, door: httpx.Client) -> None:
    alert = told(site)
    known, unknown = ({"alert_id": one, "state": "read"} for one in (alert["alert_id"], "nobody"))
    answer = push(door, [known, unknown])
    assert answer.status_code == 404
    assert "nobody" in answer.json()["error"]
    assert shown(site, alert["alert_id"])["read_at"] is None


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"secret": "another secret"}, "签名不对"),
        ({"at": datetime.now(UTC) - timedelta(minutes=6)}, "签名时间"),
    ],
)
def test_a_wrong_or_old_signature_is_401(
    how: dict[str, Any], words: str, site: Site, door: httpx.Client
) -> None:
    alert = told(site)
    answer = push(door, {"alert_id": alert["alert_id"], "state": "read"}, **how)
    assert answer.status_code == 401
    assert words in answer.json()["error"]
    assert shown(site, alert["alert_id"])["read_at"] is None


@pytest.mark.parametrize(
    "body", [7, {"receipts": "all"}, {"state": "read"}, {"alert_id": "a", "state": "eaten"}]
)
def test_what_cannot_be_read_is_refused_with_the_way_out(body: Any, door: httpx.Client) -> None:
    answer = push(door, body)
    assert answer.status_code == 409
    assert "回执" in answer.json()["error"]


def test_a_receipt_proves_arrival_where_no_answer_was_seen(site: Site, door: httpx.Client) -> None:
    site.receiver.answer(close=True)  # it has the message, and hangs up without a word
    alert = told(site)
    assert shown(site, alert["alert_id"])["state"] == "queued"
    site.receiver.answer(status=200)
    push(door, {"alert_id": alert["alert_id"], "state": "delivered"})
    before = len(site.receiver.requests)
    site.time.moment += timedelta(minutes=10)
    deliver(site.house)
    assert len(site.receiver.requests) == before
    assert verify(site.house.store, site.time.now())["ok"]


def test_of_two_channels_with_one_secret_the_one_that_sent_it_is_believed(
    site: Site, door: httpx.Client
) -> None:
    alert = told(site)
    (hook,) = (one for one in site.house.site.channels if one["type"] == "webhook")
    both = ({**hook, "id": "other"}, *site.house.site.channels)
    site.house.site = replace(site.house.site, channels=both)
    answer = push(door, {"alert_id": alert["alert_id"], "state": "delivered"})
    assert (answer.status_code, answer.json()) == (200, {"recorded": 1, "known": 0})
