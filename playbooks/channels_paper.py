"""channels.yaml: by which ways people are told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from playbooks.fields import Ident, Items, Strict, refuse
from playbooks.urls import Address, Url


class ChannelSource(Strict):
    """一个通知渠道。"""

    id: Ident
    """标识，值班表的 contacts 用它"""
    type: Literal["terminal", "webhook", "slack"]
    """种类"""
    name: str = ""
    """名称"""
    url: Address | None = None
    """webhook 地址；含密钥时写 ${变量名}"""
    secret: str | None = None
    """签名密钥，写 ${变量名} 或 file:路径"""
    token: str | None = None
    """令牌，写 ${变量名} 或 file:路径"""
    base_url: Url | None = None
    """服务地址；一般不写"""
    proxy: Url | None = None
    """代理"""
    timeout_s: Annotated[float, Field(ge=0.05, le=300)] | None = None
    """超时，秒"""
    connections: Annotated[int, Field(ge=1, le=1000)] | None = None
    """同时连接数"""
    per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """每分钟最多发几条消息；不写则按种类：slack 60，其余不限。到了限速，时限提醒先走"""
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
        needed = {"webhook": ("url", "secret"), "slack": ("token",)}.get(self.type, ())
        missing = [key for key in needed if not getattr(self, key)]
        if missing:
            raise refuse(f"{self.type} 渠道缺少 {'、'.join(missing)}", f"例如 {missing[0]}: …")
        return self


class ChannelsSource(Strict):
    """通知渠道 channels.yaml。"""

    channels: Items[ChannelSource] = ()
    """渠道列表"""
