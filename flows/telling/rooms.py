"""An alert whose address is the room where its incident has a message: it belongs into that message's thread."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.ports import Message
from flows.wiring import House
from models.ledger import chat


def placed(house: House, channel_id: str, message: Message) -> Message:
    """The message as a reply where it can be one, else as it is: an alert waits for nothing."""
    room = next((one.get("incidents") for one in house.site.channels if one["id"] == channel_id), None)
    about = _incidents(message.payload)
    if room is None or room != message.address or len(about) != 1:
        return message
    with house.store.read() as conn:
        post = chat.post_of(conn, channel_id, about.pop())
    known = post is not None and post.ts and post.place == room
    return replace(message, thread=str(post.ts)) if known and post is not None else message


def _incidents(body: dict[str, Any]) -> set[str]:
    """The incidents that a message tells of; "" for an alert that is about none."""
    return {str((one.get("incident") or {}).get("id") or "") for one in (body, *body.get("also", ()))}
