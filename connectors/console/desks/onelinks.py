"""What the page of one-use links asks; `flows.office.onelinks` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class OneLinksDesk(Protocol):
    """LINK: state (ready|done|expired|closed|gone|other|forged), words (what it is worth, with the way out),
    and, unless it is forged: site, act, act_zh, name (whom it was sent to), now, until, done_at | None, ref,
    incident {id, ref, title, grade, grade_zh, colour}, clock {name, due_at, left_s} | None, reason.
    """

    def look(self, token: str, visitor: str) -> View:
        """LINK as it stands; changes nothing. `visitor`: whom this device is known to be ("" = nobody)."""
        ...

    def use(self, token: str, visitor: str) -> View:
        """Do what the link allows, once; LINK as it stands afterwards, `used` True when it was this time."""
        ...
