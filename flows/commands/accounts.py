"""huiying account add, list, role, disable, enable, password, second-factor-off, sessions, token: who signs in.

Whoever runs a command at the machine needs no account: the first administrator is made here. A password is asked
for or read from standard input, never taken from the command line, where others see it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.console.desk import Refusal
from flows.commands.common import JsonOption, SiteOption, house, known_person, out, say
from flows.office import accounts as rooms
from flows.office.access import Access
from flows.office.desk import Desk
from flows.wiring import UNNAMED, House
from models.core.moment import clock_face, parse_iso
from models.ledger import sessions, tokens

account = typer.Typer(
    name="account",
    help="账号: add, list, role, units, disable, enable, password, totp-reset, sessions, token。",
    no_args_is_help=True,
)
Account = Annotated[str, typer.Argument(help="账号名，登录时写的那个")]
By = Annotated[str, typer.Option(help="谁，roster.yaml 中的人员标识")]
Reason = Annotated[str, typer.Option(help="理由，记入日志")]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="officer manager author reviewer auditor admin，可写多次")
]
Units = Annotated[list[str] | None, typer.Option("--unit", help="只管这些单位的事件；不写即不限，可写多次")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="从标准输入读口令；不写则在终端上问")]
Made = Annotated[bool, typer.Option("--generate", help="由系统生成第一个口令并显示一次，本人登录后须换")]
View = dict[str, Any]


def _access(opened: House, by: str) -> Access:
    if by != UNNAMED:
        known_person(opened, by)
    return Desk(opened).access


def _change(site: Path | None, name: str, account: str, by: str, json: bool, params: dict[str, str]) -> None:
    with house(site) as opened:
        done = rooms.change(_access(opened, by), name, account, params, by)
    _told(done, json)


def _told(done: View, json: bool) -> None:
    """What was done; a secret goes to standard output, so that it can be handed on and is in no log."""
    if json:
        out(done)
        return
    say(done["said"])
    if done.get("secret"):
        typer.echo(done["secret"])


def _password(stdin: bool, generate: bool) -> dict[str, str]:
    """What was chosen, for `rooms`; empty: one is made up. Raises Refusal."""
    if generate:
        return {}
    if stdin or not sys.stdin.isatty():
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = typer.prompt("口令", hide_input=True, confirmation_prompt="再输一次", err=True)
    if not typed:
        raise Refusal("没有口令；在终端上运行，或写 --password-stdin 从标准输入给出，或写 --generate")
    return {"password": typed, "own": "yes"}


@account.command()
def add(
    account: Account,
    role: Roles = None,
    person: Annotated[str, typer.Option(help="roster.yaml 中的人员标识；不写则不能办事，只能看")] = "",
    unit: Units = None,
    name: Annotated[str, typer.Option(help="姓名，不在值班表上时写")] = "",
    no_password: Annotated[bool, typer.Option("--no-password", help="只用单位统一身份登录")] = False,
    password_stdin: Stdin = False,
    generate: Made = False,
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """开设账号。第一个管理员也这样开: huiying account add admin --role admin。"""
    with house(site) as opened:
        access = _access(opened, by)
        chosen = {"without_password": "yes"} if no_password else _password(password_stdin, generate)
        said = {"roles": ",".join(role or ()), "units": ",".join(unit or ()), "person": person, "name": name}
        done = rooms.change(access, "add", account, {**said, **chosen, "reason": reason}, by)
    _told(done, json)


@account.command("list")
def list_(site: SiteOption = None, json: JsonOption = False) -> None:
    """全部账号: 角色、单位、状态、最近登录。"""
    with house(site) as opened:
        view = rooms.overview(Desk(opened).access)
    if json:
        out({"accounts": view["accounts"]})
        return
    for one in view["accounts"]:
        last = clock_face(parse_iso(one["last_at"])) if one["last_at"] else "从未登录"
        second = "，两步验证" if one["second_factor"] else ""
        typer.echo(
            f"{one['id']}  {one['person_name'] or one['name']}  {one['roles_zh']}  单位{one['units_zh']}  "
            f"{one['state_zh']}{second}  {last}"
        )


@account.command()
def role(
    account: Account,
    role: Roles = None,
    person: Annotated[str, typer.Option(help="改为值班表上的这个人")] = "",
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """改角色(写全，不是增减)或对应的人；已登录的须重新登录。"""
    said = ({"roles": ",".join(role)} if role else {}) | ({"person": person} if person else {})
    _change(site, "roles", account, by, json, {**said, "reason": reason})


@account.command()
def units(
    account: Account,
    unit: Units = None,
    by: By = UNNAMED,
    reason: Reason = "",
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """改单位范围；不写 --unit 即不限。"""
    _change(site, "roles", account, by, json, {"units": ",".join(unit or ()), "reason": reason})


@account.command()
def disable(
    account: Account, by: By = UNNAMED, reason: Reason = "", site: SiteOption = None, json: JsonOption = False
) -> None:
    """停用: 登录和令牌立即失效；做过的事仍在其名下。"""
    _change(site, "disable", account, by, json, {"reason": reason})


@account.command()
def enable(
    account: Account, by: By = UNNAMED, reason: Reason = "", site: SiteOption = None, json: JsonOption = False
) -> None:
    """启用，并解除锁定。"""
    _change(site, "enable", account, by, json, {"reason": reason})


@account.command()
def password(
    account: Account,
    password_stdin: Stdin = False,
    generate: Made = False,
    by: By = UNNAMED,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """重设口令；已登录的须重新登录。"""
    with house(site) as opened:
        access = _access(opened, by)
        done = rooms.change(access, "password", account, _password(password_stdin, generate), by)
    _told(done, json)


@account.command("totp-reset")
def totp_reset(account: Account, by: By = UNNAMED, site: SiteOption = None, json: JsonOption = False) -> None:
    """取消两步验证，例如手机和备用码都丢了；先核实是不是本人。"""
    _change(site, "second_factor_off", account, by, json, {})


@account.command("sessions")
def sessions_(
    account: Annotated[str, typer.Argument(help="账号名；不写则是全部账号的登录记录")] = "",
    end: Annotated[bool, typer.Option("--end", help="结束这个账号的全部登录")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多几条")] = 50,
    by: By = UNNAMED,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """最近的登录和被拒的尝试；--end 结束一个账号的全部登录。"""
    if end:
        _change(site, "sessions_end", account, by, json, {})
        return
    with house(site) as opened, opened.store.read() as conn:
        rows = sessions.attempts(conn, limit, account or None)
    if json:
        out({"sign_ins": [dict(row._mapping) | {"at": row.at.isoformat()} for row in rows]})
        return
    for row in rows:
        came = "登录" if row.ok else f"被拒({WHY.get(row.why, row.why)})"
        way = rooms.METHODS.get(row.method, row.method)
        typer.echo(f"{clock_face(row.at)}  {row.account or '—'}  {way}  {came}  {row.address}")


WHY = {
    "unknown": "没有这个账号",
    "disabled": "已停用",
    "locked": "锁定中",
    "password": "口令不对",
    "code": "验证码不对",
    "roles": "单位统一身份没有给角色",
}
"""Why somebody was not let in, as the records have it."""


@account.command()
def token(
    account: Account,
    name: Annotated[str, typer.Option(help="用途，例如 热线系统；开新令牌时写")] = "",
    role: Roles = None,
    days: Annotated[int, typer.Option(min=1, max=rooms.MOST_DAYS, help="几天后到期")] = rooms.USUAL_DAYS,
    revoke: Annotated[str, typer.Option(help="作废这个编号的令牌")] = "",
    by: By = UNNAMED,
    site: SiteOption = None,
    json: JsonOption = False,
) -> None:
    """接口令牌: 不写选项即列出；--name 开一个(只显示一次)；--revoke 作废。"""
    if revoke:
        _change(site, "token_revoke", account, by, json, {"token": revoke})
        return
    with house(site) as opened:
        access = _access(opened, by)
        if name:
            _told(rooms.new_token(access, account, name, ",".join(role or ()), days, by), json)
            return
        with opened.store.read() as conn:
            shown = [rooms.token_shown(access, row) for row in tokens.of(conn, account)]
    if json:
        out({"tokens": shown})
        return
    for one in shown:
        typer.echo(
            f"{one['id']}  {one['name']}  {one['roles_zh']}  {one['state_zh']}  "
            f"到 {clock_face(parse_iso(one['ends_at']))}"
        )
