"""The port of accounts: who is asking, signing in and out, one's own account, everybody's for an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from models.core.access import Place, Stage, Who

View = dict[str, Any]

OWN: Final = {
    "password": "改口令",
    "second_factor": "设两步验证",
    "second_factor_confirm": "启用两步验证",
    "second_factor_off": "取消两步验证",
    "session_end": "结束这次登录",
    "sessions_end": "结束其他登录",
    "token_make": "开令牌",
    "token_revoke": "作废令牌",
}
"""What people do with their own account."""
MANAGE: Final = {
    "roles": "改角色和单位",
    "password": "重设口令",
    "disable": "停用",
    "enable": "启用并解锁",
    "second_factor_off": "取消两步验证",
    "sessions_end": "结束全部登录",
    "token_revoke": "作废令牌",
}
"""What an administrator does with an account."""


class NoEntry(Exception):
    """Who signs in is not let in (HTTP 401). The words do not tell which part was wrong."""


class Unconfirmed(Exception):
    """The act asks for the password once more: the sign-in is too old for it."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A sign-in: the secret for the cookie, how far it came, how long it may last (seconds)."""

    secret: str
    stage: Stage
    lasting_s: int


class AccessDesk(Protocol):
    def settings(self) -> View:
        """mode (open | accounts), oidc (the button's words, "" without), acts_per_minute, tries_per_address."""
        ...

    # ── who asks ──

    def who(self, session: str, token: str) -> Who | None:
        """Whose session or token that is; None when it is nobody's, has ended or was idle too long."""
        ...

    def units_of(self, kind: str, number: str) -> frozenset[str] | None:
        """The units of an `incident`, or of the incident of a `statement` or a `dossier`; empty: nobody owns it
        yet; None: there is no such thing."""
        ...

    def visible(self, units: frozenset[str]) -> frozenset[str]:
        """The ids of the incidents that accounts of these units see."""
        ...

    def may_person(self, person: str, permit: str, incident_id: str = "") -> str | None:
        """For acts that come by chat: may one of the person's accounts? None, or why not. Without accounts
        everybody may."""
        ...

    # ── in and out ──

    def sign_in(self, name: str, password: str, place: Place) -> Entered:
        """Raises NoEntry."""
        ...

    def prove(self, session: str, code: str, place: Place) -> Entered:
        """The second step: a code of the authenticator, or one of the written-down ones. Raises NoEntry."""
        ...

    def confirm(self, session: str, password: str, place: Place) -> Entered:
        """The password once more, for what is sensitive; the session goes on under a new secret. Raises NoEntry."""
        ...

    def sign_out(self, session: str) -> None: ...

    async def oidc_begin(self, back: str, again: bool = False) -> tuple[str, str]:
        """Where the browser goes, and what its cookie must remember; `again`: the password is asked for even
        though it is signed in there. Raises Unknown without a provider, Unavailable when it does not answer."""
        ...

    async def oidc_finish(self, query: Mapping[str, str], kept: str, place: Place) -> tuple[Entered, str]:
        """The sign-in and where to go on. Raises NoEntry, Unavailable."""
        ...

    async def oidc_leave(self) -> str:
        """Where the sign-in of the other house is ended too, "" where it has no such place. Raises as above."""
        ...

    # ── one's own account ──

    def own(self, who: Who) -> View:
        """account, name, person_name, roles_zh, units_zh, has_password, oidc, second_factor (bool), codes_left,
        pending (a second factor is being set up), pending_secret (to be typed by hand), must_change, stage,
        confirmed (bool), least,
        sessions [{id, here, method_zh, made_at, seen_at, address, device}],
        tokens [{id, name, roles_zh, made_at, ends_at, used_at, state_zh, live}], roles [{value, zh}]."""
        ...

    def own_act(self, name: str, params: Mapping[str, str], who: Who, place: Place) -> View:
        """`said`; with `secret` (a token, or a fresh session in `entered`) or `codes` shown once.
        Raises Refusal, Unknown, Unconfirmed, NoEntry."""
        ...

    def picture(self, who: Who) -> bytes:
        """The QR code of the second factor that is being set up, SVG. Raises Unknown, Unconfirmed."""
        ...

    # ── everybody's ──

    def accounts(self) -> View:
        """accounts [ACCOUNT], roles [{value, zh}], units [{id, name}], people [{id, name}].
        ACCOUNT: id, name, person, person_name, roles, roles_zh, units, units_zh, state_zh, enabled, locked,
        second_factor, oidc, made_at, sessions (a number), tokens, last_at."""
        ...

    def manage(self, name: str, account: str, params: Mapping[str, str], who: Who) -> View:
        """`add` {account, person?, name?, roles, units?} or one of MANAGE; `said`, and `secret` (a first
        password, shown once). Raises Refusal, Unknown, Unconfirmed."""
        ...
