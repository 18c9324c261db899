"""channels.yaml, the part of mail, text messages and telephone calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from models.core import placeholders
from playbooks.fields import Items, Strict, refuse

Line = Annotated[str, Field(max_length=500)]
PROFILES = {
    "aliyun": ("key_id", "secret", "template"),
    "tencent": ("key_id", "secret", "app_id", "template"),
    "http": ("url", "success"),
}
"""Profile → the settings that it cannot do without."""


class AnswerSource(Strict):
    """网关的答复怎样算数。"""

    path: Annotated[str, Field(max_length=200, examples=["code", "result.0.status"])] | None = None
    """答复(JSON)里的位置，用点隔开，列表用序号"""
    equals: Items[str | int | bool] = ()
    """等于其中之一即是"""
    starts: Items[Annotated[str, Field(min_length=1, max_length=200)]] = ()
    """答复不是 JSON 时，以其中之一开头即是"""


class MailFields(Strict):
    """邮件(type: mail)。"""

    host: Annotated[str, Field(max_length=253, examples=["smtp.example.gov.cn"])] | None = None
    """邮件：SMTP 服务器"""
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """邮件：端口；不写则按 tls：starttls 587，tls 465，none 25"""
    tls: Literal["starttls", "tls", "none"] | None = None
    """邮件：加密；不写为 starttls。none 只用于本机转发，不能带密码"""
    sender: Annotated[str, Field(max_length=254, examples=["huiying@example.gov.cn"])] | None = None
    """邮件：发件地址"""
    username: Annotated[str, Field(max_length=254)] | None = None
    """邮件：登录名；不写则不登录"""
    password: str | None = None
    """邮件：密码或授权码，写 ${变量名} 或 file:路径"""
    ca: str | None = None
    """邮件：单位自建证书机构的证书，写 file:路径；不写用系统的"""

    @model_validator(mode="after")
    def _signed_in_safely(self) -> MailFields:
        if self.username and not self.password:
            raise refuse("有登录名(username)没有密码(password)", 'password: "${HUIYING_MAIL_PASSWORD}"')
        if self.username and self.tls == "none":
            raise refuse("密码不能明文传送", "写 tls: starttls 或 tls: tls")
        return self


class GatewayFields(Strict):
    """短信(type: sms)与语音电话(type: voice)。"""

    profile: Literal["aliyun", "tencent", "http"] | None = None
    """短信、语音：哪一家。aliyun 阿里云，tencent 腾讯云，http 其他网关"""
    key_id: str | None = None
    """短信、语音：阿里云 AccessKey ID、腾讯云 SecretId；密钥写在 secret"""
    template: Annotated[str, Field(max_length=100, examples=["SMS_123456789"])] | None = None
    """短信、语音：审核通过的模板编号"""
    sign_name: Annotated[str, Field(max_length=100)] | None = None
    """短信：审核通过的签名"""
    show_number: Annotated[str, Field(max_length=30)] | None = None
    """语音：阿里云的被叫显号"""
    region: Annotated[str, Field(max_length=40)] | None = None
    """腾讯云地域；不写为 ap-guangzhou"""
    params: dict[Annotated[str, Field(max_length=60)], Line] | None = None
    """短信、语音：模板变量，例如 {title: "{title}", due: "{due}"}；腾讯云按书写顺序"""
    param_chars: Annotated[int, Field(ge=2, le=500)] | None = None
    """一个模板变量最多几个字；不写时阿里云 35，腾讯云 12。超出的截断并以 … 结尾"""
    method: Literal["GET", "POST"] | None = None
    """http 网关：方法；不写为 POST"""
    headers: dict[Annotated[str, Field(max_length=100)], Line] | None = None
    """http 网关：请求头；含密钥的值写 ${变量名}"""
    body: dict[str, Any] | None = None
    """http 网关：请求内容；{phone} {text} {ref} {title} {name} {grade} {due} {left} {why} {link} {alert_id}"""
    form: bool | None = None
    """http 网关：以表单而不是 JSON 发送"""
    sign: Literal["none", "bearer", "hmac"] | None = None
    """http 网关：签名。bearer 把 secret 放进 Authorization；hmac 见 docs/邮件短信.md"""
    success: AnswerSource | None = None
    """http 网关：怎样算收下。必写：不写就分不清成败"""
    passing: AnswerSource | None = None
    """http 网关：怎样算“稍后再试”，例如限流"""

    @model_validator(mode="after")
    def _only_known_words(self) -> GatewayFields:
        for template in (*(self.params or {}).values(), *_leaves(self.body)):
            for name in placeholders.strange(template):
                known = " ".join(f"{{{one}}}" for one in placeholders.WORDS)
                raise refuse(f"模板里没有 “{{{name}}}” 这个词", f"可用: {known}")
        for template in (self.params or {}).values():
            if placeholders.asked(template) & placeholders.LINKS:
                raise refuse("模板变量里不能有网址，运营商会拒发", "把网址写进送审的模板正文")
        return self


def lacking(kind: str, given: GatewayFields) -> list[str]:
    """What a text-message or voice channel still needs, by its profile."""
    if given.profile is None:
        return []
    wanted = PROFILES[given.profile]
    named = () if given.profile == "http" or kind == "voice" else ("sign_name",)
    return [key for key in (*wanted, *named) if not getattr(given, key, None)]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str):
        yield value
