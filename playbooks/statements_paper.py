"""site.yaml: statements, what a site may say of its drafts, their review and their release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from models.core.outlets import WEIBO
from models.core.statements import AVOID, Avoid
from playbooks.fields import Items, Name, OneOrMany, Strict, Text
from playbooks.loader import Document
from playbooks.problem import Problem, did_you_mean, listed
from playbooks.roster_paper import RosterSource

Length = Annotated[int, Field(ge=40, le=5000)]
Word = Annotated[str, Field(min_length=1, max_length=60)]


class AvoidSource(Strict):
    """一个不宜用的说法。"""

    word: Word
    """说法"""
    why: Text = "本单位不用这一说法"
    """为什么，改用什么"""
    block: bool = False
    """true：用了不能送审；false：只提醒"""


class StatementsSource(Strict):
    """稿件、三审与发布。"""

    reviewers: dict[Name, OneOrMany[Name]] = Field(default_factory=dict)
    """各道通常由谁审：道名 → 人员标识，例如 {初审: li, 审核: zhao, 审发: zhou, 保密审查: wang}；送审时可换人"""
    emergency: bool = False
    """紧急时可否只由两人签发（初审和审发），须写明理由、单独留痕并在复盘中列出；默认不可（建议值，文件没有规定）"""
    weibo: Length = WEIBO
    """微博稿最多多少字（建议值）"""
    publisher: Text = ""
    """落款，例如 临江市人民政府办公室；不写用单位名称"""
    avoid: Items[AvoidSource] = ()
    """不宜用的说法，加在内置的之外，例如 {word: 暴雨无情, why: 不说套话}"""
    avoid_shipped: bool = True
    """是否也用内置的不宜用语（都是建议，不挡送审）"""

    def avoided(self) -> tuple[Avoid, ...]:
        """The site's own first, then the shipped ones that it did not say itself."""
        own = tuple(Avoid(one.word, one.why, one.block) for one in self.avoid)
        said = {one.expression for one in own}
        shipped = (one for one in AVOID if self.avoid_shipped and one.expression not in said)
        return (*own, *shipped)


def strangers(document: Document, source: StatementsSource, roster: RosterSource) -> Iterator[Problem]:
    """Reviewers whom the roster does not know."""
    known = [person.id for person in roster.people]
    for step, people in source.reviewers.items():
        for person in people:
            if person not in known:
                message = f"值班表里没有审核人 “{person}”{did_you_mean(person, known)}"
                yield document.problem(("statements", "reviewers", step), message, f"可用：{listed(known)}")
