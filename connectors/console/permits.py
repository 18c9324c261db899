"""Which permit (models.core.access) every route asks for, and whose incident it is about.

Only what is named here can be reached by one who is signed in: a route that nobody named is forbidden to
everybody, and a test walks the app's routes to find it. `/api/v1/X` asks what `/X` asks, unless it is named itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

API: Final = "/api/v1"
_NAME = re.compile(r"\{(\w+)(?::path)?\}")
_ACT = "{name}"


class Reach(StrEnum):
    """What of the incidents a route shows or changes, for accounts that see only their units'."""

    NOTHING = "nothing"  # of no incident
    INCIDENT = "incident"  # of the one in its address
    STATEMENT = "statement"  # of the one that the statement in its address belongs to
    DOSSIER = "dossier"
    THEIRS = "theirs"  # shows theirs only: the desk that the route asks is narrowed (`narrowed`)
    WHOLE = "whole"  # of the whole site: not for accounts of single units


@dataclass(frozen=True, slots=True)
class Rule:
    permit: str
    reach: Reach = Reach.NOTHING


_I, _S, _D, _T, _W = Reach.INCIDENT, Reach.STATEMENT, Reach.DOSSIER, Reach.THEIRS, Reach.WHOLE

PUBLIC: Final = (
    "/healthz", "/readyz", "/login", "/login/oidc", "/login/oidc/back", "/login/oidc/leave", "/logout", "/language",
    "/manifest.webmanifest", "/sw.js", "/offline",
)  # fmt: skip
"""Without signing in: health, the way in and out, what a phone needs to show that it has no line."""
SIGNED: Final = ("/static/", "/hooks/", "/a/")
"""Without signing in, too: our own files; what is signed by whoever sends it; one-use links."""
HALF: Final = (
    "/login/code", "/login/confirm", "/account", "/account/second-factor.svg", "/account/acts/{name}", "/events",
)  # fmt: skip
"""For one who has begun to sign in: the code, the new password, the second factor, and the password again where
they took their time."""

_SEE: Mapping[str, Rule] = {
    "/": Rule("see", _T),
    "/fragments/board": Rule("see", _T),
    "/fragments/board/rows": Rule("see", _T),
    "/fragments/board/numbers": Rule("see", _T),
    "/numbers": Rule("see", _T),
    "/trends": Rule("see", _T),
    "/incidents": Rule("see", _T),
    "/proposals": Rule("see", _T),
    "/incidents/new": Rule("act.open"),
    "/incidents/{incident_id}": Rule("see", _I),
    "/fragments/incidents/{incident_id}": Rule("see", _I),
    "/fragments/incidents/{incident_id}/picture": Rule("see", _I),
    "/incidents/{incident_id}/signals": Rule("see", _I),
    "/incidents/{incident_id}/signals/{number}": Rule("see", _I),
    "/incidents/{incident_id}/story": Rule("see", _I),
    "/incidents/{incident_id}/similar": Rule("see", _I),
    "/incidents/{incident_id}/statements": Rule("see", _I),
    "/incidents/{incident_id}/aftermath": Rule("see", _I),
    "/incidents/{incident_id}/meetings": Rule("see", _I),
    "/incidents/{incident_id}/dossiers": Rule("see", _I),
    "/incidents/{incident_id}/dossiers/{dossier_id}/form": Rule("see.dossier", _I),
    "/incidents/{incident_id}/mood": Rule("see", _I),
    "/incidents/{incident_id}/work": Rule("see", _I),
    "/mine": Rule("see", _T),
    "/fragments/mine": Rule("see", _T),
    "/me": Rule("open mode only"),
    "/sources": Rule("see"),
    "/roster": Rule("see"),
    "/handover": Rule("see", _W),
    "/fragments/handover": Rule("see", _W),
    "/handover/log": Rule("see", _W),
    "/audit": Rule("see.audit", _W),
    "/audit/signins": Rule("see.audit", _W),
    "/playbooks": Rule("see"),
    "/playbooks/{playbook_id}": Rule("see"),
    "/events": Rule("see"),
    "/deadletters": Rule("see.letters", _W),
    "/deadletters/{number}": Rule("see.letters", _W),
    "/statements/{statement_id}": Rule("see", _S),
    "/statements/{statement_id}/package": Rule("see", _S),
    "/registers": Rule("see.reports", _W),
    "/registers/{entry_id}": Rule("see.reports", _W),
    "/assessment": Rule("see.reports", _W),
    "/reports": Rule("see.reports", _W),
    "/reports/file": Rule("see.reports", _W),
    "/tasks": Rule("see", _T),
    "/levels": Rule("see", _W),
    "/fragments/levels": Rule("see", _W),
    "/levels/referrals/{referral_id}": Rule("see", _W),
    "/me/preferences": Rule("preferences"),
    f"{API}/people/{{person}}/preferences": Rule("preferences"),
    "/account": Rule("own"),
    "/account/second-factor.svg": Rule("own"),
    "/accounts": Rule("accounts"),
    "/login/code": Rule("own"),
    "/login/confirm": Rule("own"),
    "/api/docs": Rule("see"),
    "/api/openapi.json": Rule("see"),
    "/metrics": Rule("see.audit"),
    f"{API}/dossiers/{{dossier_id}}": Rule("see.dossier", _D),
    f"{API}/mine/{{person_id}}": Rule("see", _T),
    f"{API}/board": Rule("see", _T),
    f"{API}/people": Rule("see"),
    f"{API}/coverage": Rule("see"),
    f"{API}/reports/{{kind}}": Rule("see.reports", _W),
    f"{API}/reports/{{kind}}/file": Rule("see.reports", _W),
    "/snapshots/{sha256}": Rule("see"),  # whoever knows the hash has seen the evidence
    "/snapshots/{sha256}/picture": Rule("see"),
}
"""GET."""

