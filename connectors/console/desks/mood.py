"""What the page of moods asks; `flows.office.mood` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class MoodDesk(Protocol):
    """WINDOW: since, until, count, negative, share (0..1), topics and media [[name, count]]."""

    def overview(self, incident_id: str) -> View:
        """incident_id, now, signals, negative, curve {since, until, bin, most, words, bars [{x, w, h, bad (percent),
        at, count, negative}], marks [{x, at, name}]}, readings [{kind_zh, publisher, published_at, url, before
        and after WINDOW, volume and mood (less|more|none|few) with _zh, ratio | None, ratio_within [low, high |
        None], shift, shift_within [low, high], sentence}]. Raises Unknown."""
        ...
