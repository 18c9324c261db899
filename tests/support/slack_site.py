"""A site of the river whose people are told by Slack: the files, and a press as Slack would send it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from support.sites import TEAM
from support.slack import APP_TOKEN, SIGNING, TOKEN, as_form, sign

SECRETS = {"slack-token": TOKEN, "slack-signing": SIGNING, "slack-app": APP_TOKEN}
Prepare = Callable[[Path], None]


def by_slack(api: str, room: str, people: dict[str, str], **more: Any) -> Prepare:
    """Everybody in `people` (person → Slack id) has a direct message first and the webhook behind it."""

    def prepare(directory: Path) -> None:
        for name, secret in SECRETS.items():
            (directory / name).write_text(secret, encoding="utf-8")
        channels = _read(directory / "channels.yaml")
        channels["channels"].insert(0, _channel(api, room) | more)
        _write(directory / "channels.yaml", channels)
        roster = _read(directory / "roster.yaml")
        for person in roster["people"]:
            if person["id"] in people:
                person["contacts"].insert(0, {"channel": "slack", "address": people[person["id"]]})
        _write(directory / "roster.yaml", roster)

    return prepare


def _channel(api: str, room: str) -> dict[str, Any]:
    return {
        "id": "slack",
        "type": "slack",
        "token": "file:slack-token",
        "signing_secret": "file:slack-signing",
        "base_url": api,
        "incidents": room,
        "per_minute": 100_000,
        "timeout_s": 2,
    }


def everybody(users: dict[str, str]) -> dict[str, str]:
    """Person → Slack id, for the team of the least site."""
    return {who: users[who] for who, _, _ in TEAM if who in users}


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def send(door: httpx.Client, payload: dict[str, Any], **how: Any) -> httpx.Response:
    """What somebody did, to /hooks/slack/actions, signed."""
    body = as_form(payload)
    return door.post("/hooks/slack/actions", content=body, headers=sign(body, **how))