_DO: Mapping[str, Rule] = {
    "/incidents": Rule("act.open"),
    "/incidents/{incident_id}/evidence": Rule("act.stop", _I),
    "/incidents/{incident_id}/labels": Rule("act.relabel", _I),
    "/incidents/{incident_id}/split": Rule("act.split", _I),
    "/incidents/{incident_id}/statements": Rule("statement", _I),
    "/incidents/{incident_id}/wording": Rule("statement", _I),
    "/audit/export": Rule("audit.export", _W),
    "/deadletters/replay": Rule("letter", _W),
    "/playbooks/{playbook_id}/try": Rule("playbook.try"),
    "/registers": Rule("register", _W),
    "/me": Rule("open mode only"),
    "/me/preferences": Rule("preferences"),
    "/me/preferences/tests/{number}": Rule("preferences"),
    f"{API}/people/{{person}}/preferences": Rule("preferences"),
    f"{API}/people/{{person}}/tests/{{number}}": Rule("preferences"),
    "/accounts": Rule("accounts"),
    "/login/code": Rule("own"),
    "/login/confirm": Rule("own"),
}
"""POST."""

ACTS: Final[Mapping[str, tuple[Reach, Mapping[str, str]]]] = {
    "/incidents/{incident_id}/acts/{name}": (
        _I,
        {
            name: f"act.{name}"
            for name in (
                "ack", "take", "escalate", "snooze", "grade", "stop", "waive", "retract", "adopt", "dismiss", "close",
                "update", "assign", "correct", "relabel", "merge", "split", "reopen", "move",
            )
        },
    ),
    "/incidents/{incident_id}/work/acts/{name}": (
        _I,
        {**dict.fromkeys(("stage", "product", "claim", "reject", "transfer", "receipt"), "work")}
        | dict.fromkeys(("add", "done", "drop"), "task")
        | dict.fromkeys(("refer", "accept", "give_back"), "refer"),
    ),
    "/levels/referrals/{referral_id}/acts/{name}": (_W, dict.fromkeys(("accept", "return", "note"), "refer")),
    "/incidents/{incident_id}/aftermath/acts/{name}": (
        _I, dict.fromkeys(("cause", "lesson", "improve", "lookback"), "aftermath"),
    ),
    "/incidents/{incident_id}/meetings/acts/{name}": (
        _I,
        dict.fromkeys(
            ("book", "move", "speaker", "notice", "ask", "answer", "held", "transcript", "cancel", "promise", "drop"),
            "meeting",
        ),
    ),
    "/incidents/{incident_id}/dossiers/acts/{name}": (
        _I, dict.fromkeys(("make", "hand", "receipt", "follow"), "dossier"),
    ),
    "/statements/{statement_id}/acts/{name}": (
        _S,
        dict.fromkeys(("edit", "submit", "reassign", "release", "compare", "withdraw", "discard"), "statement")
        | dict.fromkeys(("sign", "refuse"), "statement.sign"),
    ),
    "/handover/log/acts/{name}": (_W, {"note": "log", "sign": "log.sign"}),
    "/handover/{handover_id}/acts/{name}": (_W, dict.fromkeys(("accept", "note"), "hand")),
    "/tasks/acts/{name}": (_W, dict.fromkeys(("add", "done", "drop"), "task")),
    "/deadletters/{number}/acts/{name}": (_W, dict.fromkeys(("mend", "replay", "drop"), "letter")),
    "/registers/{entry_id}/acts/{name}": (
        _W,
        dict.fromkeys(
            ("add", "done", "cancel", "issue", "answer", "file", "consult", "consulted", "extend", "mend",
             "supplemented"),
            "register",
        ) | {"decide": "register.decide"},
    ),
    "/playbooks/{playbook_id}/acts/{name}": (
        Reach.NOTHING,
        {
            "submit": "playbook.write",
            "withdraw": "playbook.write",
            "approve": "playbook.settle",
            "return": "playbook.settle",
            "rollback": "playbook.rollback",
        },
    ),
    "/account/acts/{name}": (
        Reach.NOTHING,
        dict.fromkeys(
            ("password", "second_factor", "second_factor_confirm", "second_factor_off", "session_end", "sessions_end",
             "token_make", "token_revoke"),
            "own",
        ),
    ),
    "/accounts/{account_id}/acts/{name}": (
        Reach.NOTHING,
        dict.fromkeys(
            ("roles", "password", "disable", "enable", "second_factor_off", "sessions_end", "token_revoke"), "accounts"
        ),
    ),
}  # fmt: skip
"""POST, by the name of the act."""


