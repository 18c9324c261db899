"""Levels 上下级: which installations stand above, below and beside this one, and what it tells them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from models.core.levels import Relation
from playbooks.fields import Delay, Ident, Name, Strict, refuse
from playbooks.urls import Url

KEY_BYTES = 32


def _public(value: Any) -> Any:
    """The 32 bytes of an Ed25519 public key, as base64."""
    try:
        whole = len(base64.b64decode(str(value), validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        whole = False
    if not whole:
        raise refuse(
            f"“{str(value)[:60]}” 不是公钥", "请对方运行 huiying neighbour key，把打印的 public_key 原样抄来"
        )
    return str(value)


PublicKey = Annotated[str, BeforeValidator(_public)]
"""An Ed25519 public key: 44 characters of base64."""


class NeighbourSource(Strict):
    """一个上级、下级或平级单位的系统。"""

    id: Ident
    """对方系统的标识，与对方 site.yaml 的 levels.id 相同"""
    name: Name
    """对方单位名称"""
    relation: Relation
    """关系：upper 上级，lower 下级，peer 平级"""
    url: Url
    """对方值班台的地址，例如 https://huiying.example.gov.cn"""
    public_key: PublicKey
    """对方的公钥；由对方用 huiying neighbour key 打印"""


class LevelsSource(Strict):
    """本系统在上下级之间。"""

    id: Ident | None = None
    """本系统的标识，邻居以此称呼；写了 neighbours 就必须写"""
    private_key: str | None = None
    """本系统的私钥，写 ${变量名} 或 file:路径；用 huiying neighbour key 生成"""
    titles: Literal["full", "masked", "none"] = "masked"
    """报给上级的态势里，事件标题怎样写：full 原样，masked 遮盖个人信息，none 不写，只写编号"""
    signals: Annotated[int, Field(ge=0, le=200)] = 30
    """移送时附上最近多少条线索，其余只说总数"""
    personal_data: Literal["mask", "withhold"] = "mask"
    """移送时的个人信息：mask 遮盖后附上，withhold 不附线索原文，只附标题和网址"""
    silent_after: Delay = timedelta(minutes=5)
    """下级多久没有消息就报警（每分钟报一次）"""
    answer_within: Delay = timedelta(minutes=30)
    """移交后多久没有接收就提醒值班的人"""


def consistent(levels: LevelsSource, neighbours: Sequence[NeighbourSource]) -> None:
    """Raises the paper's refusal when neighbours cannot be told apart, or we have no name or key for them."""
    ids = [one.id for one in neighbours]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice:
        raise refuse(f"neighbours 里有两个 {twice}", "每个单位用各自的 id")
    if levels.id in ids:
        raise refuse(f"neighbours 里的 {levels.id} 与本系统的标识相同", "改 levels.id 或这个邻居的 id")
    if neighbours and not (levels.id and levels.private_key):
        raise refuse(
            "写了 neighbours，还缺 levels 的 id 或 private_key",
            'levels: {id: linjiang, private_key: "${HUIYING_LEVELS_KEY}"}；密钥用 huiying neighbour key 生成',
        )
