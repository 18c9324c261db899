"""Accounts as people see and change them: one's own, and everybody's for an administrator and the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from connectors import credentials
from connectors.console.desk import Refusal, Unknown, View
from connectors.console.desks.access import Entered, Unconfirmed
from flows.office import second_factor
from flows.office.plainly import in_words, reachable
from flows.wiring import House
from models.core import access as core
from models.core.access import Place, Stage, Who
from models.core.moment import iso
from models.core.vocabulary import AccountRole
from models.ledger import accounts, sessions, tokens
from models.ledger.accounts import NewAccount
from models.ledger.store import Connection, Row
from playbooks.problem import did_you_mean

if TYPE_CHECKING:
    from flows.office.access import Access

Params = Mapping[str, str]
METHODS = {"password": "口令", "code": "验证码", "oidc": "单位统一身份", "confirm": "再输口令"}
MOST_DAYS = 366
"""A token that nobody renews in a year is one that nobody watches."""
USUAL_DAYS = 90
_EARLY = {Stage.PASSWORD: ("password",), Stage.ENROL: ("second_factor", "second_factor_confirm")}
"""What one who is not wholly signed in may do with their account."""


# ── one's own ─────────────────────────────────────────────────────────────────────────────────


def own(access: Access, who: Who) -> View:
    house, now = access.desk.house, access.wall()
    with reachable(), house.store.read() as conn:
        row = accounts.get(conn, who.account)
        signed, held = sessions.of(conn, row.id, now), tokens.of(conn, row.id)
        pending = next((one.pending for one in signed if one.id == who.session), None)
    fresh = core.recent(access.rules, who.confirmed_at, now)
    return {
        "account": row.id,
        "name": row.name,
        "person_name": house.names.get(row.person or "", ""),
        "roles_zh": _roles_zh(accounts.roles_of(row)),
        "units_zh": _units_zh(house, row.units),
        "has_password": row.password is not None,
        "oidc": row.issuer or "",
        "second_factor": row.totp is not None,
        "codes_left": len(row.recovery),
        "pending": pending is not None,
        "pending_secret": second_factor.opened(house, row.id, pending) if pending and fresh else "",
        "must_change": row.must_change,
        "stage": who.stage.value,
        "confirmed": fresh,
        "least": access.rules.least,
        "sessions": [_session(one, who.session) for one in signed if _alive(access, one)],
        "tokens": [token_shown(access, one) for one in held],
        "roles": _choices(accounts.roles_of(row)),
    }


def _alive(access: Access, row: Row[Any]) -> bool:
    return core.alive(access.rules, row.seen_at, row.ends_at, access.wall())


def _session(row: Row[Any], here: str) -> View:
    return {
        "id": row.id[:16],
        "here": row.id == here,
        "method_zh": METHODS.get(row.method, row.method),
        "made_at": iso(row.made_at),
        "seen_at": iso(row.seen_at),
        "address": row.address,
        "device": _device(row.agent),
    }


_BROWSERS = ("MicroMessenger", "Edg", "OPR", "Firefox", "Chrome", "Safari", "python")
_SYSTEMS = ("HarmonyOS", "Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")


def _device(agent: str) -> str:
    """Chrome · Windows, out of what a browser says it is; its own words where it says neither."""
    said = [next((name for name in names if name in agent), "") for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in said if name) or agent[:60]


def token_shown(access: Access, row: Row[Any]) -> View:
    state = "已作废" if row.ended_at else "已过期" if row.ends_at <= access.wall() else "有效"
    return {
        "id": row.id,
        "name": row.name,
        "roles_zh": _roles_zh(accounts.known(row.roles)),
        "made_at": iso(row.made_at),
        "ends_at": iso(row.ends_at),
        "used_at": iso(row.used_at) if row.used_at else None,
        "state_zh": state,
        "live": state == "有效",
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """An act on one's own account: who, from where, with which words."""

    access: Access
    who: Who
    place: Place
    params: Params

    def row(self, conn: Connection) -> Row[Any]:
        return accounts.get(conn, self.who.account)


