"""The least site of docs/outside.md, written into a folder: one team of four, one webhook.

The files are YAML in its JSON form, so that a test may hand in plain values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECRET = "a secret of tests only"
ENVIRON = {"HUIYING_HOOK_SECRET": SECRET}
"""What a process needs in its environment to run such a site."""

TEAM = (
    ("chen", "陈值班", "duty_officer"),
    ("li", "李主任", "duty_leader"),
    ("zhao", "赵副", "deputy"),
    ("zhou", "周正", "principal"),
)
"""From the first rung of the ladder to the fourth: id, name, role."""


HOOKED = ("timeout_s", "connections", "together", "per_minute")


def write_site(directory: Path, hook_url: str, **changes: Any) -> Path:
    """Write the site and return its folder.

    `changes`: `database` (a URL; else SQLite in the folder), `port` (of the console), `prefect`
    (True = enabled), `prefect_port`, `timeout_s`, `connections`, `together` and `per_minute` (of the
    webhook), `slack` (the address of a Slack that everybody is told by before the webhook), `tickets` (a
    folder within the site that is read every second), `site` (further keys of site.yaml).
    """
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / "site.yaml", _site(changes))
    channels = [_slack(changes["slack"])] if "slack" in changes else []
    _write(directory / "channels.yaml", {"channels": [*channels, _hook(hook_url, changes)]})
    _write(directory / "roster.yaml", _roster([*(one["id"] for one in channels), "hook"]))
    if "tickets" in changes:
        (directory / changes["tickets"]).mkdir(exist_ok=True)
        _write(directory / "sources.yaml", {"tickets": [_tickets(changes["tickets"])]})
    return directory


def _site(changes: dict[str, Any]) -> dict[str, Any]:
    prefect = {"enabled": changes.get("prefect", False), "port": changes.get("prefect_port", 4200)}
    made: dict[str, Any] = {
        "name": "临江市政府办公室",
        "profile": "cn-national",
        "http": {"allow_hosts": ["127.0.0.1"]},
        "prefect": prefect,
    }
    if "database" in changes:
        made["database"] = changes["database"]
    if "port" in changes:
        made["console"] = {"port": changes["port"]}
    return {**made, **changes.get("site", {})}


def _hook(url: str, changes: dict[str, Any]) -> dict[str, Any]:
    hook = {"id": "hook", "type": "webhook", "url": f"{url}/alerts", "secret": "${HUIYING_HOOK_SECRET}"}
    return hook | {name: changes[name] for name in HOOKED if name in changes}


def _slack(url: str) -> dict[str, Any]:
    pace = {"per_minute": 100_000, "timeout_s": 2}
    return {"id": "slack", "type": "slack", "token": "${HUIYING_HOOK_SECRET}", "base_url": url, **pace}


def _roster(channels: Sequence[str]) -> dict[str, Any]:
    """Everybody has a contact on each of `channels`, in that order."""
    return {
        "units": [{"id": "office", "name": "市政府办公室"}],
        "people": [
            {
                "id": who,
                "name": name,
                "unit": "office",
                "contacts": [{"channel": channel, "address": who} for channel in channels],
            }
            for who, name, _ in TEAM
        ],
        "ladder": [
            {"rung": rung, "role": role, "on_duty": [who]} for rung, (who, _, role) in enumerate(TEAM, 1)
        ],
        "reach_test": None,  # or every test that runs in the afternoon would see its messages
    }


def _tickets(folder: str) -> dict[str, Any]:
    return {"id": "hotline", "name": "热线工单", "folder": folder, "every": "PT1S"}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
