"""Words that officers watch for, each in one family; found all at once by one automaton.

The lists are our own. A family says what a word points to; what follows from it is decided in
`grade`, `concern` and `judge`, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import ahocorasick_rs

_FAMILIES: Mapping[str, str] = {
    # 突发事件类型 (突发事件应对法 2024 第2–3条, N-060)
    "accident": "爆炸 爆燃 闪爆 火灾 起火 着火 失火 大火 车祸 相撞 追尾 侧翻 翻车 坍塌 垮塌 倒塌 塌方 塌陷 坠机 坠毁 "
    "坠落 脱轨 沉船 翻船 翻沉 触电 透水 瓦斯 冒顶 泄漏 踩踏 安全事故 交通事故 生产事故 煤气中毒 一氧化碳 矿难 坠江 "
    "溺水 溺亡 高坠 掩埋 燃气事故 事故造成 亡人事故",
    "natural": "地震 洪水 洪灾 暴雨 台风 泥石流 山体滑坡 滑坡 内涝 干旱 旱情 雪灾 冰雹 森林火灾 山火 山洪 龙卷风 "
    "决堤 溃口 寒潮 沙尘暴 雷击 海啸 堰塞湖",
    "public_health": "食物中毒 疫情 传染病 禽流感 诺如 甲流 流感 确诊 鼠疫 霍乱 登革热 血铅 不明原因 群体性发热 "
    "聚集性感染 集体腹泻 集体呕吐 疫苗 猴痘 感染者 食品安全",
    "social_safety": "持刀 砍人 捅人 行凶 袭击 枪击 恐怖 械斗 群体性事件 冲撞人群 驾车撞人 绑架 投毒 纵火 劫持 打砸 "
    "暴力抗法 聚众 围攻 命案 杀人 凶杀",
    # what kind below the four: EventSubtype; it also says which table of 2.1 applies
    "production": "生产事故 安全事故 安全生产 工地 施工 车间 厂房 作业 高坠 坠落 触电 机械伤害 有限空间",
    "traffic": "车祸 相撞 追尾 侧翻 翻车 交通事故 肇事 撞人 坠桥 坠江 货车 客车 大巴 高速公路 酒驾 醉驾",
    "rail": "列车 火车 高铁 动车 脱轨 铁路 地铁 轨道交通 道口",
    "waterway": "沉船 翻船 翻沉 渔船 客船 货船 轮渡 游船 船只 倾覆 快艇",
    "aviation": "坠机 坠毁 飞机 客机 直升机 航班 迫降 空难",
    "fire": "火灾 起火 着火 失火 大火 明火 火势 烧毁 燃烧",
    "explosion": "爆炸 爆燃 闪爆 炸死 炸伤 燃气事故 煤气罐 液化气",
    "collapse": "坍塌 垮塌 倒塌 塌陷 塌方 楼体倾斜 桥梁断裂 脚手架",
    "mine": "煤矿 矿井 透水 瓦斯 冒顶 矿难 金矿 铁矿 井下",
    "hazmat": "危化品 危险化学品 泄漏 氯气 液氨 化工 化工厂 罐车 毒气",
    "equipment": "电梯 锅炉 压力容器 起重机 塔吊 游乐设施 缆车 索道 飞椅 大摆锤",
    "poisoning": "一氧化碳 煤气中毒 硫化氢 沼气 气体中毒 窒息",
    "drowning": "溺水 溺亡 落水 坠河 坠湖",
    "stampede": "踩踏",
    "supply": "停水 停电 断水 断电 断气 停气 停暖 停供 供水中断 供电中断 爆管 大面积停电",
    "environment": "环境污染 水污染 污染事件 水源污染 取水中断 饮用水源 危化品泄漏 尾矿 废水泄漏 毒气 油污",
    "earthquake": "地震 震级 余震 强震",
    "flood": "洪水 洪灾 暴雨 内涝 山洪 决堤 溃口 溃坝 洪峰 强降雨 汛情 洪涝 管涌",
    "typhoon": "台风 风暴潮 热带风暴",
    "geology": "泥石流 山体滑坡 滑坡 山体崩塌 崩塌 堰塞湖 地面塌陷 地质灾害",
    "weather": "雪灾 冰雹 寒潮 沙尘暴 雷击 龙卷风 大风 冻雨 暴雪 高温 雷暴 飑线",
    "drought": "干旱 旱情 旱灾",
    "forest_fire": "森林火灾 山火 草原火灾 林火 扑火",
    "epidemic": "疫情 传染病 禽流感 诺如 甲流 流感 确诊 鼠疫 霍乱 登革热 猴痘 感染者 聚集性感染 病例 新冠 肺炎 手足口",
    "food_poisoning": "食物中毒 集体腹泻 集体呕吐 亚硝酸盐 毒蘑菇 食品安全 沙门氏菌",
    "unknown_illness": "不明原因 群体性发热 血铅 铅超标 职业中毒 尘肺",
    "animal_disease": "非洲猪瘟 口蹄疫 动物疫情 病死猪 扑杀",
    "drug": "疫苗 假药 药品不良反应 注射后",
    "crime": "持刀 砍人 捅人 行凶 枪击 绑架 投毒 纵火 劫持 命案 杀人 凶杀 驾车撞人 冲撞人群 刑案 袭警 抢劫",
    "crowd": "群体性事件 聚众 围攻 围堵 堵路 打砸 静坐 游行 拉横幅 罢工 罢运 罢课 集体维权",
    "brawl": "械斗 斗殴 群殴",
    "terror": "恐怖 恐袭 袭击 自杀式",
    "cyber": "数据泄露 信息泄露 网站被黑 网页篡改 勒索病毒 黑客 网络攻击 系统瘫痪 无法访问",
    # harm without a number: law 14, facts of harm carry no feeling words
    "harm": "死亡 死伤 身亡 遇难 丧生 罹难 溺亡 坠亡 猝死 遇害 致死 重伤 受伤 伤亡 失踪 失联 被困 被埋 中毒 昏迷 坠楼 "
    "跳楼 跳桥 自杀 轻生 窒息 抢救 病危 流血 被打 殴打 性侵 猥亵 虐待 虐童 欺凌 霸凌 拐卖 强奸",
    "hazard": "爆炸 泄漏 坍塌 起火 停水 停电 断水 断气 异味 发臭 污染 中毒 裂缝 危房 倒塌 塌陷 漏电 拖欠 欠薪 跑路 "
    "烂尾 强拆 瞒报 造假 贪污 腐败 受贿 黑幕 毒 致癌 超标 假疫苗 过期 变质 诈骗",
    "minor": "未成年 儿童 幼儿 幼童 孩子 男童 女童 男孩 女孩 小学生 中学生 初中生 高中生 婴儿 学生 少年 少女",
    "school": "学校 幼儿园 小学 中学 食堂 校园餐 营养餐 配餐 校园",
    "food": "食物中毒 变质 过期 发霉 霉变 腹泻 呕吐 拉肚子 生虫 异物 臭肉 鼠头 馊 亚硝酸盐 不合格食材",
    "abuse": "性侵 猥亵 虐待 虐童 欺凌 霸凌 拐卖 强奸 体罚 殴打 坠楼 跳楼 溺亡 身亡 "
    "死亡 遇难 遇害 中毒 失踪 被困 被埋 血铅",
    "police": "民警 警察 辅警 城管 执法 派出所 看守所 拘留所 拘传 讯问",
    "killed": "死亡 身亡 致死 打死 猝死",
    "leak": "泄露 泄漏 外泄 流出 贩卖",
    "privacy": "个人信息 隐私 身份证 公民信息 学生信息 患者信息 户籍信息 人脸 数据",
    "massive": "大规模 大量 万条 万人 万余 千余条 亿条 全市 全省 批量",
    "gathering": "围堵 堵路 堵门 拉横幅 打横幅 静坐抗议 工人罢工 集体罢工 罢运 罢课 围攻 打砸 群体性事件 "
    "聚集抗议 聚集维权 聚集讨薪 聚众闹事 封路抗议 聚集讨说法",
    "official_wrong": "通报打脸 官方打脸 通报反转 辟谣反转 通报被推翻 推翻此前通报 更正此前通报 撤回通报 通报失实 "
    "官方承认此前 此前通报有误 通报不实",
    "rumour": "网传 听说 据传 传言 疑似 求证 真的假的 造谣 谣言 辟谣 不实 紧急扩散 速转 转疯了 内部消息 有图有真相 "
    "朋友圈都在传 求辟谣 扩散 震惊",
    # opinion kinds, 黔财办〔2017〕14号 (七)2 (S-030…S-035)
    "constructive": "建议 希望增设 希望增加 提议 不妨 可否考虑 能否增设 能否增加 优化 合理化",
    "hardship": "困难 无法 没有着落 看病难 上学难 出行难 打车难 停水 停电 噪音 扰民 拖欠 欠薪 工资 没钱 低保 求助 "
    "帮帮 解决 恳请 请求 维修 漏水 积水 堵塞 垃圾",
    "major_problem": "违法 违规 贪污 腐败 受贿 滥用职权 不作为 乱作为 强拆 瞒报 黑恶 污染 偷排 造假 举报 侵占 "
    "挪用 豆腐渣 质量问题 安全隐患 死亡 受伤 乱收费",
    "uninformed": "请问 咨询 如何办理 怎么办理 什么时候 何时 是否可以 需要什么 什么政策 想了解 想问 "
    "哪里可以 有没有规定 为什么不能 什么条件",
    "false_info": "谣言 造谣 假消息 不实信息 虚假信息 辟谣 以讹传讹 假的",
}

# said of the future or as a threat, a gathering has not happened
PLANNED = (
    "将",
    "要",
    "准备",
    "否则",
    "打算",
    "考虑",
    "如果",
    "不然",
    "扬言",
    "避免",
    "防止",
    "禁止",
    "严禁",
    "只能",
    "只好",
)


@dataclass(frozen=True, slots=True)
class Hits:
    """The watched words of one text: family → its words in order of appearance, each once."""

    words: Mapping[str, tuple[str, ...]]
    first: Mapping[str, int]  # word → where it first stands

    def of(self, family: str) -> tuple[str, ...]:
        return self.words.get(family, ())

    def all(self, *families: str) -> bool:
        """At least one word of each family."""
        return all(family in self.words for family in families)


@cache
def _automaton() -> tuple[ahocorasick_rs.AhoCorasick, tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    families: dict[str, tuple[str, ...]] = {}
    for family, words in _FAMILIES.items():
        for word in words.split():
            families[word] = (*families.get(word, ()), family)
    words_ = tuple(families)
    return ahocorasick_rs.AhoCorasick(words_), words_, families


def scan(text: str) -> Hits:
    """Every watched word in a canonical text (`text.canonical`); linear in its length."""
    automaton, words, families = _automaton()
    first: dict[str, int] = {}
    for pattern, start, _ in automaton.find_matches_as_indexes(text, overlapping=True):
        first.setdefault(words[pattern], start)
    found: dict[str, tuple[str, ...]] = {}
    for word in first:
        for family in families[word]:
            found[family] = (*found.get(family, ()), word)
    return Hits(found, first)
