"""site.yaml: what it may hold. Shapes: contract "A site".

Field docstrings are Chinese: the editor shows them to the people who keep the files. The other files
of a site have a module each: `sources_paper`, `channels_paper`, `roster_paper`, `plans_paper`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from playbooks.access_paper import AccessSource
from playbooks.assessment_paper import AssessmentSource, RegistersSource
from playbooks.fields import Delay, Duration, Items, Name, Strict, refuse
from playbooks.hooks_paper import OutHookSource, each_once
from playbooks.levels_paper import LevelsSource, NeighbourSource, consistent
from playbooks.meetings_paper import DossiersSource, MeetingsSource
from playbooks.reports_paper import ReportsSource
from playbooks.roster_paper import ContactSource
from playbooks.statements_paper import StatementsSource
from playbooks.tracing_paper import TracingSource
from playbooks.urls import Url
from playbooks.work_paper import WorkSource

Port = Annotated[int, Field(ge=0, le=65535)]


class HttpSource(Strict):
    """对外访问。"""

    allow_hosts: Items[Name] = ()
    """允许访问的内网主机；其余非公网地址一律拒绝"""
    contact: Annotated[str, Field(max_length=200)] = ""
    """写进访问者标识的联系方式（网址或邮箱），让对方知道找谁"""
    per_host: Annotated[int, Field(ge=1, le=20)] = 2
    """同一主机同时最多几个访问"""
    host_gap: Delay = timedelta(seconds=1)
    """同一主机两次访问至少间隔，例如 PT1S；自己的主机可写 PT0S"""
    ignore_robots: Items[Name] = ()
    """不看 robots.txt 的主机，只应写本单位自己的"""


class ConsoleSource(Strict):
    """值班台。"""

    host: Name = "127.0.0.1"
    """监听地址；只给本机用写 127.0.0.1"""
    port: Port = 8787
    """端口"""
    public_url: Url | None = None
    """值班员手机上能打开的地址，提醒里的链接用它，例如 https://huiying.example.gov.cn；不写用上面的地址"""
    names: Items[Name] = ()
    """值班台还可以用哪些域名打开；IP 地址、不带点的机器名和 public_url 的域名不用写"""
    dictation: bool = False
    """页面上显示浏览器的语音听写；多数浏览器把声音送到厂商的服务器识别，须经本单位同意才打开"""


class KafkaSource(Strict):
    """工单队列；bootstrap 为空即不用。"""

    bootstrap: str = ""
    """地址，例如 kafka1:9092,kafka2:9092"""
    topics: Items[Name] = ()
    """读取的主题，其中是工单"""
    posts: Items[Name] = ()
    """读取的主题，其中是媒体与网民所发"""
    group: Name = "huiying"
    """消费组"""
    assignor: Literal["range", "cooperative"] = "range"
    """分区分配: range，或 cooperative（换手时只停要移走的分区；同组成员须一致）"""
    hold_posts: Annotated[int, Field(ge=1)] = 20_000
    """待研判的线索超过这么多条时，暂缓读取 posts，降到一半再读；消息留在 Kafka，不会丢"""
    hold_tickets: Annotated[int, Field(ge=1)] = 200_000
    """超过这么多条时，工单也暂缓读取；应远大于 hold_posts"""
    results: str = ""
    """把事件与时钟的变化写入这个主题，供其他系统用；空即不写"""
    dead_letters: str = ""
    """把读不了的消息另写入这个主题；空即只存在死信里"""
    security: dict[str, Any] = Field(default_factory=dict)
    """SASL、TLS 等参数，按 kafka-python 的名字；密码写 ${变量名} 或 file:路径"""

    @model_validator(mode="after")
    def _each_topic_has_one_use(self) -> KafkaSource:
        """What we write and read again would go round for ever."""
        used = [topic for topic in (*self.topics, *self.posts, self.results, self.dead_letters) if topic]
        twice = next((topic for topic in used if used.count(topic) > 1), None)
        if twice:
            raise refuse(f"主题 {twice} 写了两处", "topics、posts、results、dead_letters 各用各的主题")
        return self

    @property
    def enabled(self) -> bool:
        return bool(self.bootstrap and (self.topics or self.posts))

    @property
    def publishes(self) -> bool:
        return bool(self.bootstrap and (self.results or self.dead_letters))


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
    """原始信息保存多少天，到期的整月归档后移出数据库（建议值；未结事件的不动）"""
    journal_days: Annotated[int, Field(ge=365)] | None = None
    """日志保存多少天，到期的整月归档后移出数据库；不写则一直在数据库里"""
    folder: str | None = None
    """归档文件放在哪个目录，相对于站点目录；多台机器须是共用的目录。不写：SQLite 放在数据库旁的 archive"""
    archive: bool = True
    """false：原始信息到期后不留归档文件，直接删除"""


