"""The labels a machine gives a signal that a person may correct, and the values each may have.

What is corrected counts from then on, and what the machine had said stays beside it (law 14).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from models.core.vocabulary import OpinionKind

TOPICS: Final = ("城乡建设", "环境保护", "交通运输", "教育文体", "劳动和社会保障", "商贸旅游", "卫生计生")
"""The seven classes of messages that the topic's head was taught."""
RUMOUR: Final = {"yes": 1.0, "no": 0.0}
"""What a person's word is in the column that holds the machine's chance."""
RUMOUR_AT: Final = 0.5


class Label(StrEnum):
    """可更正的标签."""

    SENTIMENT = "sentiment"
    TOPIC = "topic"
    KIND = "kind"
    RUMOUR = "rumour"

    @property
    def zh(self) -> str:
        return {"sentiment": "情感", "topic": "主题", "kind": "类别", "rumour": "传言"}[self.value]


VALUES: Final[Mapping[Label, Mapping[str, str]]] = {
    Label.SENTIMENT: {"neg": "负面", "neu": "中性", "pos": "正面"},
    Label.RUMOUR: {"yes": "疑似传言", "no": "不是传言"},
    Label.TOPIC: {topic: topic for topic in TOPICS},
    Label.KIND: {kind.value: kind.zh for kind in OpinionKind},
}
"""Label → value → the word people see."""


def shown(label: Label, value: str | None) -> str:
    """A value in words; what is none of ours as it is."""
    return VALUES[label].get(value or "", value or "未定")


def kept(label: Label, value: str) -> str | float:
    """A value as the judgement's column keeps it."""
    return RUMOUR[value] if label is Label.RUMOUR else value


def read(label: Label, column: str | float | None) -> str | None:
    """A column's value as one of the label's values; None where the machine gave none."""
    if label is Label.RUMOUR:
        return "yes" if column is not None and float(column) >= RUMOUR_AT else "no"
    return None if column is None else str(column)


def why_not(label: Label, value: str) -> str | None:
    """What is wrong with a value, in words; None when it may be given."""
    if value in VALUES[label]:
        return None
    known = "、".join(f"{key}({zh})" if key != zh else zh for key, zh in VALUES[label].items())
    return f"{label.zh}没有 “{value[:20]}” 这个值；可用: {known}"
