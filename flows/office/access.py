"""Who is asking: signing in and out, sessions, tokens, and whose an incident is.

Wrong passwords and unknown names get the same words after the same work. Time here is the real one: a
demonstration that runs sixty times as fast must not sign people out every few minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog

from connectors import credentials
from connectors.console.desk import Unavailable, Unknown, View
from connectors.console.desks.access import Entered, NoEntry
from connectors.console.oidc import Identity, Provider, Settings
from connectors.credentials import Checked, Cost, Passwords
from connectors.ports import ConnectorError, Refused
from flows import timekeeping
from flows.office import accounts as rooms
from flows.office import second_factor
from flows.office.handling import Desk
from flows.office.plainly import in_words, reachable
from models.core import access as core
from models.core.access import LONGEST, Place, Rules, Stage, Who
from models.core.vocabulary import AccountRole
from models.ledger import accounts, scopes, sessions, tokens
from models.ledger.accounts import NewAccount
from models.ledger.store import Connection, Row
from playbooks.access_paper import AccessSource, OidcSource

log = structlog.get_logger(__name__)

NO = "账号、口令不对，或者连续输错后暂时锁住了；请核对后再试，忘了口令请找管理员重设"
"""One sentence for every reason, so that nobody learns which names exist."""
NO_CODE = "验证码不对、用过了，或者连续输错后暂时锁住了；请等下一个验证码，或用一个备用码"
OVER = "登录已过期；请重新登录"
KEPT_OUT = {
    "unknown": "单位身份无误，但没有对应的账号，也不是值班表上的人；请管理员开账号（huiying account add），再登录",
    "disabled": "这个账号已停用；请找管理员",
    "roles": "单位统一身份没有给您本系统的角色；请找统一身份的管理员",
}
"""Why somebody whom the other house knows does not come in here."""


class Access:
    """The desk's room for who is asking. Implements `connectors.console.desks.access.AccessDesk`."""

    def __init__(self, desk: Desk, wall: Callable[[], datetime] | None = None) -> None:
        self.desk = desk
        self.wall = wall or (lambda: timekeeping.world(desk.house.time)())

    @property
    def source(self) -> AccessSource:
        return self.desk.house.site.access

    @cached_property
    def rules(self) -> Rules:
        return self.source.rules

    @cached_property
    def passwords(self) -> Passwords:
        cost = self.source.hashing
        return Passwords(Cost(cost.time_cost, cost.memory_kib, cost.parallelism))

    @cached_property
    def provider(self) -> Provider | None:
        oidc, house = self.source.oidc, self.desk.house
        if oidc is None:
            return None
        secret = house.site.secrets(oidc.client_secret) if oidc.client_secret else ""
        home = f"{house.public_url}/login/oidc/back"
        claims = tuple(name for name in (oidc.person_claim, oidc.roles_claim) if name)
        given = Settings(oidc.issuer, oidc.client_id, secret, tuple(oidc.scopes), home, claims)
        return Provider(given, house.guard, self.wall)

    def hashed(self, password: str) -> str:
        """Raises Unavailable when too many sign in at once."""
        try:
            return self.passwords.hash(core.settled(password))
        except ConnectorError as error:
            raise Unavailable(str(error)) from None

    def settings(self) -> View:
        oidc = self.source.oidc
        return {
            "mode": self.source.mode,
            "oidc": oidc.label if oidc else "",
            "acts_per_minute": self.source.acts_per_minute,
            "tries_per_address": self.source.tries_per_address,
        }

    # ── who asks ──────────────────────────────────────────────────────────────────────────────

    def who(self, session: str, token: str) -> Who | None:
        if token:
            return self._by_token(token)
        return self._by_session(credentials.digest(session)) if session else None

    def _by_session(self, hashed: str) -> Who | None:
        now = self.wall()
        with reachable(), self.desk.house.store.read() as conn:
            row = sessions.find(conn, hashed)
        if row is None or row.disabled_at or not core.alive(self.rules, row.seen_at, row.ends_at, now):
            return None
        if now - row.seen_at >= sessions.SEEN:
            with self.desk.writing() as conn:
                sessions.touch(conn, hashed, now)
        return Who(
            row.account,
            row.person or "",
            row.name,
            accounts.roles_of(row),
            self._reach(row.units),
            Stage(row.stage),
            hashed,
            confirmed_at=row.confirmed_at,
        )

    def _by_token(self, secret: str) -> Who | None:
        now = self.wall()
        with reachable(), self.desk.house.store.read() as conn:
            row = tokens.find(conn, credentials.digest(secret))
        if row is None or row.disabled_at or row.ends_at <= now:
            return None
        if row.used_at is None or now - row.used_at >= sessions.SEEN:
            with self.desk.writing() as conn:
                tokens.used(conn, row.id, now)
        roles = core.narrowed(accounts.known(row.owner_roles), accounts.known(row.roles))
        return Who(
            row.account,
            row.person or "",
            row.owner_name,
            roles,
            self._reach(row.units),
            session=row.id,
            token=True,
        )

    def _reach(self, units: Collection[str]) -> frozenset[str]:
        """An account's units with all that stand below them; none is no limit."""
        return self.desk.house.site.roster.under(units)

    def units_of(self, kind: str, number: str) -> frozenset[str] | None:
        with reachable(), self.desk.house.store.read() as conn:
            incident = number if kind == "incident" else scopes.home(conn, kind, number)
            return scopes.units_of(conn, incident) if incident else None

    def visible(self, units: frozenset[str]) -> frozenset[str]:
        with reachable(), self.desk.house.store.read() as conn:
            return scopes.visible(conn, units)

    def may_person(self, person: str, permit: str, incident_id: str = "") -> str | None:
        if self.source.mode == "open":
            return None
        with reachable(), self.desk.house.store.read() as conn:
            mine = accounts.of_person(conn, person)
            units = scopes.units_of(conn, incident_id) if incident_id else None
        if not mine:
            return "您还没有账号，不能在这里操作；请管理员用 huiying account add 开一个"
        refusals = [_why_not(row, permit, units, self._reach(row.units)) for row in mine]
        return None if None in refusals else refusals[0]

    # ── in and out ────────────────────────────────────────────────────────────────────────────

    def sign_in(self, name: str, password: str, place: Place) -> Entered:
        name = name.strip().lower()
        with reachable(), self.desk.house.store.read() as conn:
            row = accounts.find(conn, name[:LONGEST])
        checked = self._checked(row, password)
        with in_words(), self.desk.writing() as conn:
            why = self._judge(conn, row, checked)
            entered = None if why or row is None else self._enter(conn, row.id, "password", place)
            sessions.tried(conn, self.wall(), row.id if row else None, "password", why, place)
        if entered is None:
            log.warning("sign_in_refused", address=place.address, why=why)
            raise NoEntry(NO)
        return entered

    def _checked(self, row: Row[Any] | None, password: str) -> Checked:
        """The password checked, or as much work for nobody."""
        try:
            return self.passwords.check(row.password if row else None, core.settled(password[: 2 * LONGEST]))
        except ConnectorError as error:
            raise Unavailable(str(error)) from None

    def _judge(self, conn: Connection, known: Row[Any] | None, checked: Checked) -> str:
        """What stands in the way, in a word for the records; "" = nothing. Counts what was wrong.

        Read anew within the transaction: of a hundred guesses sent at once only the first few count.
        """
        if known is None:
            return "unknown"
        row, now = accounts.get(conn, known.id), self.wall()
        if row.disabled_at:
            return "disabled"
        if row.locked_until and row.locked_until > now:
            return "locked"
        if not checked.right:
            accounts.failed(conn, self.desk.now(), now, row.id, self.rules)
            return "password"
        if row.totp is None or checked.rehashed:
            accounts.succeeded(conn, row.id, checked.rehashed, begin_anew=row.totp is None)
        return ""

    def _enter(self, conn: Connection, account: str, method: str, place: Place) -> Entered:
        """A session of its own under a secret nobody has seen before."""
        row, secret = accounts.get(conn, account), credentials.fresh()
        stage = Stage.CODE if row.totp and method == "password" else self._stage(row, method)
        lasting = self.rules.for_code if stage is Stage.CODE else self.rules.lasting
        sessions.begin(conn, self.wall(), credentials.digest(secret), account, stage, method, place, lasting)
        return Entered(secret, stage, int(lasting.total_seconds()))

    def _stage(self, row: Row[Any], method: str) -> Stage:
        """The other house sees to its own second factor."""
        if method == "oidc":
            return Stage.FULL
        return core.next_stage(
            self.rules, accounts.roles_of(row), has_code=bool(row.totp), must_change=row.must_change
        )

    def prove(self, session: str, code: str, place: Place) -> Entered:
        who = self.who(session, "")
        if who is None or who.stage is not Stage.CODE:
            raise NoEntry(OVER)
        with in_words(), self.desk.writing() as conn:
            why = second_factor.judge(self, conn, who.account, code)
            entered = None if why else self.moved(conn, who.session, self._stage(_row(conn, who), "password"))
            sessions.tried(conn, self.wall(), who.account, "code", why, place)
        if entered is None:
            raise NoEntry(NO_CODE)
        return entered

    def moved(self, conn: Connection, session: str, stage: Stage) -> Entered:
        """The session goes on under a new secret. Raises NoEntry when it has ended, or gone on, meanwhile."""
        secret, now = credentials.fresh(), self.wall()
        ends_at = now + self.rules.lasting
        if not sessions.move(conn, session, credentials.digest(secret), now, stage, ends_at):
            raise NoEntry(OVER)
        return Entered(secret, stage, int(self.rules.lasting.total_seconds()))

    def confirm(self, session: str, password: str, place: Place) -> Entered:
        who = self.who(session, "")
        if who is None or who.stage is Stage.CODE:
            raise NoEntry(OVER)
        self.check_again(who, password, place)
        with in_words(), self.desk.writing() as conn:
            return self.moved(conn, who.session, who.stage)

    def check_again(self, who: Who, password: str, place: Place) -> None:
        """One's own password once more; wrong ones count as at the sign-in. Raises NoEntry."""
        with reachable(), self.desk.house.store.read() as conn:
            row = accounts.get(conn, who.account)
        checked = self._checked(row, password)
        with in_words(), self.desk.writing() as conn:
            why = self._judge(conn, row, checked)
            sessions.tried(conn, self.wall(), row.id, "confirm", why, place)
        if why:
            raise NoEntry(NO)

    def sign_out(self, session: str) -> None:
        if session:
            with self.desk.writing() as conn:
                sessions.end(conn, self.wall(), hashed=credentials.digest(session))

    # ── with the identity of another house ────────────────────────────────────────────────────

    async def oidc_begin(self, back: str, again: bool = False) -> tuple[str, str]:
        with _plainly():
            return await self._there().begin(back, again)

    async def oidc_finish(self, query: Mapping[str, str], kept: str, place: Place) -> tuple[Entered, str]:
        with _plainly():
            identity, back = await self._there().finish(query, kept)
        return await asyncio.to_thread(self._known, identity, place), back

    async def oidc_leave(self) -> str:
        with _plainly():
            return await self._there().leave()

    def _there(self) -> Provider:
        try:
            provider = self.provider
        except (LookupError, OSError, ValueError) as error:
            raise Unavailable(f"单位统一身份的 client_secret 取不到（{error}）") from None
        if provider is None:
            raise Unknown("没有启用单位统一身份；请用账号和口令登录")
        return provider

    def _known(self, identity: Identity, place: Place) -> Entered:
        with in_words(), self.desk.writing() as conn:
            account = self._account_of(conn, identity)
            row = accounts.find(conn, account) if account else None
            why = self._kept_out(conn, row, identity)
            entered = None if why or row is None else self._enter(conn, row.id, "oidc", place)
            sessions.tried(conn, self.wall(), row.id if row else None, "oidc", why, place)
        if entered is None:
            raise NoEntry(KEPT_OUT[why])
        return entered

    def _kept_out(self, conn: Connection, row: Row[Any] | None, identity: Identity) -> str:
        """Why not, in a word for the records; else the roles that the other house says are taken over. Whoever has
        lost them all over there has lost them here."""
        oidc = self.source.oidc
        if row is None or oidc is None:
            return "unknown"
        if row.disabled_at:
            return "disabled"
        if not oidc.roles_claim:
            return ""
        roles = said_roles(oidc, identity.claims) or frozenset(oidc.default_roles)
        if not roles:
            return "roles"
        accounts.change(conn, self.desk.now(), row.id, "huiying", "单位统一身份所给", roles=sorted(roles))
        return ""

    def _account_of(self, conn: Connection, identity: Identity) -> str | None:
        """The account of an identity: the linked one; else one of that name; else one made for a person of the
        roster."""
        oidc = self.source.oidc
        assert oidc is not None
        linked = accounts.of_identity(conn, identity.issuer, identity.subject)
        name = str(identity.claims.get(oidc.person_claim) or "").strip().lower()[:200]
        return linked.id if linked else self._claimed(conn, name, identity, oidc)

    def _claimed(self, conn: Connection, name: str, identity: Identity, oidc: OidcSource) -> str | None:
        now = self.desk.now()
        if accounts.find(conn, name) is None and not self._made(conn, name, identity, oidc):
            return None
        if accounts.get(conn, name).subject is None:
            accounts.link(conn, now, name, identity.issuer, identity.subject, "huiying")
        row = accounts.get(conn, name)
        return name if (row.issuer, row.subject) == (identity.issuer, identity.subject) else None

    def _made(self, conn: Connection, name: str, identity: Identity, oidc: OidcSource) -> bool:
        person = next((one for one in self.desk.house.site.roster.people if one.id == name), None)
        roles = said_roles(oidc, identity.claims) or frozenset(oidc.default_roles)
        if person is None or not roles or core.odd_name(name):
            return False
        new = NewAccount(name, person.name, person.id, sorted(roles))
        accounts.add(conn, self.desk.now(), new, "huiying", "第一次用单位统一身份登录")
        return True

    # ── accounts ──────────────────────────────────────────────────────────────────────────────

    def own(self, who: Who) -> View:
        return rooms.own(self, who)

    def own_act(self, name: str, params: Mapping[str, str], who: Who, place: Place) -> View:
        return rooms.own_act(self, name, params, who, place)

    def picture(self, who: Who) -> bytes:
        return rooms.picture(self, who)

    def accounts(self) -> View:
        return rooms.overview(self)

    def manage(self, name: str, account: str, params: Mapping[str, str], who: Who) -> View:
        return rooms.manage(self, name, account, params, who)


def said_roles(oidc: OidcSource, claims: Mapping[str, Any]) -> frozenset[AccountRole]:
    """The roles that the other house says; values that it does not know here are passed over."""
    said = claims.get(oidc.roles_claim) if oidc.roles_claim else None
    values = [str(one) for one in said] if isinstance(said, list) else [str(said)] if said else []
    if oidc.roles:
        return frozenset(oidc.roles[value] for value in values if value in oidc.roles)
    return accounts.known(values)


def _why_not(row: Row[Any], permit: str, units: frozenset[str] | None, reach: frozenset[str]) -> str | None:
    """Why this account may not, or None."""
    roles = accounts.roles_of(row)
    who = Who(row.id, row.person or "", row.name, roles, reach)
    if units is not None and not core.within(who, units, permit):
        return "这起事件不归您的单位；请联系责任单位或值班长"
    return core.may(roles, permit)


def _row(conn: Connection, who: Who) -> Row[Any]:
    return accounts.get(conn, who.account)


@contextmanager
def _plainly() -> Iterator[None]:
    """What the other house said or did not, in the console's own words."""
    try:
        yield
    except Refused as error:
        raise NoEntry(str(error)) from None
    except ConnectorError as error:
        raise Unavailable(f"单位统一身份：{error}") from None