def own_act(access: Access, name: str, params: Params, who: Who, place: Place) -> View:
    act = _OWN.get(name)
    if act is None or who.token:
        raise Unknown(f"账号没有这个操作: {name[:40]}{did_you_mean(name, list(_OWN))}")
    if who.stage is not Stage.FULL and name not in _EARLY.get(who.stage, ()):
        raise Refusal("请先完成登录的其余步骤，再做别的")
    with in_words():
        return act(Asked(access, who, place, params))


def _confirmed(access: Access, who: Who) -> None:
    """Raises Unconfirmed when the password was typed too long ago; a token never typed one."""
    if who.token or not core.recent(access.rules, who.confirmed_at, access.wall()):
        raise Unconfirmed("这一操作要再输一次口令")


def _password(asked: Asked) -> View:
    """One's own password, by the old one; every other session ends, this one goes on under a new secret."""
    access, who = asked.access, asked.who
    new = asked.params.get("new", "")
    with reachable(), access.desk.house.store.read() as conn:
        row = asked.row(conn)
    if row.password is None:
        raise Refusal("这个账号用单位统一身份登录，没有口令")
    wrong = core.weak(access.rules, new, (row.id, row.name))
    if wrong:
        raise Refusal(wrong)
    if new != asked.params.get("again", new):
        raise Refusal("两次输入的新口令不同；请重新输入")
    access.check_again(who, old := asked.params.get("old", ""), asked.place)
    if core.settled(new) == core.settled(old):
        raise Refusal("新口令和原来的相同；请换一个只有您知道的")
    hashed = access.hashed(new)
    with access.desk.writing() as conn:
        accounts.set_password(conn, access.desk.now(), who.account, hashed, who.actor, must_change=False)
        sessions.end(conn, access.wall(), account=who.account, but=who.session)
        entered = _onward(asked, conn)
    return {"said": "口令已改，其他地方的登录都已结束", "entered": entered}


def _onward(asked: Asked, conn: Connection) -> Entered:
    """The session under a new secret, as far as its account is now."""
    row = asked.row(conn)
    stage = core.next_stage(
        asked.access.rules, accounts.roles_of(row), has_code=bool(row.totp), must_change=row.must_change
    )
    return asked.access.moved(conn, asked.who.session, stage)


def _second_factor(asked: Asked) -> View:
    """A new secret, kept with the session until its first code proves that a phone has it."""
    access, who = asked.access, asked.who
    _confirmed(access, who)
    kept = second_factor.sealed(access.desk.house, who.account, credentials.second_factor())
    with access.desk.writing() as conn:
        sessions.enrol(conn, who.session, kept)
    return {"said": "请用手机验证器扫码，再输入它显示的六位数字"}


def _pending(asked: Asked, conn: Connection) -> str:
    row = sessions.find(conn, asked.who.session)
    if row is None or row.pending is None:
        raise Unknown("没有正在设置的两步验证；请先点“设两步验证”")
    return str(row.pending)


def picture(access: Access, who: Who) -> bytes:
    asked = Asked(access, who, Place(""), {})
    _confirmed(access, who)
    with reachable(), access.desk.house.store.read() as conn:
        kept = _pending(asked, conn)
    house = access.desk.house
    return credentials.picture(second_factor.opened(house, who.account, kept), who.account, house.site.name)


def _second_factor_confirm(asked: Asked) -> View:
    access, who = asked.access, asked.who
    _confirmed(access, who)
    codes = credentials.recovery_codes()
    with access.desk.writing() as conn:
        kept = _pending(asked, conn)
        secret = second_factor.opened(access.desk.house, who.account, kept)
        step = credentials.matching_step(secret, asked.params.get("code", ""), access.wall())
        if step is None:
            raise Refusal("验证码不对；请核对手机的时间，再输一次现在显示的六位数字")
        hashes = [credentials.recovery_digest(code) for code in codes]
        accounts.set_second_factor(conn, access.desk.now(), who.account, kept, hashes, who.actor)
        accounts.use_code(conn, who.account, step)
        sessions.enrol(conn, who.session, None)
        sessions.end(conn, access.wall(), account=who.account, but=who.session)
        entered = _onward(asked, conn)
    return {"said": "两步验证已启用；备用码只显示这一次，请抄下收好", "codes": codes, "entered": entered}


