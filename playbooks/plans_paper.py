"""plans.yaml: keyword plans 监测方案 and rules for bursts. Field docstrings are what the editor shows."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field, model_validator

from models.core.burst import Dimension
from models.core.vocabulary import Grade, Medium
from playbooks.fields import Duration, Ident, Items, Name, OneOrMany, Strict, refuse
from playbooks.roster_paper import ClockFace

Term = Annotated[str, Field(max_length=60)]


class QuietSource(Strict):
    """非紧急方案不打扰的时段，到点合并告知。"""

    begins: Annotated[ClockFace, Field(alias="from")] = time(22)
    """从几点起"""
    ends: Annotated[ClockFace, Field(alias="to")] = time(7)
    """到几点，可以过午夜"""


class NearSource(Strict):
    """几个词离得近。"""

    words: Annotated[Items[Term], Field(min_length=2, max_length=6)]
    """都要出现的词"""
    within: Annotated[int, Field(ge=0, le=200)] = 10
    """中间最多隔几个字"""


class LeastSource(Strict):
    """传播量门槛，都要达到。"""

    reads: Annotated[int, Field(ge=1)] | None = None
    """阅读"""
    reposts: Annotated[int, Field(ge=1)] | None = None
    """转发"""
    likes: Annotated[int, Field(ge=1)] | None = None
    """点赞"""
    comments: Annotated[int, Field(ge=1)] | None = None
    """评论"""


class PlanSource(Strict):
    """一个监测方案。写了的各项都要满足。"""

    id: Ident
    """标识"""
    name: Name
    """名称，写在理由和通知里"""
    any: OneOrMany[Term] = ()
    """出现任一个词"""
    all: OneOrMany[Term] = ()
    """须同时出现的词"""
    none: OneOrMany[Term] = ()
    """不得出现的词；只对本方案起作用"""
    near: OneOrMany[NearSource] = ()
    """离得近的词，例如 {words: [自来水, 异味], within: 10}"""
    title: OneOrMany[Term] = ()
    """标题里出现任一个词"""
    body: OneOrMany[Term] = ()
    """正文里出现任一个词"""
    match: Annotated[str, Field(max_length=4000)] | None = None
    """表达式，例如 (自来水 OR 供水) NEAR/10 (异味 OR 发黄) NOT 招聘；可写 title:词、body:词"""
    places: OneOrMany[Term] = ()
    """只看这些地方；线索没有带地点的，看文中有没有提到"""
    sources: OneOrMany[Ident] = ()
    """只看这些信源，标识见 sources.yaml"""
    media: OneOrMany[Medium] = ()
    """只看这些渠道，例如 [weibo, hotline]"""
    at_least: LeastSource = LeastSource()
    """传播量门槛，例如 {reposts: 100}"""
    grade: Grade | None = None
    """命中后级别不低于它（机器暂定，人可改）"""
    open: bool = False
    """true：命中即立案；false：只写进理由、通知负责人"""
    urgent: bool = False
    """true：夜里也立即通知负责人"""
    owner: Ident | None = None
    """谁负责：人员或单位的标识，见 roster.yaml；不写则不单独通知"""
    enabled: bool = True
    """false 停用，留着以后用"""


class BurstSource(Strict):
    """一条突增规则。"""

    id: Ident
    """标识；与内置规则同名即替换它"""
    name: Name
    """名称"""
    by: Dimension = "all"
    """按什么分别数: place 地点，topic 主题，source 信源，all 全部"""
    media: OneOrMany[Medium] = ()
    """只数这些渠道"""
    within: Duration = timedelta(hours=1)
    """数多长时间内的"""
    count: Annotated[int, Field(ge=2, le=100_000)] | None = None
    """超过这么多件即突增，不看往常"""
    chance: Annotated[float, Field(gt=0, le=0.05)] | None = None
    """与往常同一星期几、同一钟点相比，偶然出现这么多的概率小于它即突增，例如 0.0001"""
    minimum: Annotated[int, Field(ge=2, le=10_000)] = 8
    """按概率判断时至少要有几件"""
    times: Annotated[float, Field(ge=1, le=100)] = 2.0
    """按概率判断时至少是往常的几倍"""
    grade: Grade = Grade.III
    """立案或升级到几级（暂定）"""
    enabled: bool = True
    """false 停用这条规则"""

    @model_validator(mode="after")
    def _one_way(self) -> BurstSource:
        if self.enabled and (self.count is None) == (self.chance is None):
            raise refuse(
                "count 和 chance 要写且只写一个", "固定件数写 count: 20；与往常相比写 chance: 0.0001"
            )
        if self.within > timedelta(hours=24):
            raise refuse("within 最长 24 小时", "写 PT2H")
        return self


class PlansSource(Strict):
    """监测方案 plans.yaml。"""

    quiet_hours: QuietSource | None = QuietSource()
    """非紧急方案不打扰的时段，默认 22:00–07:00；写 null 关闭"""
    gather: Duration = timedelta(minutes=10)
    """同一方案两次通知至少间隔，其间命中的合并告知"""
    hot_search: bool = False
    """true：热搜榜上像是会有官方回应的题目也立案；全国榜每天约 10 起，多数与本地无关，宜只给同城榜用"""
    plans: Items[PlanSource] = ()
    """方案列表"""
    bursts: Items[BurstSource] = ()
    """突增规则；内置的始终在用，同名替换"""
