"""The names that go out with a message and come back with a press: what Slack calls ids."""

from __future__ import annotations

from typing import Final

ACK_ACTION: Final = "huiying_ack"  # the value of every button: an alert's id, or an incident's
TAKE_ACTION: Final = "huiying_take"
SNOOZE_ACTION: Final = "huiying_snooze"
PROOF_ACTION: Final = "huiying_evidence"
GRADE_ACTION: Final = "huiying_grade"
OPEN_ACTION: Final = "huiying_open"  # a link: Slack tells us of the press all the same

PROOF_FORM: Final = "huiying_evidence_form"
GRADE_FORM: Final = "huiying_grade_form"

COMMAND: Final = "/huiying"

ALERT_EVENT: Final = "huiying_alert"  # the event_type of a message's metadata
INCIDENT_EVENT: Final = "huiying_incident"
STORY_EVENT: Final = "huiying_story"

SNOOZE_MINUTES: Final = 30
