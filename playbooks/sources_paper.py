"""sources.yaml: where public opinion comes from, and where our answers are published."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from models.core import selector
from models.core.vocabulary import Medium, TicketKind
from playbooks.fields import Duration, Ident, Items, Name, Strict, refuse
from playbooks.papers import KafkaSource
from playbooks.urls import Url


def _selector(value: str) -> str:
    try:
        selector.parse(value)
    except ValueError as error:
        raise refuse(str(error), "写成 ul.news > li 这样的 CSS 选择器；取属性写 a@title") from None
    return value


Selector = Annotated[str, AfterValidator(_selector), Field(max_length=selector.MAX_LENGTH)]


class SelectSource(Strict):
    """网页里条目在哪里（CSS 选择器）；除 item 外都在条目之内找。"""

    item: Selector
    """一个条目，例如 ul.news > li"""
    title: Selector = ""
    """标题；不写取链接的文字"""
    link: Selector = ""
    """链接；不写取条目里第一个 a"""
    time: Selector = ""
    """时间；不写在条目文字里找日期"""
    body: Selector = ""
    """正文或摘要；不写为空"""


class FeedSource(Strict):
    """一个信源：RSS、Atom、JSON Feed，或按规则读的网页。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    url: Url
    """地址"""
    type: Literal["feed", "page"] = "feed"
    """feed 订阅源；page 没有订阅源的列表网页，须写 select"""
    select: SelectSource | None = None
    """type 为 page 时，条目在网页里的位置"""
    medium: Medium = Medium.NEWS
    """渠道种类"""
    every: Duration = timedelta(minutes=10)
    """起初多久查一次，例如 PT10M；此后按新内容的多少在 every_min 与 every_max 之间自动调整"""
    every_min: Duration | None = None
    """最勤；不写为 every 的四分之一，不勤于一分钟"""
    every_max: Duration | None = None
    """最疏；不写为 every 的两倍。要固定节奏就写成与 every 相同"""

    @property
    def least(self) -> timedelta:
        return self.every_min or max(self.every / 4, min(self.every, timedelta(minutes=1)))

    @property
    def most(self) -> timedelta:
        return self.every_max or self.every * 2

    @model_validator(mode="after")
    def _in_order(self) -> FeedSource:
        if not self.least <= self.every <= self.most:
            raise refuse("every 不在 every_min 与 every_max 之间", "应为 every_min ≤ every ≤ every_max")
        if (self.type == "page") != (self.select is not None):
            raise refuse("type: page 与 select 要一起写", 'type: page 配 select: {item: "ul.news > li"}')
        return self


Kind = Annotated[TicketKind, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""A door's name; 12345 without quotation marks is a number in YAML."""


class HookSource(Strict):
    """工单推送：对方向 /hooks/tickets/标识 发送签名的请求。"""

    secret: Annotated[str, Field(min_length=1)]
    """签名密钥，写 ${变量名} 或 file:路径；用 huiying secret 生成，再交给对方"""
    replay_window: Duration = timedelta(minutes=5)
    """签名时间与本机相差多少以内才收"""


class MailboxSource(Strict):
    """电子邮箱（IMAP）：正文是一件工单，CSV、XLSX 附件按行是工单。"""

    host: Name
    """服务器，例如 imap.example.gov.cn"""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """端口；不写则加密 993、不加密 143"""
    tls: bool = True
    """加密；只有 http.allow_hosts 里的主机可写 false"""
    user: Name
    """用户名"""
    password: Annotated[str, Field(min_length=1)]
    """密码或授权码，写 ${变量名} 或 file:路径"""
    folder: Name = "INBOX"
    """读哪个文件夹"""
    move_to: Name | None = None
    """收下后移到哪个文件夹；不写则标为已读"""


class TicketSource(Strict):
    """工单信源：folder、file、webhook、mailbox 写且只写一个。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    kind: Kind | None = None
    """种类：12345、12333、12317、12366、领导信箱、网站留言、网站找错、网信通报、manual"""
    folder: Name | None = None
    """文件夹，相对站点目录；新文件自动读入"""
    file: Name | None = None
    """单个文件，相对站点目录"""
    webhook: HookSource | None = None
    """由对方推送"""
    mailbox: MailboxSource | None = None
    """电子邮箱"""
    medium: Medium | None = None
    """渠道种类；一般由 kind 决定，都不写是 hotline"""
    every: Duration = timedelta(minutes=1)
    """多久查一次"""

    @property
    def door(self) -> Medium:
        """The medium of its signals, where a column does not say otherwise."""
        return self.medium or (self.kind.medium if self.kind else Medium.HOTLINE)

    @property
    def place(self) -> str:
        """Where it is read from, for people."""
        if self.mailbox:
            return f"imap://{self.mailbox.host}/{self.mailbox.folder}"
        return f"/hooks/tickets/{self.id}" if self.webhook else self.folder or self.file or ""

    @model_validator(mode="after")
    def _one_place(self) -> TicketSource:
        given = [name for name in ("folder", "file", "webhook", "mailbox") if getattr(self, name) is not None]
        if len(given) != 1:
            raise refuse("folder、file、webhook、mailbox 要写且只写一个", "例如 folder: tickets")
        return self


class OfficialSource(FeedSource):
    """我方官方渠道，从中发现已发布的凭据：网站订阅源、栏目网页或账号。"""

    medium: Literal[Medium.OFFICIAL] = Medium.OFFICIAL
    """固定为 official"""
    every: Duration = timedelta(minutes=5)
    """起初多久查一次"""
    publisher: Name | None = None
    """发布者全称，记入凭据，例如 临江市人民政府新闻办公室；不写取 name"""
    platform: Name | None = None
    """在什么平台，例如 政府网站、微博、微信公众号"""
    filing_no: Annotated[str, Field(min_length=4, max_length=60)] | None = None
    """备案号：网站的 ICP 备案或党政机关网站标识码，账号的政务新媒体备案号"""
    certified_as: Name | None = None
    """平台认证的主体名称"""

    @property
    def most(self) -> timedelta:
        """Our own statement must not be seen late: it is never asked less often than `every`."""
        return self.every_max or self.every

    @property
    def account(self) -> str | None:
        """The registration in one line: 微博 · 认证 临江市政府新闻办 · 备案 …; None when nothing is stated."""
        certified = f"认证 {self.certified_as}" if self.certified_as else None
        filed = f"备案 {self.filing_no}" if self.filing_no else None
        return " · ".join(filter(None, (self.platform, certified, filed))) or None


class SourcesSource(Strict):
    """信源 sources.yaml。"""

    feeds: Items[FeedSource] = ()
    """RSS、Atom、JSON Feed 与网页"""
    tickets: Items[TicketSource] = ()
    """工单: 文件、推送、邮箱"""
    official: Items[OfficialSource] = ()
    """官方渠道"""
    kafka: KafkaSource | None = None
    """工单队列；也可写在 site.yaml，二者取一"""
