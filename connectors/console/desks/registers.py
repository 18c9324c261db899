"""What the pages of the registers ask; `flows.office.registers` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class RegistersDesk(Protocol):
    """ENTRY: id, page (where it is kept: /registers/ID, or its incident's meetings), kind, kind_zh, title, unit,
    happened_at, due_at, done_at, cancelled_at, state, state_zh, late, result, incident, details, words [str],
    recorded_at, recorded_by, reason, acts [str].

    COUNTER: id, name, register, register_zh, owner, period, needed, done, until, late, basis [str].
    """

    def overview(self, kind: str = "", *, everything: bool = True) -> View:
        """at, kind, kind_zh, kinds [{kind, kind_zh, all, open, late}], counters [COUNTER], entries [ENTRY],
        form {needs, may [{name, zh}], basis, defects, triggers [{value, zh}]}, unfiled [{id, title, why}].
        Raises Refusal for a kind that there is not."""
        ...

    def entry(self, entry_id: str) -> View:
        """ENTRY with history [{seq, at, kind_zh, by, reason, words}]. Raises Unknown."""
        ...

    def act(self, name: str, entry_id: str, params: dict[str, str], by: str) -> View:
        """add {kind, title, unit?, happened_at?, due_at?, incident?, …details}, done {result, at?}, cancel
        {reason}, issue {reason?}, answer {text}, file {filing_no}, decide {finding, reason}; of an application consult,
        consulted, extend, mend, supplemented {at?, reason}. The entry after it. Raises Refusal, Unknown."""
        ...