class ClusteringSource(Strict):
    """归并。"""

    window_hours: Annotated[int, Field(ge=1, le=24 * 60)] = 72
    """多少小时内的相近信息归为一起事件（建议值）"""
    remember: Annotated[int, Field(ge=1_000, le=5_000_000)] = 200_000
    """归并时最多记住多少条线索，每条约占内存 2 KB；时间窗内更多时，最早的、无人呼应的先不再参与归并"""


class HeartbeatSource(Strict):
    """外部心跳。"""

    url: Url | None = None
    """一切正常时每分钟访问一次的地址；停了就是出事了，由外部系统报警"""


class AlarmSource(Strict):
    """系统告警：自我审计发现问题时，不经提醒队列和数据库，直接送到这里。"""

    contacts: Items[ContactSource] = ()
    """送给谁，可以写几处，最好用另一种渠道；不写则送值班表负责人和此刻第 1 级在班的人"""
    every: Duration = timedelta(minutes=30)
    """没有恢复时多久再说一次"""


class OwnPlaybooksSource(Strict):
    """站点自己的预案。"""

    review: bool = False
    """须经第二个人审定才生效；false 时 playbooks/ 里的文件重启后即生效"""


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
    access: AccessSource = AccessSource()
    """账号与登录"""
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
    alarm: AlarmSource = AlarmSource()
    """系统告警"""
    playbooks: OwnPlaybooksSource = OwnPlaybooksSource()
    """站点自己的预案怎样生效"""
    statements: StatementsSource = StatementsSource()
    """稿件、三审与发布"""
    meetings: MeetingsSource = MeetingsSource()
    """新闻发布会"""
    dossiers: DossiersSource = DossiersSource()
    """证据包"""
    work: WorkSource = WorkSource()
    """办理：阶段与认领的时限"""
    reports: ReportsSource = ReportsSource()
    """报告的样子"""
    registers: RegistersSource = RegistersSource()
    """台账与督办"""
    assessment: AssessmentSource = AssessmentSource()
    """考核"""
    hooks: Items[OutHookSource] = ()
    """外送：把事件与时钟的变化签名后推给别的系统"""
    levels: LevelsSource = LevelsSource()
    """上下级：本系统的标识、密钥和告诉邻居什么"""
    neighbours: Items[NeighbourSource] = ()
    """上级、下级和平级单位的系统：事件可以移交、通报，下级的态势报给上级"""
    tracing: TracingSource = TracingSource()
    """追踪：把每起事件的经过送给 OTLP 收集器"""
    topics: Name | None = None
    """本地的主题分类表，例如 topics.csv：一级分类,二级分类,三级分类；不写则只分七大类"""
    personal_data: Literal["mask", "encrypt", "drop"] = "mask"
    """个人信息: mask 原样保存、显示时遮盖；encrypt 遮盖后保存，原文加密另存；drop 只保存遮盖后的"""
    personal_key: str | None = None
    """personal_data: encrypt 的密钥，写 ${变量名} 或 file:路径；用 huiying secret 生成"""

    @model_validator(mode="after")
    def _each_hook_once(self) -> SiteSource:
        each_once(self.hooks)
        return self

    @model_validator(mode="after")
    def _neighbours_are_known(self) -> SiteSource:
        consistent(self.levels, self.neighbours)
        return self

    @model_validator(mode="after")
    def _key_for_encryption(self) -> SiteSource:
        if self.personal_data == "encrypt" and not self.personal_key:
            raise refuse(
                "personal_data: encrypt 缺少 personal_key", 'personal_key: "${HUIYING_PERSONAL_KEY}"'
            )
        return self
