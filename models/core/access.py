"""Accounts: who may do what, how long a sign-in lasts, what a password must be. Pure.

Everything is forbidden that `PERMITS` does not give to a role. Functions that judge answer in words: None when
nothing is wrong, else what is wrong and what to do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from models.core.vocabulary import AccountRole

_R = AccountRole
EVERYBODY: Final = frozenset(AccountRole)
NOBODY: Final[frozenset[AccountRole]] = frozenset()
DUTY: Final = frozenset({_R.OFFICER, _R.MANAGER})
LEADS: Final = frozenset({_R.MANAGER})
SIGNS: Final = frozenset({_R.REVIEWER, _R.MANAGER})
WRITES: Final = frozenset({_R.AUTHOR})


class Stage(StrEnum):
    """How far a sign-in has come."""

    CODE = "code"  # the password was right, the code of the second factor is wanted
    PASSWORD = "password"  # signed in with a password that somebody else chose: it must be changed
    ENROL = "enrol"  # signed in, but a second factor must be set up first
    FULL = "full"


PERMITS: Final[Mapping[str, frozenset[AccountRole]]] = {
    "see": EVERYBODY,
    "own": EVERYBODY,  # one's own account, sessions and tokens
    "see.reports": frozenset({_R.OFFICER, _R.MANAGER, _R.AUDITOR}),
    "see.letters": frozenset({_R.OFFICER, _R.MANAGER, _R.AUDITOR, _R.ADMIN}),
    "see.dossier": frozenset({_R.OFFICER, _R.MANAGER, _R.AUDITOR}),
    "see.audit": frozenset({_R.MANAGER, _R.AUDITOR, _R.ADMIN}),
    "act.open": DUTY,
    "act.ack": DUTY,
    "act.take": DUTY,
    "act.escalate": DUTY,
    "act.snooze": DUTY,
    "act.grade": DUTY,
    "act.stop": DUTY,
    "act.adopt": DUTY,
    "act.dismiss": DUTY,
    "act.update": DUTY,
    "act.assign": DUTY,
    "act.correct": DUTY,
    "act.relabel": DUTY,
    "act.merge": DUTY,
    "act.split": DUTY,
    # what ends a duty or takes it back is a leader's
    "act.waive": LEADS,
    "act.retract": LEADS,
    "act.close": LEADS,
    "act.reopen": LEADS,
    "act.move": LEADS,
    "hand": DUTY,
    "log": DUTY,
    "log.sign": LEADS,
    "work": DUTY,
    "task": DUTY,
    "refer": DUTY,  # to another installation, and what came from one
    "meeting": DUTY,
    "dossier": DUTY,
    "aftermath": DUTY,
    "register": DUTY,
    "register.decide": LEADS,
    "letter": frozenset({_R.OFFICER, _R.MANAGER, _R.ADMIN}),
    "statement": DUTY,
    "statement.sign": SIGNS,
    "playbook.try": EVERYBODY,  # saves nothing
    "playbook.write": WRITES,
    "playbook.settle": SIGNS,
    "playbook.rollback": LEADS,
    "preferences": EVERYBODY,
    "audit.export": frozenset({_R.MANAGER, _R.AUDITOR, _R.ADMIN}),
    "accounts": frozenset({_R.ADMIN}),
    "open mode only": NOBODY,
}
"""What is asked → the roles that may. An auditor reads everything and changes nothing."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks. `person`: their id in the roster, "" for one who is not on it; `units`: empty = not limited;
    `token`: a program with a token asks; `confirmed_at`: when the password was last typed."""

    account: str
    person: str
    name: str
    roles: frozenset[AccountRole]
    units: frozenset[str] = frozenset()
    stage: Stage = Stage.FULL
    session: str = ""
    token: bool = False
    confirmed_at: datetime | None = None

    @property
    def actor(self) -> str:
        """Whose name stands in the journal."""
        return self.person or f"@{self.account}"

    @property
    def limited(self) -> bool:
        """Sees only the incidents of its units; an auditor reads all."""
        return bool(self.units) and AccountRole.AUDITOR not in self.roles

    def bound(self, permit: str) -> bool:
        """Whether its units bind it there: an auditor's eyes reach further than the hands of its other roles."""
        return self.limited or (bool(self.units) and AccountRole.AUDITOR not in PERMITS.get(permit, NOBODY))


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody signs in from. `agent`: what the browser says it is."""

    address: str
    agent: str = ""

    @property
    def short(self) -> dict[str, str]:
        return {"address": self.address[:64], "agent": self.agent[:200]}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site asks of its accounts.

    `idle`: without a request so long a session ends; `lasting`: so long it may be, and `for_code` while the second
    factor is awaited; `confirm`: so long after the password sensitive acts ask for it again; `wait`: after
    `attempts` wrong passwords, doubled by each further one up to `most_wait`; `least`: characters of a password;
    `second_factor`: the roles that must have one.
    """

    idle: timedelta = timedelta(hours=12)
    lasting: timedelta = timedelta(days=7)
    for_code: timedelta = timedelta(minutes=5)
    confirm: timedelta = timedelta(minutes=15)
    attempts: int = 5
    wait: timedelta = timedelta(seconds=30)
    most_wait: timedelta = timedelta(minutes=15)
    least: int = 12
    second_factor: frozenset[AccountRole] = field(default_factory=frozenset)


