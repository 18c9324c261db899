"""Reading one channel's settings from channels.yaml, with refusals that say what to mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.ports import Refused

Settings = Mapping[str, Any]
Secrets = Callable[[str], str]  # a reference such as ${HUIYING_HOOK_SECRET} → the secret itself
Now = Callable[[], datetime]  # the wall clock, handed in by flows: no clock is read below them


def name(settings: Settings) -> str:
    """How a refusal names the place: channels.yaml, channel 'hook'."""
    return f"channels.yaml, channel {settings.get('id', '?')!r}"


def text(settings: Settings, key: str, default: str | None = None) -> str:
    """A setting that must be a non-empty string. Raises Refused."""
    value = settings.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{name(settings)}: {key!r} is missing; write {key}: … under it")
    return value.strip()


def seconds(settings: Settings, key: str, default: float, most: float = 300.0) -> float:
    """A length of time in seconds, 0.05 to `most`. Raises Refused."""
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.05 <= value <= most:
        raise Refused(f"{name(settings)}: {key!r} is {value!r}; write a number of seconds, 0.05 to {most:g}")
    return float(value)


def whole(settings: Settings, key: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises Refused."""
    value = settings.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Refused(f"{name(settings)}: {key!r} is {value!r}; write a whole number from 1 to {most}")
    return value


def web_address(settings: Settings, key: str, default: str | None = None) -> str:
    """An http(s) URL. Private addresses are welcome here: the operator wrote them. Raises Refused."""
    url = text(settings, key, default)
    parts = _split(url)
    if parts is None or parts[0] not in ("http", "https") or not parts[1]:
        raise Refused(f"{name(settings)}: {key!r} is not a web address; write http://… or https://…")
    if "@" in parts[2]:
        raise Refused(f"{name(settings)}: {key!r} holds a password; put it in 'secret' instead")
    return url


def _split(url: str) -> tuple[str, str | None, str] | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for a port that is no number
    except ValueError:
        return None
    return parts.scheme.lower(), parts.hostname, parts.netloc


def secret(settings: Settings, secrets: Secrets, key: str) -> str:
    """The secret that `key` refers to. Raises Refused, which never repeats the value."""
    reference = text(settings, key)
    found = secrets(reference)
    if not found:
        raise Refused(f"{name(settings)}: the secret {key!r} is empty; set what {key!r} refers to")
    return found
