"""What the page of preferences asks; `flows.office.preferences` answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

View = dict[str, Any]


class PreferencesDesk(Protocol):
    """WISHES: person, name, now, words (as the journal has them), channels [{id, name, type}] (the person's own),
    urgencies [{key, zh, means, first [channel id], only}] (`only`: no other channel is used),
    quiet {from, to} | None, longest_h, said,
    contacts [{n, channel, name, type, address (masked), ok (True|False|None), state_zh, at, delivered_at, read_at,
    why}]: the last result of each; reach {words, at, ok (None: not asked), why}: the afternoon's test.
    """

    def of(self, person_id: str) -> View:
        """WISHES of one person. Raises Unknown."""
        ...

    def save(self, person_id: str, params: Mapping[str, str], by: str) -> View:
        """Keep what is named in params, leave the rest: deadline, high, normal, low (channels, comma apart, ""
        = as the roster has them), quiet ("22:00-07:00", "" = none). Raises Refusal (also when `by` is somebody
        else), Unknown."""
        ...

    def test(self, person_id: str, number: int, by: str) -> View:
        """Write to one's own `number`-th contact, now. Raises Refusal and Unknown as `save` does."""
        ...