# ── may they? ─────────────────────────────────────────────────────────────────────────────────


def may(roles: Collection[AccountRole], permit: str) -> str | None:
    """None when one of the roles may; a permit that nobody has named is forbidden to everybody."""
    allowed = PERMITS.get(permit, NOBODY)
    if allowed & frozenset(roles):
        return None
    held = "、".join(role.zh for role in AccountRole if role in roles) or "无"
    if not allowed:
        return f"这一操作没有开放给任何角色（您的角色：{held}）；请联系管理员"
    wanted = "、".join(role.zh for role in AccountRole if role in allowed)
    return f"您的账号（{held}）不能做这件事，须有角色：{wanted}；请由他们操作，或请管理员加上角色"


def within(who: Who, units: Collection[str], permit: str = "see") -> bool:
    """Whether an incident of these units is theirs for this; one that nobody owns yet is everybody's."""
    return not who.bound(permit) or not units or bool(who.units & frozenset(units))


def narrowed(owner: Collection[AccountRole], wanted: Collection[AccountRole]) -> frozenset[AccountRole]:
    """What a token may: never more than whoever made it may now."""
    return frozenset(wanted) & frozenset(owner)


# ── how long does it last? ────────────────────────────────────────────────────────────────────


def alive(rules: Rules, seen_at: datetime, ends_at: datetime, now: datetime) -> bool:
    return now < ends_at and now - seen_at < rules.idle


def recent(rules: Rules, confirmed_at: datetime | None, now: datetime) -> bool:
    """Whether the password was typed lately enough for what is sensitive."""
    return confirmed_at is not None and now - confirmed_at < rules.confirm


def wait_after(rules: Rules, failures: int) -> timedelta:
    """How long an account rests after so many wrong passwords in a row."""
    beyond = failures - rules.attempts
    if beyond < 0:
        return timedelta(0)
    return min(rules.wait * (1 << min(beyond, 20)), rules.most_wait)


def next_stage(rules: Rules, roles: Collection[AccountRole], *, has_code: bool, must_change: bool) -> Stage:
    """Where one whose password (and code) was right stands."""
    if must_change:
        return Stage.PASSWORD
    if not has_code and rules.second_factor & frozenset(roles):
        return Stage.ENROL
    return Stage.FULL


# ── words that people choose ──────────────────────────────────────────────────────────────────

LONGEST: Final = 256
"""Characters: what is longer is refused before it is hashed."""
NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-")
COMMON: Final = frozenset(
    {
        "1234567890ab", "123456789012", "1234567890123", "12345678901234", "123456789abc", "a1234567890",
        "aa1234567890", "abc123456789", "abcd12345678", "abcdefghijkl", "admin1234567", "admin12345678",
        "admin123456789", "adminadmin123", "administrator", "administrator1", "baidubaidu123", "changeme1234",
        "changemechangeme", "guest1234567", "helloworld123", "huiying12345", "huiyinghuiying", "iloveyou1234",
        "iloveyouiloveyou", "letmein12345", "nihaonihao123", "p@ssw0rd1234", "p@ssword1234", "passw0rd1234",
        "password1234", "password12345", "password123456", "passwordpassword", "q1w2e3r4t5y6", "qazwsxedcrfv",
        "qwer12345678", "qwerty123456", "qwertyuiop12", "qwertyuiop123", "qwertyuiopas", "qwertyuiop[]",
        "root12345678", "test12345678", "testtest1234", "welcome12345", "welcome123456", "woaini123456",
        "woaini1314520", "woaiwojia123", "xiaoxiao1234", "zaq12wsxcde3", "zhangwei1234", "zhongguo1234",
        "zxcvbnm12345", "1qaz2wsx3edc", "1q2w3e4r5t6y", "1qazxsw23edc", "5201314woaini", "qazwsx123456",
        "asdfghjkl123", "asdfasdfasdf", "a123456789012", "zhengfu12345", "yuqing123456", "zhiban123456",
    }
)  # fmt: skip
"""The commonest that are long enough; shorter ones are refused for their length."""


def settled(password: str) -> str:
    """One writing for the same keys: full-width letters of a Chinese keyboard are the plain ones."""
    return unicodedata.normalize("NFKC", password)


def weak(rules: Rules, password: str, names: Iterable[str]) -> str | None:
    """Why a password is refused; `names`: the account's own, which it must not contain."""
    plain = settled(password)
    low = plain.lower()
    if len(plain) < rules.least:
        return f"口令至少 {rules.least} 个字；可以用一句只有您记得的话"
    if len(plain) > LONGEST:
        return f"口令最多 {LONGEST} 个字；请缩短"
    if any(len(name) > 2 and name.lower() in low for name in names):
        return "口令里有您的名字；请换一个"
    if low in COMMON or len(set(low)) < 5 or low in "0123456789" * 3:
        return "这个口令太常见，会被最先猜到；请换一个"
    return None


def odd_name(name: str) -> str | None:
    """Why a name cannot be an account's."""
    if 2 <= len(name) <= 40 and NAME.issuperset(name) and name[0].isalnum():
        return None
    return "账号名用 2 到 40 个小写字母、数字、点、横线或下划线，以字母或数字开头，例如 chen"
