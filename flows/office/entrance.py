"""Is the door of the console what it should be? For the board, the doctor and whoever starts it."""

from __future__ import annotations

from flows.wiring import House
from models.core.vocabulary import AccountRole
from models.ledger import accounts
from models.ledger.store import Connection
from playbooks.access_paper import LOOPBACK

ENABLE = "在 site.yaml 写 access: {mode: accounts}，再运行 huiying account add 名字 --role admin"
FIRST = "运行 huiying account add 名字 --role admin"


def unguarded(house: House, host: str = "") -> str | None:
    """What is wrong with a console without accounts; `host`: where it listens, if not as site.yaml says."""
    where = host or house.site.console.host
    if house.site.access.mode == "accounts":
        return None
    if where not in LOOPBACK:
        return f"值班台监听 {where} 又不须登录：谁连得上，谁就能以任何人的名义操作"
    return "正式环境没有启用账号" if house.site.production else None


def standing(conn: Connection, house: House) -> tuple[bool, str, str] | None:
    """Whether it is well, in words, and what to do; None where there is nothing to say: open on this machine."""
    if (wrong := unguarded(house)) is not None:
        return False, wrong, ENABLE
    if house.site.access.mode == "open":
        return None
    rows = [row for row in accounts.listed(conn) if row.disabled_at is None]
    if not any(AccountRole.ADMIN in accounts.roles_of(row) for row in rows):
        return False, "启用了账号，却还没有管理员，谁也管不了账号", FIRST
    people = {person.id for person in house.site.roster.people}
    gone = [row.id for row in rows if row.person and row.person not in people]
    if gone:
        return (
            False,
            f"账号 {'、'.join(gone)} 对应的人不在值班表上了",
            "huiying account disable 账号，或改 roster.yaml",
        )
    return True, f"{len(rows)} 个账号", ""
