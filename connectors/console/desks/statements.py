"""The port of statements 稿件: drafts, 三审, release, comparison, the shared wording."""

from __future__ import annotations

from typing import Any, Final, Protocol

View = dict[str, Any]
Params = dict[str, str]

ACTS: Final = {
    "edit": "修改",
    "submit": "送审",
    "sign": "同意",
    "refuse": "退回",
    "reassign": "换审核人",
    "release": "登记发布",
    "compare": "比对",
    "withdraw": "撤回",
    "discard": "作废",
}
"""The acts on a statement, by the names of the command line."""


class StatementsDesk(Protocol):
    """What the pages of statements ask for.

    HEAD: id, incident_id, kind, kind_zh, title, unit, author, author_name, state, state_zh, version, sha256,
    created_at, submitted_at, approved_at, released_at, replaces, emergency (why two signatures did, or None),
    waiting [{step, name, person, person_name, due_at}].
    """

    def overview(self, incident_id: str) -> View:
        """incident INCIDENT, statements [HEAD], wordings [{version, text, at, by, by_name, reason}], newest first;
        given {kinds, outlets, disclosures [{value, zh}], template, unit}. Raises Unknown."""
        ...

    def one(self, statement_id: str) -> View:
        """HEAD and: text, html, authors [id], changed (against the version before, in words),
        disclosure, disclosure_zh, disclosure_reason, audience, outlets, outlets_zh,
        approved_sha256, incident INCIDENT, findings [{rule, words, blocks, start, end, line, quoted, basis}],
        chain [{key, name, by, person, person_name, due_at, beside, running, left_s, signature | None}],
        asked [{key, name, by, person}] (the chain that would be asked for), machine [str], emergency_allowed,
        due_at (of the clock that it would stop), versions [{version, title, text, sha256, good, by, by_name, at,
        reason, signatures, void}], releases [{id, outlet, outlet_zh, at, by_name, url, compared_at, same,
        difference}], given as in `overview`; SIGNATURE: id, person_name, verdict_zh, opinion, at, sha256, good.
        Raises Unknown."""
        ...

    def draft(self, incident_id: str, params: Params, by: str) -> View:
        """A new draft {kind?, title, text, unit?, disclosure?, disclosure_reason?, audience?, outlets?, replaces?,
        reason?}; outlets with commas. Answers as `one`, with `said`. Raises Refusal and Unknown."""
        ...

    def wording(self, incident_id: str, params: Params, by: str) -> View:
        """Share a wording {text, reason?}. Answers as `overview`, with `said`. Raises Refusal and Unknown."""
        ...

    def act(self, name: str, statement_id: str, params: Params, by: str) -> View:
        """edit {the fields of a draft, those left out stay; sha256? of the text that was changed}, submit
        {person.KEY… or reviewers, secrecy?, emergency?, facts_reason?, reason?}, sign {sha256, step?, reason?}, refuse
        {sha256, step?, reason}, reassign {step, person, reason}, release {outlet, url?, document?, published_at?,
        sha256?, reason?}, compare {release?, text?}, withdraw {reason}, discard {reason}. Answers as `one`, with
        `said`. Raises Refusal and Unknown."""
        ...

    def package(self, statement_id: str) -> tuple[str, bytes]:
        """The release package: the name of the zip and its bytes. Raises Refusal and Unknown."""
        ...
