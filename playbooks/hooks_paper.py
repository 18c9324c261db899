"""Webhooks out 外送: which systems are told of incidents and clocks, and of what."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from playbooks.fields import Ident, Items, Name, Strict, refuse
from playbooks.urls import Url

EVERYTHING: Final = ("incident", "clock")
"""The two words for all entries that change an incident's face, or a clock."""


class OutHookSource(Strict):
    """一个接收方：事件与时钟的变化按 Standard Webhooks 签名，逐条 POST 给它。"""

    id: Ident
    """标识；换一个标识就从那时起重新算"""
    url: Url
    """对方的地址"""
    secret: Annotated[str, Field(min_length=1)]
    """签名密钥，写 ${变量名} 或 file:路径；用 huiying secret 生成，再交给对方"""
    events: Items[Name] = ()
    """只送哪些：incident(事件的变化)、clock(时钟的变化)，或事件种类如 incident_opened；不写即全送"""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """等对方答复多少秒"""


def each_once(hooks: tuple[OutHookSource, ...]) -> None:
    """Two receivers under one id would share one mark. Raises the paper's refusal."""
    ids = [hook.id for hook in hooks]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        raise refuse(f"hooks 里有两个 {twice}", "每个接收方用各自的 id")
