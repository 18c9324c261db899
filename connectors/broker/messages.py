"""One message's bytes → a signal, or rejected with its place; and the shapes of messages for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors import encodings
from connectors.mapping import accept, shorten
from models.core.signals import RawSignal, Rejected
from models.core.vocabulary import Medium

MAX_MESSAGE = 2 * 2**20  # bytes; a larger one is rejected, not parsed
_SCHEMAS = Path(__file__).resolve().parent / "schemas"


def read_message(value: bytes | None, place: str, *, source_id: str, medium: Medium) -> RawSignal | Rejected:
    """One message's bytes: UTF-8 JSON of one object, in the shape of a ticket line. Never raises."""
    if not value:
        return Rejected(place, f"{place}: the message is empty", "")
    if len(value) > MAX_MESSAGE:
        reason = f"{place}: the message has {len(value):,} bytes, more than {MAX_MESSAGE:,}"
        return Rejected(place, reason, shorten(value[:MAX_MESSAGE].decode("utf-8", "replace")))
    text = _text(value)
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Rejected(place, f"{place}: not JSON ({error}); send one object per message", shorten(text))
    return accept(message, place, source_id=source_id, medium=medium, raw=text)


def _text(value: bytes) -> str:
    """JSON is UTF-8 by its standard; only what is not is worth a guess."""
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError:
        return encodings.decode(value)


def schema(shape: str) -> dict[str, Any]:
    """The JSON Schema of a message: what we read (message), what we write (result, dead_letter)."""
    found: dict[str, Any] = json.loads((_SCHEMAS / f"{shape}.schema.json").read_text(encoding="utf-8"))
    return found