def _second_factor_off(asked: Asked) -> View:
    access, who = asked.access, asked.who
    _confirmed(access, who)
    if access.rules.second_factor & who.roles:
        raise Refusal("您的角色必须有两步验证，不能取消；换手机请重新设一次")
    with access.desk.writing() as conn:
        accounts.set_second_factor(conn, access.desk.now(), who.account, None, (), who.actor)
        entered = _onward(asked, conn)
    return {"said": "两步验证已取消", "entered": entered}


def _session_end(asked: Asked) -> View:
    wanted = asked.params.get("session", "")
    with asked.access.desk.writing() as conn:
        now = asked.access.wall()
        found = [one.id for one in sessions.of(conn, asked.who.account, now) if one.id[:16] == wanted]
        if not found:
            raise Unknown("这次登录已经结束了")
        sessions.end(conn, now, hashed=found[0])
    return {"said": "已结束"}


def _sessions_end(asked: Asked) -> View:
    with asked.access.desk.writing() as conn:
        count = sessions.end(conn, asked.access.wall(), account=asked.who.account, but=asked.who.session)
    return {"said": f"已结束其他 {count} 次登录"}


def _token_make(asked: Asked) -> View:
    access, who, params = asked.access, asked.who, asked.params
    _confirmed(access, who)
    days = _days(params.get("days") or str(USUAL_DAYS))
    if not params.get("roles"):  # boxes that nobody ticked: not “all of them”
        raise Refusal("请勾选令牌的角色；只勾程序用得着的")
    return new_token(access, who.account, params.get("name", ""), params.get("roles", ""), days, who.actor)


def new_token(access: Access, account: str, name: str, roles: str, days: int, by: str) -> View:
    """A token with roles of its owner's; `roles` "": all of them. Raises Refusal and Unknown."""
    secret, ends_at = credentials.fresh(credentials.TOKEN), access.wall() + timedelta(days=days)
    with in_words(), access.desk.writing() as conn:
        held = accounts.roles_of(accounts.get(conn, account))
        wanted = core.narrowed(held, roles_of(roles)) if roles else held
        hashed = credentials.digest(secret)
        made = tokens.make(conn, access.desk.now(), account, name, hashed, sorted(wanted), ends_at, by)
    return {"said": "令牌只显示这一次，请立即存好", "secret": secret, "token": made, "ends_at": iso(ends_at)}


def _token_revoke(asked: Asked) -> View:
    with asked.access.desk.writing() as conn:
        at, number = asked.access.desk.now(), asked.params.get("token", "")
        tokens.revoke(conn, at, number, asked.who.actor, asked.who.account)
    return {"said": "令牌已作废"}


_OWN: Mapping[str, Callable[[Asked], View]] = {
    "password": _password,
    "second_factor": _second_factor,
    "second_factor_confirm": _second_factor_confirm,
    "second_factor_off": _second_factor_off,
    "session_end": _session_end,
    "sessions_end": _sessions_end,
    "token_make": _token_make,
    "token_revoke": _token_revoke,
}


def _days(text: str) -> int:
    if not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= MOST_DAYS:
        raise Refusal(f"令牌的天数写 1 到 {MOST_DAYS}")
    return int(text)


# ── everybody's ───────────────────────────────────────────────────────────────────────────────


def overview(access: Access) -> View:
    house, now = access.desk.house, access.wall()
    with reachable(), house.store.read() as conn:
        last = sessions.last_in(conn)
        shown = [_shown(access, conn, row, last.get(row.id)) for row in accounts.listed(conn)]
    return {
        "now": iso(now),
        "accounts": shown,
        "roles": _choices(frozenset(AccountRole)),
        "units": [{"id": unit.id, "name": unit.name} for unit in house.site.roster.units],
        "people": [{"id": person.id, "name": person.name} for person in house.site.roster.people],
    }


