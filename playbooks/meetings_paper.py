"""site.yaml: meetings and dossiers, what a site may say of its press conferences and its hand-overs."""

from __future__ import annotations

from typing import Literal

from models.core.casework import MeetingKind
from models.core.meetings import COUNTED, REMIND
from playbooks.fields import Duration, Items, Name, Strict


class MeetingsSource(Strict):
    """新闻发布会。"""

    counts: Items[MeetingKind] = COUNTED
    """哪些算新闻发布会、能停它的时钟：press_conference briefing media_meeting interview；默认只有新闻发布会"""
    principals: Items[Name] = ()
    """第一新闻发言人：值班表中的人员标识或姓名；不写取值班阶梯上的主要领导"""
    remind: Items[Duration] = REMIND
    """开始前多久提醒，例如 [PT24H, PT2H, PT30M]（建议值）"""


class DossiersSource(Strict):
    """证据包。"""

    authors: Literal["masked", "full"] = "masked"
    """发布者和文字中的个人信息：masked 遮盖；full 原样放入，只在移交公安等依法需要时用，每次制作都留痕"""
