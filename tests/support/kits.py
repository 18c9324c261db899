"""What the contract suite must know of each channel, one alert to send, and what builds a channel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.ports import Channel, Message
from support.receiver import Answer

Make = Callable[..., Channel]
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SECRETS = {
    "${HOOK}": "whsec_aHVpeWluZy1yZWhlYXJzYWwtaG9vay1rZXk=",
    "${SLACK}": "xoxb-rehearsal-0000-not-a-real-token",
}


@dataclass(frozen=True)
class Kit:
    """What the contract must know of one HTTP channel."""

    type: str
    settings: Callable[[str], dict[str, Any]]  # from the server's address
    yes: bytes
    secret: str
    refusals: dict[str, Answer] = field(default_factory=dict)  # lasting no, by name
    passing: dict[str, Answer] = field(default_factory=dict)  # passing no, by name


KITS = [
    Kit(
        "webhook",
        lambda url: {"id": "hook", "type": "webhook", "url": f"{url}/alerts", "secret": "${HOOK}"},
        b'{"got": true}',
        SECRETS["${HOOK}"],
        refusals={
            "unauthorised": Answer(status=401),
            "gone": Answer(status=410, body="没有这个地址".encode()),
            "moved": Answer(status=307, headers={"Location": "/elsewhere"}),
        },
        passing={"request timeout": Answer(status=408)},
    ),
    Kit(
        "slack",
        lambda url: {"id": "slack", "type": "slack", "base_url": f"{url}/api/", "token": "${SLACK}"},
        b'{"ok": true, "channel": "C1", "ts": "1795233180.000100"}',
        SECRETS["${SLACK}"],
        refusals={
            "invalid_auth inside a 200": Answer(body=b'{"ok": false, "error": "invalid_auth"}'),
            "channel_not_found inside a 200": Answer(body=b'{"ok": false, "error": "channel_not_found"}'),
        },
        passing={
            "ratelimited inside a 200": Answer(body=b'{"ok": false, "error": "ratelimited"}'),
            "a page instead of JSON with a 502": Answer(status=502, body=b"<html>bad gateway</html>"),
        },
    ),
]


def message(**changes: Any) -> Message:
    payload: dict[str, Any] = {
        "alert_id": "al-7",
        "ref": "舆-2026-0012 首次发布 75%",
        "attempt": 1,
        "reason": "死亡 10 人，达到重大事故标准",
        "incident": {
            "id": "舆-2026-0012",
            "title": "化工园区爆燃",
            "grade": "II",
            "url": "http://b.example/incidents/1",
        },
        "clock": {
            "id": "first_statement",
            "state": "at_risk",
            "started_at": "2026-11-21T02:10:00+08:00",
            "due_at": "2026-11-21T07:10:00+08:00",
            "basis": ["国办发〔2016〕80号"],
        },
        "step": {"key": "75%", "due_at": "2026-11-21T05:55:00+08:00", "rung": 2},
        "recipient": {"person": "wang", "name": "王带班", "unit": "市政府办公室"},
        "raised_at": "2026-11-21T05:55:00+08:00",
        "sent_at": "2026-11-21T05:55:01+08:00",
        "late_by_s": 0.4,
    }
    return Message("al-7", payload["ref"], "wang", "化工园区爆燃", "死亡 10 人", {**payload, **changes})


def several(count: int) -> Message:
    """A message that carries `count` alerts for one person."""
    one = message().payload
    others = [
        one
        | {
            "alert_id": f"al-{n}",
            "ref": f"舆-2026-{n:04} 首次发布 50%",
            "incident": {"id": str(n), "title": f"事件{n}"},
        }
        for n in range(100, 99 + count)
    ]
    return message(also=others)