def _shown(access: Access, conn: Connection, row: Row[Any], last: datetime | None) -> View:
    house, now = access.desk.house, access.wall()
    locked = row.locked_until is not None and row.locked_until > now
    roles = accounts.roles_of(row)
    return {
        "id": row.id,
        "name": row.name,
        "person": row.person,
        "person_name": house.names.get(row.person or "", ""),
        "roles": [role.value for role in AccountRole if role in roles],
        "roles_zh": _roles_zh(roles),
        "units": list(row.units),
        "units_zh": _units_zh(house, row.units),
        "state_zh": "已停用" if row.disabled_at else "已锁定" if locked else "在用",
        "enabled": row.disabled_at is None,
        "locked": locked,
        "second_factor": row.totp is not None,
        "oidc": row.issuer or "",
        "made_at": iso(row.made_at),
        "sessions": sum(_alive(access, one) for one in sessions.of(conn, row.id, now)),
        "tokens": sum(token_shown(access, one)["live"] for one in tokens.of(conn, row.id)),
        "last_at": iso(last) if last else None,
    }


def manage(access: Access, name: str, account: str, params: Params, who: Who) -> View:
    """As an administrator on the page, who has typed the password lately."""
    _confirmed(access, who)
    return change(access, name, account, params, who.actor)


def change(access: Access, name: str, account: str, params: Params, by: str) -> View:
    """What an administrator, or the one at the machine, does with an account. Raises Refusal and Unknown."""
    act = _MANAGE.get(name)
    if act is None:
        raise Unknown(f"账号没有这个操作: {name[:40]}{did_you_mean(name, list(_MANAGE))}")
    with in_words():
        return act(access, account.strip().lower(), params, by)


def _add(access: Access, account: str, params: Params, by: str) -> View:
    house, person = access.desk.house, params.get("person", "")
    if wrong := core.odd_name(account):
        raise Refusal(wrong)
    _on_the_roster(house, person)
    first, hashed = _first_password(access, account, params)
    roles, units = sorted(roles_of(params.get("roles", ""))), units_of(house, params.get("units", ""))
    name = params.get("name") or house.names.get(person) or account
    new = NewAccount(
        account, name[:80], person or None, roles, units, hashed, must_change=not params.get("own")
    )
    with access.desk.writing() as conn:
        accounts.add(conn, access.desk.now(), new, by, params.get("reason", ""))
    return {"said": f"账号 {account} 已开", "account": account, "secret": first}


def _on_the_roster(house: House, person: str) -> None:
    """Raises Refusal for somebody whom the roster does not know; "" is nobody."""
    if person and house.site.roster.person(person) is None:
        raise Refusal(f"值班表里没有 {person[:40]}{did_you_mean(person, list(house.names))}")


def _first_password(access: Access, account: str, params: Params) -> tuple[str, str | None]:
    """The one that was chosen, else one made up (and shown once); none at all where OIDC alone is wanted."""
    if params.get("without_password"):
        return "", None
    given = params.get("password", "")
    if given and (wrong := core.weak(access.rules, given, (account,))):
        raise Refusal(wrong)
    made = given or credentials.passphrase()
    return "" if given else made, access.hashed(made)


def _roles(access: Access, account: str, params: Params, by: str) -> View:
    """Roles, units and person as far as they are said. Whoever is signed in signs in again, with the new ones."""
    house = access.desk.house
    roles = sorted(roles_of(params["roles"])) if "roles" in params else None
    units = units_of(house, params["units"]) if "units" in params else None
    at, reason = access.desk.now(), params.get("reason", "")
    _on_the_roster(house, params.get("person", ""))
    with access.desk.writing() as conn:
        changed = accounts.change(
            conn, at, account, by, reason, roles=roles, units=units, person=params.get("person") or None
        )
        if changed:
            sessions.end(conn, access.wall(), account=account)
    return {"said": f"账号 {account} 已改，须重新登录" if changed else "没有变化", "account": account}


