"""What the pages of meetings ask; `flows.office.meetings` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class MeetingsDesk(Protocol):
    """MEETING: id, incident_id, kind, kind_zh, state (booked|noticed|held|cancelled), state_zh, open, counts (does
    it stop the press conference's clock), place, starts_at, ahead (in words), speaker, speaker_name,
    speaker_post, principal, notice, notice_draft, questions [{number, ask, answer, by}], transcript, held_at,
    booked_at, booked_by, evidence_id, retracted (its proof was taken back), warnings [str].

    PROMISE: id, incident_id, words, given_at, due_at, by, state (kept|late|broken|open|dropped), state_zh,
    ended_at, ended_reason.
    """

    def overview(self, incident_id: str) -> View:
        """incident_id, now, meetings [MEETING], kinds [{value, zh, counts}], limits [{name, due_at}] (clocks
        that a press conference would stop), principals [{id, name}], press_contacts [str], principal_spoke,
        promises [PROMISE], promised and promised_everywhere {kept, late, broken, open, dropped}.
        Raises Unknown."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        """book {kind, starts_at, place, speaker?, post?, reason?}, move {meeting, starts_at?, place?, reason},
        speaker {meeting, speaker, post?}, notice {meeting, text?}, ask {meeting, ask, answer?}, answer {meeting,
        number, answer}, held {meeting, held_at?, url? | document?, publisher?, transcript?, reason?}, transcript
        {meeting, text}, cancel {meeting, reason}, promise {due_at, text}, drop {promise, reason}.
        The answer is `overview`'s with `said` and
        `acted_on` (the id of the meeting or promise). Raises Refusal or Unknown."""
        ...
