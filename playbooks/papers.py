"""site.yaml and plans.yaml: what each may hold. Shapes: contract "A site".

Field docstrings are Chinese: the editor shows them to the people who keep the files. The other files
of a site have a module each: `sources_paper`, `channels_paper`, `roster_paper`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from playbooks.fields import Ident, Items, Name, OneOrMany, Strict, Text
from playbooks.urls import Url

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