@dataclass(frozen=True, slots=True)
class Found:
    """A route that an address means: its template, its rule, the parts of its address."""

    template: str
    rule: Rule
    parts: Mapping[str, str]


def lines() -> Iterator[tuple[str, str, Rule]]:
    """The whole table: method, template (with the act's own name in it), rule."""
    yield from (("GET", path, rule) for path, rule in _SEE.items())
    yield from (("POST", path, rule) for path, rule in _DO.items())
    for path, (reach, names) in ACTS.items():
        yield from (("POST", path.replace(_ACT, name), Rule(permit, reach)) for name, permit in names.items())


@cache
def _table(method: str) -> tuple[tuple[re.Pattern[str], str, Rule], ...]:
    """Fixed addresses before those with a part that may be anything, as the app's own order has it."""
    chosen = [(path, rule) for way, path, rule in lines() if way == method]
    chosen.sort(key=lambda line: line[0].count("{"))
    return tuple((_pattern(path), path, rule) for path, rule in chosen)


def _pattern(path: str) -> re.Pattern[str]:
    pieces = _NAME.split(path)  # text, name, text, name, …
    return re.compile(
        "".join(f"(?P<{piece}>[^/]+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    )


def rule_of(method: str, path: str) -> Found | None:
    """The rule of an address, None when nobody named it."""
    wanted = "GET" if method == "HEAD" else method
    found = _found(wanted, path)
    if found is None and path.startswith(f"{API}/"):
        found = _found(wanted, path.removeprefix(API))
    return found


def _found(method: str, path: str) -> Found | None:
    for pattern, template, rule in _table(method):
        match = pattern.fullmatch(path)
        if match is not None:
            return Found(template, rule, match.groupdict())
    return None


def public(path: str) -> bool:
    return path in PUBLIC or path.startswith(SIGNED)


def half(path: str) -> bool:
    """Whether one who has only begun to sign in may go there."""
    return path in HALF or path.startswith("/account/acts/")
