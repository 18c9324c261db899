"""What comes in from Slack, by HTTP or Socket Mode, as one shape: somebody pressed, sent a form, gave a
command or opened the App Home.

https://docs.slack.dev/reference/interaction-payloads
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from connectors.channels.slack import names
from connectors.ports import Refused
from models.core.moment import iso, local

Payload = Mapping[str, Any]
ACTS = {
    names.ACK_ACTION: "ack",
    names.TAKE_ACTION: "take",
    names.SNOOZE_ACTION: "snooze",
}
"""Buttons that are an act by themselves, by the desk's names."""
FORMS = {names.GRADE_FORM: "grade", names.PROOF_FORM: "stop"}
OPENS = {names.GRADE_ACTION: "grade", names.PROOF_ACTION: "stop"}
LONGEST = 512 * 1024
"""Bytes of one request: Slack's own are far smaller."""


class Door(StrEnum):
    """What kind of thing somebody did."""

    PRESS = "press"  # a button that acts
    ASK = "ask"  # a button that opens a form
    FORM = "form"  # a form was sent
    COMMAND = "command"
    HOME = "home"  # the App Home was opened
    NOTHING = "nothing"  # nothing that is ours, or a link that the browser follows by itself


@dataclass(frozen=True, slots=True)
class Arrived:
    """One thing that somebody did in Slack.

    `key`: the same when Slack sends it again. `act`: the desk's act, or the command's words; `about`: an
    alert's or incident's id. `place`, `thread`, `message`: where it was done. `shown`: a message's blocks,
    or the names of a form's fields. `answer_at`: an address that takes an answer for half an hour.
    """

    key: str
    door: Door
    user: str = ""
    act: str = ""
    about: str = ""
    place: str = ""
    thread: str = ""
    message: str = ""
    trigger: str = ""
    answer_at: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    shown: tuple[Any, ...] = ()
    text: str = ""
    file: dict[str, str] = field(default_factory=dict)


def payload_of(door: str, body: bytes) -> Payload:
    """The JSON of a request at /hooks/slack/`door`: events bring it as it is, actions in a form's field,
    commands are a form. Raises Refused for what is neither."""
    try:
        if door == "events":
            read = json.loads(body)
        else:
            sent = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
            read = json.loads(sent["payload"]) if door == "actions" else sent
    except (ValueError, KeyError, RecursionError) as error:
        raise Refused(
            f"请求看不懂（{type(error).__name__}）；请核对 Slack 应用里这个地址是不是填错了栏"
        ) from None
    if not isinstance(read, dict):
        raise Refused("请求看不懂；请核对 Slack 应用里这个地址是不是填错了栏")
    return read


def arrived(payload: Payload) -> Arrived:
    """Any payload, whatever way it came; what is not ours is `NOTHING`."""
    kind = str(payload.get("type") or "")
    if "command" in payload:
        return _command(payload)
    if kind == "block_actions":
        return _press(payload)
    if kind == "view_submission":
        return _form(payload)
    if kind == "event_callback":
        return _event(payload)
    return Arrived(_key("other", payload), Door.NOTHING)


def _key(kind: str, *parts: object) -> str:
    whole = json.dumps([kind, *parts], ensure_ascii=False, sort_keys=True, default=str)
    return f"{kind}:{hashlib.sha256(whole.encode()).hexdigest()[:40]}"


def _part(payload: Any, *path: str) -> Any:
    """What lies at `path`; {} where something on the way is missing or of another kind."""
    for name in path:
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload if payload is not None else {}


def _text(payload: Any, *path: str) -> str:
    found = _part(payload, *path)
    return found if isinstance(found, str) else ""


def _first(payload: Any, *path: str) -> Any:
    found = _part(payload, *path)
    return found[0] if isinstance(found, list) and found else {}


def _command(payload: Payload) -> Arrived:
    return Arrived(
        key=_key("command", payload.get("trigger_id"), payload.get("user_id"), payload.get("text")),
        door=Door.COMMAND if payload.get("command") == names.COMMAND else Door.NOTHING,
        user=_text(payload, "user_id"),
        place=_text(payload, "channel_id"),
        trigger=_text(payload, "trigger_id"),
        answer_at=_text(payload, "response_url"),
        text=_text(payload, "text"),
    )


def _press(payload: Payload) -> Arrived:
    pressed = _first(payload, "actions")
    action = _text(pressed, "action_id")
    message = _part(payload, "message")
    blocks = message.get("blocks") if isinstance(message, Mapping) else None
    return Arrived(
        key=_key("press", payload.get("trigger_id"), action, _text(pressed, "action_ts")),
        door=Door.PRESS if action in ACTS else Door.ASK if action in OPENS else Door.NOTHING,
        user=_text(payload, "user", "id"),
        act=ACTS.get(action) or OPENS.get(action, ""),
        about=_text(pressed, "value"),
        place=_text(payload, "channel", "id") or _text(payload, "container", "channel_id"),
        thread=_text(message, "thread_ts"),
        message=_text(message, "ts"),
        trigger=_text(payload, "trigger_id"),
        answer_at=_text(payload, "response_url"),
        shown=tuple(blocks) if isinstance(blocks, list) else (),
        text=_text(payload, "view", "type"),
    )


def _form(payload: Payload) -> Arrived:
    view = _part(payload, "view")
    where = _where(_text(view, "private_metadata"))
    values = _part(view, "state", "values")
    given = values if isinstance(values, Mapping) else {}
    callback = _text(view, "callback_id")
    fields = {str(block): _value(next(iter(one.values()), {})) for block, one in given.items() if one}
    return Arrived(
        key=_key("form", _text(payload, "trigger_id"), _text(view, "id"), fields),
        door=Door.FORM if callback in FORMS else Door.NOTHING,
        user=_text(payload, "user", "id"),
        act=FORMS.get(callback, ""),
        about=where.get("incident", ""),
        place=where.get("place", ""),
        thread=where.get("thread", ""),
        fields={name: value for name, value in fields.items() if value},
        shown=tuple(str(block) for block in given),
        file=_handed_in(_first(_part(given, "file", "file"), "files")),
    )


def _where(kept: str) -> dict[str, str]:
    try:
        read = json.loads(kept or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}


def _value(element: Any) -> str:
    """What one field of a form holds: a text, a choice, or a moment as ISO 8601."""
    moment = element.get("selected_date_time") if isinstance(element, Mapping) else None
    if isinstance(moment, int) and 0 <= moment < 2**33:
        return iso(local(datetime.fromtimestamp(moment, UTC)))
    return (_text(element, "value") or _text(element, "selected_option", "value")).strip()


def _handed_in(file: Any) -> dict[str, str]:
    address = _text(file, "url_private_download") or _text(file, "url_private")
    return {"name": _text(file, "name") or "附件", "url": address} if address else {}


def _event(payload: Payload) -> Arrived:
    event = _part(payload, "event")
    opened = _text(event, "type") == "app_home_opened" and _text(event, "tab") in ("", "home")
    key = _key("event", payload.get("event_id") or payload)
    return Arrived(key, Door.HOME if opened else Door.NOTHING, user=_text(event, "user"))


def kept(payload: Payload) -> dict[str, Any]:
    """The payload without the token that Slack no longer uses, as it may be written down."""
    return {str(name): value for name, value in payload.items() if name != "token"}
