"""site.yaml: access, who signs in and how."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.core.access import Rules
from models.core.vocabulary import AccountRole
from playbooks.fields import Duration, Items, Name, Strict, Text, refuse
from playbooks.loader import Document
from playbooks.problem import Problem
from playbooks.urls import Url

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class HashingSource(Strict):
    """口令哈希 argon2id 的开销；调高后，各人下次登录时自动换新。"""

    time_cost: Annotated[int, Field(ge=1, le=20)] = 3
    """遍数"""
    memory_kib: Annotated[int, Field(ge=8, le=4 * 2**20)] = 65_536
    """内存，KiB"""
    parallelism: Annotated[int, Field(ge=1, le=16)] = 4
    """并行"""


class OidcSource(Strict):
    """用单位的统一身份登录（OpenID Connect）。"""

    issuer: Url
    """身份提供方，例如 https://sso.example.gov.cn"""
    client_id: Name
    """在身份提供方登记的客户端"""
    client_secret: str | None = None
    """客户端密钥，写 ${变量名} 或 file:路径；公开客户端不写"""
    scopes: Items[Name] = ("openid", "profile")
    """请求的范围"""
    person_claim: Name = "preferred_username"
    """声明里哪一项是账号名或 roster.yaml 的人员标识；只用用户自己改不了的一项"""
    roles_claim: Name | None = None
    """声明里哪一项是角色；写了，每次登录以它为准"""
    roles: dict[Name, AccountRole] = Field(default_factory=dict)
    """roles_claim 的值 → 角色，例如 {duty-officers: officer}；不写则值就是角色名"""
    default_roles: Items[AccountRole] = ()
    """值班表上的人第一次登录时给的角色；不写则须先开账号"""
    label: Text = "单位统一身份"
    """登录页上按钮的字"""


class AccessSource(Strict):
    """账号与登录。"""

    mode: Literal["open", "accounts"] = "open"
    """open：不登录，谁打得开页面谁就能操作，只宜本机；accounts：须登录，按角色和单位办事"""
    idle: Duration = timedelta(hours=12)
    """多久不用须重新登录（建议值：一班）"""
    lasting: Duration = timedelta(days=7)
    """一次登录最长多久"""
    confirm: Duration = timedelta(minutes=15)
    """改账号、开令牌前，口令是多久以内输过的"""
    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    """连续输错几次后开始锁定"""
    wait: Duration = timedelta(seconds=30)
    """第一次锁多久；再错每次加倍"""
    most_wait: Duration = timedelta(minutes=15)
    """最多锁多久：值班员不能一整夜进不来"""
    password_least: Annotated[int, Field(ge=12, le=64)] = 12
    """口令最少几个字"""
    totp: Items[AccountRole] = ()
    """哪些角色必须有两步验证，例如 [admin, manager]"""
    totp_key: str | None = None
    """封存两步验证密钥的钥匙，写 ${变量名} 或 file:路径；用 huiying secret 生成。不写则原样存在数据库里"""
    acts_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 240
    """一次登录（或一个令牌）每分钟最多几次操作"""
    tries_per_address: Annotated[int, Field(ge=5, le=100_000)] = 60
    """一个地址十分钟内最多试几次登录"""
    hashing: HashingSource = HashingSource()
    """口令哈希的开销"""
    oidc: OidcSource | None = None
    """单位统一身份"""

    @model_validator(mode="after")
    def _lasts_longer_than_it_idles(self) -> AccessSource:
        if self.idle > self.lasting:
            raise refuse("idle 比 lasting 还长", "lasting 应不短于 idle")
        return self

    @property
    def rules(self) -> Rules:
        return Rules(
            idle=self.idle,
            lasting=self.lasting,
            confirm=self.confirm,
            attempts=self.attempts,
            wait=self.wait,
            most_wait=self.most_wait,
            least=self.password_least,
            second_factor=frozenset(self.totp),
        )


def open_to_others(
    document: Document, access: AccessSource, host: str, production: bool
) -> Iterator[Problem]:
    """What is dangerous about a console without accounts."""
    hint = "写 access: {mode: accounts}，再用 huiying account add 开第一个管理员账号"
    if access.mode == "accounts":
        if access.totp_key is None and access.totp:
            words = "两步验证的密钥将原样存在数据库里"
            yield document.problem(("access",), words, 'totp_key: "${HUIYING_TOTP_KEY}"', warning=True)
        return
    if host not in LOOPBACK:
        words = f"值班台监听 {host} 又不须登录：谁连得上，谁就能以任何人的名义操作"
        yield document.problem(("console", "host"), words, hint, warning=True)
    elif production:
        yield document.problem(("production",), "正式环境没有启用账号", hint, warning=True)
