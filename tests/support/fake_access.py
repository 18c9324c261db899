"""Accounts without a database: who holds which session or token is told by the test. Open by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.console.desk import Unknown, View
from connectors.console.desks.access import Entered, NoEntry
from models.core.access import Place, Stage, Who

DAY_S = 86_400


class FakeAccess:
    """`people`: secret of a session or token → who that is; with any, the desk has accounts."""

    def __init__(self, people: Mapping[str, Who] | None = None, acts_per_minute: int = 10_000) -> None:
        self.known = dict(people or {})
        self.owned: dict[str, frozenset[str]] = {}
        self._most = acts_per_minute

    def settings(self) -> View:
        mode = "accounts" if self.known else "open"
        return {"mode": mode, "oidc": "", "acts_per_minute": self._most, "tries_per_address": 5}

    def who(self, session: str, token: str) -> Who | None:
        return self.known.get(token or session)

    def units_of(self, kind: str, number: str) -> frozenset[str] | None:
        return self.owned.get(number, frozenset())

    def visible(self, units: frozenset[str]) -> frozenset[str]:
        return frozenset(number for number, owners in self.owned.items() if not owners or owners & units)

    def may_person(self, person: str, permit: str, incident_id: str = "") -> str | None:
        return None

    def sign_in(self, name: str, password: str, place: Place) -> Entered:
        if name not in self.known:
            raise NoEntry("账号、口令不对")
        return Entered(name, Stage.FULL, DAY_S)

    def prove(self, session: str, code: str, place: Place) -> Entered:
        raise NoEntry("验证码不对")

    def confirm(self, session: str, password: str, place: Place) -> Entered:
        raise NoEntry("口令不对")

    def sign_out(self, session: str) -> None:
        self.known.pop(session, None)

    async def oidc_begin(self, back: str, again: bool = False) -> tuple[str, str]:
        raise Unknown("没有启用单位统一身份")

    async def oidc_finish(self, query: Mapping[str, str], kept: str, place: Place) -> tuple[Entered, str]:
        raise NoEntry("没有启用单位统一身份")

    async def oidc_leave(self) -> str:
        raise Unknown("没有启用单位统一身份")

    def own(self, who: Who) -> View:
        raise Unknown("没有这个账号")

    def own_act(self, name: str, params: Mapping[str, str], who: Who, place: Place) -> View:
        raise Unknown("没有这个账号")

    def picture(self, who: Who) -> bytes:
        raise Unknown("没有正在设置的两步验证")

    def accounts(self) -> View:
        empty: list[Any] = []
        return {"now": "", "accounts": empty, "roles": empty, "units": empty, "people": empty}

    def manage(self, name: str, account: str, params: Mapping[str, str], who: Who) -> View:
        raise Unknown("没有这个账号")