def _reset_password(access: Access, account: str, params: Params, by: str) -> View:
    first, hashed = _first_password(access, account, params)
    assert hashed is not None
    own = bool(params.get("own"))
    with access.desk.writing() as conn:
        accounts.set_password(conn, access.desk.now(), account, hashed, by, must_change=not own)
        sessions.end(conn, access.wall(), account=account)
    return {"said": f"账号 {account} 的口令已重设", "account": account, "secret": first}


def _disable(access: Access, account: str, params: Params, by: str) -> View:
    with access.desk.writing() as conn:
        accounts.disable(conn, access.desk.now(), account, by, params.get("reason", ""))
        sessions.end(conn, access.wall(), account=account)
    return {"said": f"账号 {account} 已停用，登录和令牌都已失效", "account": account}


def _enable(access: Access, account: str, params: Params, by: str) -> View:
    with access.desk.writing() as conn:
        accounts.enable(conn, access.desk.now(), account, by, params.get("reason", ""))
    return {"said": f"账号 {account} 已启用并解锁", "account": account}


def _reset_second_factor(access: Access, account: str, params: Params, by: str) -> View:
    with access.desk.writing() as conn:
        accounts.set_second_factor(conn, access.desk.now(), account, None, (), by)
        sessions.end(conn, access.wall(), account=account)
    return {"said": f"账号 {account} 的两步验证已取消，请本人尽快重设", "account": account}


def _end_all(access: Access, account: str, params: Params, by: str) -> View:
    with access.desk.writing() as conn:
        accounts.get(conn, account)
        count = sessions.end(conn, access.wall(), account=account)
    return {"said": f"已结束账号 {account} 的 {count} 次登录", "account": account}


def _revoke(access: Access, account: str, params: Params, by: str) -> View:
    with access.desk.writing() as conn:
        tokens.revoke(conn, access.desk.now(), params.get("token", ""), by, account)
    return {"said": "令牌已作废", "account": account}


_MANAGE: Mapping[str, Callable[[Access, str, Params, str], View]] = {
    "add": _add,
    "roles": _roles,
    "password": _reset_password,
    "disable": _disable,
    "enable": _enable,
    "second_factor_off": _reset_second_factor,
    "sessions_end": _end_all,
    "token_revoke": _revoke,
}


def roles_of(said: str) -> frozenset[AccountRole]:
    """Roles by value or by name: officer,admin or 值班员、管理员. Raises Refusal for another."""
    return frozenset(_role(one) for one in _parts(said))


def _role(said: str) -> AccountRole:
    found = next((role for role in AccountRole if said in (role.value, role.zh)), None)
    if found is None:
        values = [role.value for role in AccountRole]
        raise Refusal(f"没有角色 “{said[:40]}”{did_you_mean(said, values)}；可用: {'、'.join(values)}")
    return found


def units_of(house: House, said: str) -> list[str]:
    """Units by id or name. Raises Refusal for one that the roster does not know."""
    known = {name: unit.id for unit in house.site.roster.units for name in (unit.id, unit.name)}
    wrong = next((one for one in _parts(said) if one not in known), None)
    if wrong is not None:
        raise Refusal(f"值班表里没有单位 “{wrong[:40]}”{did_you_mean(wrong, list(known))}")
    return list(dict.fromkeys(known[one] for one in _parts(said)))


def _parts(said: str) -> list[str]:
    return [one.strip() for one in said.replace("，", ",").replace("、", ",").split(",") if one.strip()]


def _roles_zh(roles: frozenset[AccountRole]) -> str:
    return "、".join(role.zh for role in AccountRole if role in roles) or "无"


def _units_zh(house: House, units: Sequence[str]) -> str:
    return "、".join(house.called.get(unit, unit) for unit in units) or "不限"


def _choices(roles: frozenset[AccountRole]) -> list[View]:
    return [{"value": role.value, "zh": role.zh} for role in AccountRole if role in roles]
