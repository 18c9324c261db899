"""sources.yaml: where public opinion comes from, and where our answers are published."""

from __future__ import annotations

from datetime import timedelta

from pydantic import model_validator

from models.core.vocabulary import Medium
from playbooks.fields import Duration, Ident, Items, Name, Strict, refuse
from playbooks.papers import KafkaSource
from playbooks.urls import Url


class FeedSource(Strict):
    """一个 RSS 或 Atom 信源。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    url: Url
    """地址"""
    medium: Medium = Medium.NEWS
    """渠道种类"""
    every: Duration = timedelta(minutes=10)
    """多久查一次，例如 PT10M"""


class TicketSource(Strict):
    """热线工单等文件信源；folder 与 file 只写一个。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    folder: Name | None = None
    """文件夹，相对站点目录；新文件自动读入"""
    file: Name | None = None
    """单个文件，相对站点目录"""
    medium: Medium = Medium.HOTLINE
    """渠道种类"""
    every: Duration = timedelta(minutes=1)
    """多久查一次"""

    @model_validator(mode="after")
    def _one_place(self) -> TicketSource:
        if (self.folder is None) == (self.file is None):
            raise refuse("folder 与 file 要写且只写一个", "例如 folder: tickets")
        return self


class OfficialSource(Strict):
    """我方官方渠道，从中发现已发布的凭据。"""

    id: Ident
    """标识"""
    name: Name
    """名称，例如 临江发布"""
    url: Url
    """RSS 或 Atom 地址"""
    every: Duration = timedelta(minutes=5)
    """多久查一次"""


class SourcesSource(Strict):
    """信源 sources.yaml。"""

    feeds: Items[FeedSource] = ()
    """RSS 与 Atom"""
    tickets: Items[TicketSource] = ()
    """工单文件"""
    official: Items[OfficialSource] = ()
    """官方渠道"""
    kafka: KafkaSource | None = None
    """工单队列；也可写在 site.yaml，二者取一"""
