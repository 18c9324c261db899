"""What the pages of the levels 上下级 ask; `flows.office.levels` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class LevelsDesk(Protocol):
    """REFERRAL: id, way (out|in), way_zh, neighbour, neighbour_name, purpose (transfer|inform), purpose_zh (移交|抄报|
    通报), state (sent|delivered|refused|accepted|returned|noted|waiting), state_zh, waits (for somebody here),
    incident_id, title, their_ref, their_url, at, by, reason, sha256, delivered_at, decided_at, decided_by, decision,
    receipt, taken [rule id], answered_at, progress {ref, title, grade, grade_zh, stage, closed_at, clocks [{rule_id,
    name, state, state_zh, due_at, ended_at, ended_reason}]} | None, progress_at.
    """

    def overview(self) -> View:
        """now, id (our own), own {at, site, version, grades, open, unacked, clocks, nearest, coverage, journal},
        rows [{id, name, url, silent, heard_at, age_s, grades {I…IV}, open, unacked, clocks {running, at_risk, breached,
        armed}, nearest [{ref, title, grade, clock, state, state_zh, due_at, left_s}], coverage {ok, bad [str]},
        journal {seq, hash}, version}] of the lower ones, the worst first,
        neighbours [{id, name, relation, relation_zh, url, tries, why, next_at, last_good_at}], referrals [REFERRAL],
        what waits for somebody here first."""
        ...

    def one(self, referral_id: str) -> View:
        """REFERRAL and: now, parcel (`huiying schema parcel`; clocks with state_zh, times with event_zh, evidence and
        journal entries with kind_zh).
        Raises Unknown."""
        ...

    def act(self, name: str, referral_id: str, params: dict[str, str], by: str) -> View:
        """accept {reason?, clocks?}, return {reason}, note {reason?}. The answer is `one`'s with `said`. Raises Refusal
        or Unknown."""
        ...

    def take(self, raw: bytes) -> bytes:
        """A letter of a neighbour; the signed answer. Raises Unsigned, Refusal, Unknown, Unavailable."""
        ...
