"""What the pages of the work ask; `flows.office.work` answers."""

from __future__ import annotations

from typing import Any, Protocol

View = dict[str, Any]


class WorkDesk(Protocol):
    """TASK: id, number, incident_id, name, unit, source, basis [str], must, party, evidence, evidence_zh,
    state (open|done|dropped), state_zh, due_at, late, created_at, by, done_at, done_by, result, unit_name
    (whose it is now, in words).

    PARTY: id, unit, unit_name, role (lead|co|coordinator), role_zh, state (asked|claimed|rejected|relieved),
    state_zh, first, asked_at, answer_by, answered_at, answered_by, answer, reason.
    """

    def overview(self, incident_id: str) -> View:
        """id, ref, title, closed, merged_into, now,
        stage {here, here_zh, leaves, owed [str], products [{kind, kind_zh, text, at, by}],
        moves [{to, zh, back}]},
        parties {answerable, by_first, parties [PARTY]},
        proposal {lead, lead_name, others, other_names, coordinator, coordinator_name, reasons [str], principal,
        joint},
        tasks [TASK], notifications [{playbook, number, evidence_zh, basis [str], parties [{name, at, receipt, by,
        evidence_id}], missing [str], apart_s, skew_s, within (True|False|None), said}],
        missing [str] (what keeps it from closing), units [{id, name}], referrals [REFERRAL] (`desks.levels`),
        neighbours [{id, name, relation, relation_zh}]. Raises Unknown."""
        ...

    def act(self, name: str, incident_id: str, params: dict[str, str], by: str) -> View:
        """stage {to, text?, reason}, product {kind, text}, claim {unit?, reason?}, reject {unit?, instead?, reason},
        transfer {unit?, to, reason}, receipt {to, receipt, at?, reason?}, add {name, unit?, due?, must?, evidence?,
        reason?}, done {task, result}, drop {task (a number, or all), reason}, refer {to, purpose?, reason},
        accept {reason?, clocks?}, give_back {reason}. The answer is `overview`'s with
        `said`. Raises Refusal or Unknown."""
        ...

    def list(self, unit: str = "") -> View:
        """now, unit, units [str], late, total, groups [{unit, late, tasks [TASK and ref, title, unit_name]}]: every
        open task, whoever has the most that is late first."""
        ...

    def task(self, name: str, params: dict[str, str], by: str) -> View:
        """add, done, drop a task of no incident. The answer is `list`'s with `said`."""
        ...
