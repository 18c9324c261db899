"""Texts of our own for the benches: posts of about 40 characters and tickets of about 400.

Put together from parts by dice with a fixed seed, so that few are alike and every run has the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from models.core.signals import RawSignal
from models.core.vocabulary import Medium

TOWNS = tuple("临江 北岸 东埠 南屏 西陵 柳溪 青石 白沙 云台 双河 梅岭 石桥 新塘 古渡 平湖 永安".split())
STREETS = tuple("幸福 解放 人民 建设 滨河 柳荫 文昌 和平 朝阳 桃源 金桥 翠竹 望湖 学府 兴业 长青".split())
PLACES = ("小区三期", "菜市场", "实验小学", "卫生院", "公交总站", "工业园", "安置房", "广场", "隧道口", "老街")
MATTERS = (
    "路灯连着几个晚上不亮，老人出门摔了一跤",
    "自来水发黄有异味，打了电话没有人来看",
    "工地夜里十二点还在打桩，孩子睡不着",
    "拖欠三个月工资，老板电话已经打不通",
    "垃圾站清运不及时，夏天臭味很大",
    "公交改线以后要多走两站，上班总迟到",
    "医院挂号排队太长，窗口只开了一个",
    "学校食堂的饭菜是凉的，家长群里都在说",
    "物业费涨了一倍，却没有开过业主大会",
    "河里漂着死鱼，怀疑上游有厂子偷排",
    "下水道返水，一楼几户家里全泡了",
    "培训机构突然关门，交的学费退不回来",
    "医保卡刷不出来，药店说系统在升级",
    "路面塌了一个坑，昨晚有电动车栽进去",
    "新开的公园很好，晚上散步的人多了",
    "办证大厅的人态度很好，十分钟就办完了",
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


def post(number: int, at: datetime, dice: random.Random) -> RawSignal:
    where = f"{dice.choice(TOWNS)}{dice.choice(STREETS)}路{dice.randrange(1, 400)}号"
    body = f"{where}{dice.choice(PLACES)}，{matter(dice)}。{dice.randrange(1, 60)}楼"
    metrics = {"reads": dice.randrange(0, 3000), "reposts": dice.randrange(0, 20)}
    return RawSignal("posts", f"P{number}", Medium.WEIBO, "", body, published_at=at, metrics=metrics)


def ticket(number: int, at: datetime, dice: random.Random) -> RawSignal:
    town, street = dice.choice(TOWNS), dice.choice(STREETS)
    where = f"{town}区{street}路{dice.randrange(1, 400)}号{dice.choice(PLACES)}"
    words = [f"来电人住在{where}，反映{matter(dice)}。"]
    while sum(map(len, words)) < 380:
        words.append(f"{dice.randrange(1, 28)}日{dice.randrange(6, 23)}时，{matter(dice)}。{dice.choice(TAILS)}")
    title = f"{town}区{street}路：{matter(dice)[:14]}"
    return RawSignal(
        "hotline", f"T{number}", Medium.HOTLINE, title, "".join(words), published_at=at, place=f"{town}区"
    )


def matter(dice: random.Random) -> str:
    if dice.random() < GRAVE_SHARE:
        return dice.choice(GRAVE).format(n=dice.randrange(1, 40))
    return dice.choice(MATTERS)
