"""The files of a site, apart from its playbooks: what each may hold. Shapes: contract "A site".

Field docstrings are Chinese: the editor shows them to the people who keep the files.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from models.core.vocabulary import Medium, Role
from playbooks.fields import Duration, Ident, Items, Moment, Name, OneOrMany, Strict, Text, refuse


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise refuse(f"“{value[:80]}” 不是网址", "写成 http://… 或 https://…")
    return value


Url = Annotated[
    str, AfterValidator(_url), Field(max_length=2000, json_schema_extra={"examples": ["https://…"]})
]
Address = Annotated[
    str,
    AfterValidator(lambda value: value if value.startswith("${") else _url(value)),
    Field(max_length=2000, json_schema_extra={"examples": ["https://…", "${HUIYING_HOOK_URL}"]}),
]
"""A web address that may be a reference: some gateways carry their key in it."""
Port = Annotated[int, Field(ge=0, le=65535)]


class HttpSource(Strict):
    """对外访问。"""

    allow_hosts: Items[Name] = ()
    """允许访问的内网主机；其余非公网地址一律拒绝"""


class ConsoleSource(Strict):
    """值班台。"""

    host: Name = "127.0.0.1"
    """监听地址；只给本机用写 127.0.0.1"""
    port: Port = 8787
    """端口"""
    public_url: Url | None = None
    """值班员手机上能打开的地址，提醒里的链接用它，例如 https://huiying.example.gov.cn；不写用上面的地址"""


class KafkaSource(Strict):
    """工单队列；bootstrap 为空即不用。"""

    bootstrap: str = ""
    """地址，例如 kafka1:9092,kafka2:9092"""
    topics: Items[Name] = ()
    """读取的主题"""
    group: Name = "huiying"
    """消费组"""
    security: dict[str, Any] = Field(default_factory=dict)
    """SASL、TLS 等参数，按 kafka-python 的名字；密码写 ${变量名} 或 file:路径"""

    @property
    def enabled(self) -> bool:
        return bool(self.bootstrap and self.topics)


class PrefectSource(Strict):
    """编排界面。"""

    enabled: bool = True
    """是否启动"""
    port: Port = 4200
    """内置服务的端口"""
    api_url: Url | None = None
    """用已有的 Prefect 服务时写它的 API 地址"""


class RetentionSource(Strict):
    """保存期限。"""

    signals_days: Annotated[int, Field(ge=30)] = 730
    """原始信息保存多少天（建议值；时钟与日志不删）"""


class ClusteringSource(Strict):
    """归并。"""

    window_hours: Annotated[int, Field(ge=1, le=24 * 60)] = 72
    """多少小时内的相近信息归为一起事件（建议值）"""


class HeartbeatSource(Strict):
    """外部心跳。"""

    url: Url | None = None
    """一切正常时每分钟访问一次的地址；停了就是出事了，由外部系统报警"""


class SiteSource(Strict):
    """站点总设置 site.yaml。"""

    name: Name
    """单位名称，例如 临江市政府办公室"""
    region: str = ""
    """行政区，例如 临江市"""
    profile: Name = "cn-national"
    """参数集：内置的标识（如 cn-national），或站点目录下的文件（如 our.yaml）"""
    database: str | None = None
    """数据库 URL；不写用站点目录下的 SQLite。{dir} 代表站点目录，可用 ${变量名}"""
    http: HttpSource = HttpSource()
    """对外访问"""
    console: ConsoleSource = ConsoleSource()
    """值班台"""
    kafka: KafkaSource = KafkaSource()
    """工单队列"""
    prefect: PrefectSource = PrefectSource()
    """编排界面"""
    production: bool = False
    """正式环境：拒绝加速时钟等演示功能"""
    retention: RetentionSource = RetentionSource()
    """保存期限"""
    clustering: ClusteringSource = ClusteringSource()
    """归并"""
    heartbeat: HeartbeatSource = HeartbeatSource()
    """外部心跳"""


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


class UnitSource(Strict):
    """一个单位。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""


class ContactSource(Strict):
    """一种联系方式；按书写顺序，前一个不通用后一个。"""

    channel: Ident
    """渠道标识，见 channels.yaml"""
    address: Name
    """该渠道里的地址：用户标识、邮箱等；数字要加引号"""


class PersonSource(Strict):
    """一个人。"""

    id: Ident
    """标识"""
    name: Name
    """姓名"""
    unit: Ident
    """单位标识"""
    contacts: Items[ContactSource] = ()
    """联系方式"""


class RotationSource(Strict):
    """轮班：从 since 起，每 every 换下一个人，循环。"""

    people: Annotated[Items[Ident], Field(min_length=1)]
    """按顺序轮值的人"""
    every: Duration
    """每班多久，例如 PT12H 或 P1D"""
    since: Moment
    """第一班开始的时间"""


class RungSource(Strict):
    """值班阶梯的一级。"""

    rung: Annotated[int, Field(ge=1, le=9)]
    """级：1 最先被通知"""
    role: Role
    """角色：duty_officer 值班员，duty_chief 值班主任，duty_leader 带班领导，deputy 分管领导，
    principal 主要领导"""
    on_duty: OneOrMany[Ident] = ()
    """固定在班的人"""
    rotation: RotationSource | None = None
    """轮班的人"""


class AbsenceSource(Strict):
    """外出或休假。"""

    person: Ident
    """谁"""
    since: Moment
    """从何时起"""
    until: Moment
    """到何时止"""
    substitute: Ident | None = None
    """由谁代班"""


class RosterSource(Strict):
    """值班表 roster.yaml。"""

    units: Items[UnitSource] = ()
    """单位"""
    people: Items[PersonSource] = ()
    """人员"""
    ladder: Items[RungSource] = ()
    """值班阶梯"""
    absences: Items[AbsenceSource] = ()
    """外出与代班"""


class PlanSource(Strict):
    """一个监测方案。"""

    id: Ident
    """标识"""
    name: Name
    """名称"""
    any: OneOrMany[Text] = ()
    """出现任一个词"""
    all: OneOrMany[Text] = ()
    """须同时出现的词"""
    none: OneOrMany[Text] = ()
    """不得出现的词"""


class PlansSource(Strict):
    """监测方案 plans.yaml。"""

    plans: Items[PlanSource] = ()
    """方案列表"""
