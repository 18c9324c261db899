"""Notices: once for each person and occasion, through the same outbox, rebuilt from the journal."""

from __future__ import annotations

from datetime import timedelta

from models.core.vocabulary import AlertKind
from models.ledger import notices, outbox, views
from models.ledger.notices import Notice
from models.ledger.store import Store
from models.ledger.verify import verify
from support.duty import MIDNIGHT, ROSTER


def notice(occasion: str) -> Notice:
    return Notice(
        "reach", occasion, "今晚值班联络测试", "收到即可，无须回复", ROSTER.people[:1], AlertKind.TEST
    )


def test_a_notice_is_told_once_for_each_occasion(store: Store) -> None:
    with store.write() as conn:
        assert notices.tell(conn, MIDNIGHT, [notice("2026-11-22")]) == 1
    with store.write() as conn:
        assert notices.tell(conn, MIDNIGHT, [notice("2026-11-22")]) == 0
        assert notices.tell(conn, MIDNIGHT, [notice("2026-11-23")]) == 1
    with store.read() as conn:
        assert len(notices.of_topic(conn, "reach")) == 2
        assert [row.step_key for row in notices.of_topic(conn, "reach", "2026-11-23")] == ["2026-11-23"]
        assert {shown["title"] for shown in views.recent_alerts(conn, 9)} == {"今晚值班联络测试"}
    assert verify(store, MIDNIGHT)["ok"]


def test_a_notice_waits_in_the_outbox_like_any_alert(store: Store) -> None:
    with store.write() as conn:
        notices.tell(conn, MIDNIGHT, [notice("2026-11-22")])
        (row,) = outbox.claim(conn, MIDNIGHT, MIDNIGHT + timedelta(minutes=1), "me", 9)
    assert (row.kind, row.clock_state, row.incident_title) == ("test", None, None)


def test_one_occasion_asked_for_twice_in_one_call_is_told_once(store: Store) -> None:
    with store.write() as conn:
        assert notices.tell(conn, MIDNIGHT, [notice("2026-11-22"), notice("2026-11-22")]) == 1
    assert verify(store, MIDNIGHT)["ok"]
