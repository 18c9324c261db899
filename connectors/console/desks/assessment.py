"""What the page of the assessment asks; `flows.office.assessment` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class AssessmentDesk(Protocol):
    """Worked out of the journal alone; `head` is the hash of its last entry."""

    def assess(self, params: dict[str, str]) -> View:
        """params: from, to (days or times; this year until now). The shape is that of
        `flows.office.assessment.assess`. Raises Refusal; Unavailable when the journal's chain is broken."""
        ...
