"""Texts of our own for the benches: posts of about 40 characters and tickets of about 400.

Put together from parts by dice with a fixed seed, so that few are alike and every run has the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from models.core.signals import RawSignal
from models.core.vocabulary import Medium


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


TOWNS = _words("临江 北岸 东埠 南屏 西陵 柳溪 青石 白沙 云台 双河 梅岭 石桥 新塘 古渡 平湖 永安")
STREETS = _words("幸福 解放 人民 建设 滨河 柳荫 文昌 和平 朝阳 桃源 金桥 翠竹 望湖 学府 兴业 长青")
PLACES = _words("小区三期 菜市场 实验小学 卫生院 公交总站 工业园 安置房 广场 隧道口 老街")
MATTERS = (
    (
        _words("路灯 井盖 人行道 护栏 红绿灯 减速带 盲道 候车亭"),
        _words("坏了十来天没人修 被撞歪以后一直倒着 夜里看不清，有人摔过 刚修好又坏了 缺了一块，推车过不去"),
    ),
    (
        _words("自来水 暖气 燃气 供电 电梯 下水道 消防栓 门禁"),
        _words("从前天起时有时无 停了也不提前通知 打了报修电话没有回音 一到周末就出毛病 换了新的反而更糟"),
    ),
    (
        _words("工地 夜市 洗车店 烧烤摊 家具厂 养殖场 混凝土站 广场舞"),
        _words("夜里十二点还在响 烟味熏得开不了窗 污水直接流进雨水井 把路占了一半 扬尘落满阳台"),
    ),
    (
        _words("建筑队 家政公司 快递网点 餐馆 服装厂 物流公司 美容院 保安公司"),
        _words("拖着三个月工资不发 辞退了人不给补偿 不签合同也不上保险 老板的电话打不通了 扣着押金不退"),
    ),
    (
        _words("小学 幼儿园 培训班 食堂 校车 图书馆 体育馆 老年大学"),
        _words("收费比去年多了一截 名额怎么分的没有公示 饭菜是凉的 说关门就关门 开放时间老是改"),
    ),
    (
        _words("卫生院 药店 疫苗接种点 急诊 医保窗口 体检中心 社区门诊 血站"),
        _words("排队排了一上午 说系统升级办不了 开的药外面便宜一半 只开一个窗口 态度生硬，问了不答"),
    ),
    (
        _words("公园 办证大厅 公交新线 河边步道 便民菜店 社区食堂 停车楼 口袋绿地"),
        _words("办得又快又好 比从前方便多了 晚上散步的人很多 师傅耐心，点个赞 干净敞亮，老人喜欢"),
    ),
)
AFTER = (
    "老人出门摔了一跤",
    "孩子整夜睡不着",
    "一楼几户都遭了殃",
    "上班天天迟到",
    "邻居吵了两回",
    "生意没法做了",
    "群里都在说这件事",
    "问了三个部门没人认",
    "到现在没有说法",
    "大家都盼着有个结果",
)
GRAVE = (
    "厂房起火，浓烟很大，听说有{n}人受伤",
    "大客车翻到沟里，目击者说{n}人死亡",
    "化工厂爆炸，附近{n}户居民正在撤离",
    "山体滑坡埋了几间房，{n}人失联",
)
TAILS = (
    "希望有关部门尽快查看并给个说法。",
    "这件事反映过两次，每次都说已经转办，之后就没有下文。",
    "邻居们商量了，如果这周还不解决，就一起去区里问。",
    "请告诉我们由哪个单位负责、什么时候能处理好。",
    "家里有老人和小孩，实在等不起，请理解我们的着急。",
    "现场的照片和录像都留着，需要时可以提供。",
    "上个月也有人遇到同样的情况，可见不是一家的事。",
    "我们也知道工作不容易，只盼着有人来看一眼。",
)
GRAVE_SHARE = 0.01


def signals(count: int, until: datetime, seed: int = 7) -> Iterator[RawSignal]:
    """`count` signals said within the day before `until`: half posts, half tickets."""
    dice = random.Random(seed)
    for number in range(count):
        at = until - timedelta(seconds=dice.uniform(0, 86_400))
        yield ticket(number, at, dice) if number % 2 else post(number, at, dice)


def post(number: int, at: datetime, dice: random.Random, grave: float = GRAVE_SHARE) -> RawSignal:
    where = f"{dice.choice(TOWNS)}{dice.choice(STREETS)}路{dice.randrange(1, 400)}号"
    body = f"{where}{dice.choice(PLACES)}，{matter(dice, grave)}。{dice.randrange(1, 60)}楼"
    metrics = {"reads": dice.randrange(0, 3000), "reposts": dice.randrange(0, 20)}
    return RawSignal("posts", f"P{number}", Medium.WEIBO, "", body, published_at=at, metrics=metrics)


def ticket(number: int, at: datetime, dice: random.Random, grave: float = GRAVE_SHARE) -> RawSignal:
    town, street = dice.choice(TOWNS), dice.choice(STREETS)
    where = f"{town}区{street}路{dice.randrange(1, 400)}号{dice.choice(PLACES)}"
    words = [f"来电人住在{where}，反映{matter(dice, grave)}。"]
    while sum(map(len, words)) < 380:
        words.append(
            f"{dice.randrange(1, 28)}日{dice.randrange(6, 23)}时，{matter(dice, grave)}。{dice.choice(TAILS)}"
        )
    title = f"{town}区{street}路：{matter(dice, grave)[:14]}"
    return RawSignal(
        "hotline", f"T{number}", Medium.HOTLINE, title, "".join(words), published_at=at, place=f"{town}区"
    )


def matter(dice: random.Random, grave: float = GRAVE_SHARE) -> str:
    if dice.random() < grave:
        return dice.choice(GRAVE).format(n=dice.randrange(1, 40))
    things, troubles = dice.choice(MATTERS)
    return f"{dice.choice(things)}{dice.choice(troubles)}，{dice.choice(AFTER)}"
