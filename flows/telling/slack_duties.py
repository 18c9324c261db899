"""What a site's Slack channels ask of a process, read from their settings alone: nothing of Slack is loaded
where there is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flows.wiring import House

Job = tuple[str, Callable[[], None]]


def telling(channel_id: str) -> str:
    """The name among the duties of telling a room."""
    return f"slack:{channel_id}"


def line(channel_id: str) -> str:
    """The name among the duties of an open line (Socket Mode)."""
    return f"slack:{channel_id}:line"


def listed(house: House) -> list[Mapping[str, Any]]:
    """The settings of the site's Slack channels."""
    return [settings for settings in house.site.channels if settings["type"] == "slack"]


def jobs(house: House, stopped: threading.Event) -> list[Job]:
    """A thread for each room and for each line of the site."""
    found: list[Job] = []
    for settings in listed(house):
        name = str(settings["id"])
        if settings.get("incidents") or settings.get("signing_secret") or settings.get("app_token"):
            found.append((telling(name), partial(_room, house, name, stopped)))
        if settings.get("app_token"):
            found.append((line(name), partial(_line, house, name, stopped)))
    return found


def _room(house: House, name: str, stopped: threading.Event) -> None:
    from flows.telling import slack_follow, slack_people  # Slack's client, only where there is a Slack

    for channel in slack_people.slacks(house):
        if channel.id == name:
            slack_follow.follow_room(house, channel, stopped)


def _line(house: House, name: str, stopped: threading.Event) -> None:
    from flows.telling import slack_follow, slack_people

    for channel in slack_people.slacks(house):
        if channel.id == name:
            slack_follow.follow_line(house, channel, stopped)
