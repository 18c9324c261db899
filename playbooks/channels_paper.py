"""channels.yaml: by which ways people are told."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from playbooks.fields import Ident, Items, Strict, refuse
from playbooks.gateway_paper import GatewayFields, MailFields, lacking
from playbooks.urls import Address, Url

NEEDED = {
    "webhook": ("url", "secret"),
    "slack": ("token",),
    "dingtalk": ("robot",),
    "wecom": ("robot",),
    "feishu": ("robot",),
    "wecom_app": ("app_id", "agent_id", "secret"),
    "feishu_app": ("app_id", "secret"),
    "mail": ("host", "sender"),
    "sms": ("profile",),
    "voice": ("profile",),
}
"""Type → the settings that it cannot do without."""


def _room(value: str) -> str:
    if not re.fullmatch(r"[CG][A-Z0-9]{2,30}", value):
        raise refuse(
            f"“{value[:40]}” 不是 Slack 频道的 ID", "在 Slack 里点开频道名，最下面一行，如 C0123456789"
        )
    return value


def _user(value: str) -> str:
    if not re.fullmatch(r"[UW][A-Z0-9]{2,30}", value):
        raise refuse(
            f"“{value[:40]}” 不是 Slack 用户的 ID", "在 Slack 个人资料里复制 member ID，如 U0123456789"
        )
    return value


class ChannelSource(MailFields, GatewayFields):
    """一个通知渠道。"""

    id: Ident
    """标识，值班表的 contacts 用它"""
    type: Literal[
        "terminal", "webhook", "slack", "dingtalk", "wecom", "feishu", "wecom_app", "feishu_app",
        "mail", "sms", "voice",
    ]  # fmt: skip
    """种类"""
    name: str = ""
    """名称"""
    url: Address | None = None
    """webhook 地址；含密钥时写 ${变量名}。短信、语音的 http 网关：可用 {phone} 等"""
    secret: str | None = None
    """签名密钥，写 ${变量名} 或 file:路径"""
    token: str | None = None
    """令牌，写 ${变量名} 或 file:路径"""
    signing_secret: str | None = None
    """Slack 应用的 Signing Secret：按钮、表单、命令经 /hooks/slack/… 进来时核对；写 ${变量名} 或 file:路径"""
    app_token: str | None = None
    """Slack 应用级令牌(xapp-…)：写了就用 Socket Mode，外网不必能访问本机；写 ${变量名} 或 file:路径"""
    incidents: Annotated[str, AfterValidator(_room), Field(examples=["C0123456789"])] | None = None
    """Slack 事件频道的 ID：每起事件在这里有一条消息，随事态更新，经过写在它的讨论串里；不写则没有"""
    users: dict[Annotated[str, AfterValidator(_user)], Ident] | None = None
    """Slack 用户 ID → 值班表人员；联系方式里写了自己 ID 的人不用再写"""
    robot: str | None = None
    """钉钉、企业微信、飞书群机器人的整个 Webhook 地址；里面有密钥，写 ${变量名} 或 file:路径"""
    app_id: Annotated[str, Field(max_length=100)] | None = None
    """飞书应用的 App ID；企业微信写企业 ID；腾讯云短信、语音写 SdkAppId"""
    agent_id: Annotated[int, Field(ge=1)] | None = None
    """企业微信应用的 AgentId"""
    encrypt_key: str | None = None
    """卡片按钮回调的加密密钥：飞书 Encrypt Key，企业微信 EncodingAESKey；写 ${变量名} 或 file:路径"""
    base_url: Url | None = None
    """服务地址；一般不写"""
    proxy: Url | None = None
    """代理"""
    timeout_s: Annotated[float, Field(ge=0.05, le=300)] | None = None
    """超时，秒"""
    connections: Annotated[int, Field(ge=1, le=1000)] | None = None
    """同时连接数"""
    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """每分钟最多发几条消息；不写则按种类：钉钉、企业微信机器人 20，飞书 100，slack、mail 60，其余不限。时限提醒先走"""
    together: Annotated[int, Field(ge=1, le=100)] | None = None
    """同一人同一时刻的提醒最多几条合为一条消息；不写时 webhook 为 1（不合并），其余渠道 20，限速的渠道 100"""
    stream: Literal["stdout", "stderr"] | None = None
    """终端渠道写到哪里"""
    style: Literal["block", "line"] | None = None
    """终端渠道：每条提醒一段(block)或一行(line)"""
    tell_late_s: Annotated[float, Field(ge=0.05, le=86400)] | None = None
    """终端渠道：晚于多少秒才说明迟到"""

    @model_validator(mode="after")
    def _complete(self) -> ChannelSource:
        needed = NEEDED.get(self.type, ())
        missing = [key for key in needed if not getattr(self, key)]
        missing += lacking(self.type, self) if self.type in ("sms", "voice") else []
        if missing:
            raise refuse(f"{self.type} 渠道缺少 {'、'.join(missing)}", f"例如 {missing[0]}: …")
        if self.type in ("wecom_app", "feishu_app") and bool(self.token) != bool(self.encrypt_key):
            lost = "encrypt_key" if self.token else "token"
            raise refuse(f"按钮回调缺少 {lost}", "token 和 encrypt_key 一起写；都不写则卡片上只有链接")
        return self


class ChannelsSource(Strict):
    """通知渠道 channels.yaml。"""

    channels: Items[ChannelSource] = ()
    """渠道列表"""
