"""Counts are read as they are written, and only when they are said to be so."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.core.facts import _BEGIN, _VERBS, Facts, extract
from models.core.numerals import number
from models.core.text import canonical

CASES: list[tuple[str, dict[str, float]]] = [
    ("昨晚一处工棚起火，三十余名工友受伤，已全部送医", {"injured": 30}),
    ("该厂锅炉爆裂，十几人受伤", {"injured": 11}),
    ("山洪过后仍有百余人被困", {"trapped": 100}),
    ("塌方已致上百人失联", {"missing": 100}),
    ("踩踏造成数十人受伤", {"injured": 20}),
    ("渡船倾覆，两死一伤", {"deaths": 2, "injured": 1}),
    ("油罐车侧翻起火造成1死3伤", {"deaths": 1, "injured": 3}),
    ("气浪掀翻屋顶，致12伤2亡", {"injured": 12, "deaths": 2}),
    ("厂区闪爆致5死逾百伤", {"deaths": 5, "injured": 100}),
    ("车间起火已造成３人遇难", {"deaths": 3}),
    ("事故未造成人员伤亡", {"deaths": 0, "injured": 0}),
    ("暂无人员伤亡", {"deaths": 0, "injured": 0}),
    ("所幸零伤亡", {"deaths": 0, "injured": 0}),
    ("现场没有发现人员被困", {"trapped": 0}),
    ("初步核查有10至15人受伤", {"injured": 10}),
    ("大巴翻车，3-5人受伤", {"injured": 3}),
    ("遇难人数由4人上升至7人", {"deaths": 7}),
    ("死亡人数增至十二人", {"deaths": 12}),
    ("死亡人数更正为3人，此前公布的5人有误", {"deaths": 3}),
    ("死者人数从9人修正为8人", {"deaths": 8}),
    ("失联人数已降至2人", {"missing": 2}),
    ("爆燃造成3人当场死亡，另有2人送医后不治身亡", {"deaths": 5, "hospitalised": 2}),
    ("1人当场死亡，2人经抢救无效死亡", {"deaths": 3}),
    ("共有5人死亡，其中3人为消防员", {"deaths": 5}),
    ("累计死亡120例，新增死亡5例", {"deaths": 120}),
    ("当日新增死亡2例，累计确诊440例，累计死亡9例", {"deaths": 9}),
    ("演练中突发意外，致1人死亡", {"deaths": 1}),
    ("网传5人死亡不实，实际1人死亡", {"deaths": 1}),
    ("去年该厂曾发生爆炸致4人死亡。昨日再度起火，2人受伤", {"injured": 2}),
    ("2015年8月该码头爆炸，造成165人遇难", {"deaths": 165}),
    ("死者为2男1女", {"deaths": 3}),
    ("车上男2名女1名均遇难", {"deaths": 3}),
    ("夫妻双双身亡", {"deaths": 2}),
    ("母子俩溺亡", {"deaths": 2}),
    ("爷孙俩在家中一氧化碳中毒身亡", {"deaths": 2}),
    ("一名驾驶员和两名乘客遇难", {"deaths": 3}),
    ("2名学生、1名教师受伤", {"injured": 3}),
    ("1人重伤、4人轻伤", {"injured": 5, "serious": 1}),
    ("另有重伤3人，轻伤11人", {"injured": 14, "serious": 3}),
    ("共致8人受伤，其中3人重伤", {"injured": 8, "serious": 3}),
    ("转移群众1.2万人", {"evacuated": 12000}),
    ("紧急疏散居民3200余人", {"evacuated": 3200}),
    ("转移安置23户77人", {"evacuated": 77}),
    ("两千多名村民连夜撤离", {"evacuated": 2000}),
    ("直接经济损失3000余万元", {"loss_cny": 30000000}),
    ("经济损失达1.2亿元", {"loss_cny": 120000000}),
    ("损失约五百万元", {"loss_cny": 5000000}),
    ("发生5.2级地震", {"magnitude": 5.2}),
    ("里氏6.8级强震", {"magnitude": 6.8}),
    ("震级为4.9级", {"magnitude": 4.9}),
    ("发生六点一级地震", {"magnitude": 6.1}),
    ("阵风达12级", {"wind": 12}),
    ("台风中心附近最大风力有14级", {"wind": 14}),
    ("出现10级以上大风", {"wind": 10}),
    ("小区停水12小时", {"outage_h": 12}),
    ("全镇停电两天", {"outage_h": 48}),
    ("断气近三天", {"outage_h": 72}),
    ("中断供水8个小时", {"outage_h": 8}),
    ("停暖一周", {"outage_h": 168}),
    ("停电两个半小时", {"outage_h": 2.5}),
    ("一名3岁男童坠井身亡", {"deaths": 1}),
    ("一名男子抢救无效死亡", {"deaths": 1}),
    ("机上132人无一生还", {"deaths": 132}),
    ("船上11人全部罹难", {"deaths": 11}),
    ("井下17名矿工已无生命体征", {"deaths": 17}),
    ("12人被送往医院救治，均无生命危险", {"hospitalised": 12}),
    ("有人持刀砍伤两人后逃跑", {"injured": 2}),
    ("货车撞伤5名路人", {"injured": 5}),
    ("失控轿车撞死3人", {"deaths": 3}),
    ("山火烧死1名扑火队员", {"deaths": 1}),
    ("男子将两名邻居捅伤", {"injured": 2}),
    ("截至目前已搜救出22人(11人生还,11人死亡),失联34人", {"deaths": 11, "missing": 34}),
    ("网传致3死，真的吗？", {"deaths": 3}),
    ("当地称死亡人数仍为3人", {"deaths": 3}),
    ("确诊病例2人，死亡0例", {"deaths": 0}),
    ("9死1伤矿难却上报无人伤亡", {"deaths": 9, "injured": 1}),
    ("公司声明无人死亡，家属称已有2人死亡", {"deaths": 2}),
    ("68名学生出现食物中毒症状", {"injured": 68}),
    ("食堂就餐后二十多人身体不适", {"injured": 20}),
    ("43名幼儿腹泻住院", {"hospitalised": 43}),
    ("有2名群众下落不明", {"missing": 2}),
    ("6人失联，目前已找到4人", {"missing": 6}),
    ("电梯故障，7人被困一小时", {"trapped": 7}),
    ("电影院起火致3人死亡", {"deaths": 3}),
    ("父子3人溺亡", {"deaths": 3}),
    ("一家5口遇难", {"deaths": 5}),
    ("一家五口全部遇难，仅1人获救", {"deaths": 5}),
    ("4名工人坠井，2人获救，2人死亡", {"deaths": 2}),
    ("遇难者3人", {"deaths": 3}),
    ("死者共4人", {"deaths": 4}),
    ("找到两具遗体", {"deaths": 2}),
    ("近百人食物中毒", {"injured": 100}),
    ("上千人连夜转移", {"evacuated": 1000}),
    ("一百二十名群众安全撤离", {"evacuated": 120}),
    ("1,200名师生疏散", {"evacuated": 1200}),
    ("事故致４死十余伤", {"deaths": 4, "injured": 10}),
    ("壹人死亡", {"deaths": 1}),
    ("確認七人死亡、廿三人受傷", {"deaths": 7, "injured": 23}),
    ("造成3人死亡 5人受伤 2人失联", {"deaths": 3, "injured": 5, "missing": 2}),
    ("造成3死5伤2失联", {"deaths": 3, "injured": 5, "missing": 2}),
    ("3人死亡、1人失联,直接经济损失420万元", {"deaths": 3, "missing": 1, "loss_cny": 4200000}),
    ("重伤18人", {"serious": 18, "injured": 18}),
    ("5名工人中3人死亡", {"deaths": 3}),
    ("网传谣言满天飞。事故已致3人死亡", {"deaths": 3}),
    ("感谢政府！点赞！未造成伤亡的假话别信，3人死亡", {"deaths": 3}),
    ("网友感谢消防员的救援。爆炸已致2人死亡", {"deaths": 2}),
    ("全县共转移安置群众１２０００人", {"evacuated": 12000}),
    ("目前有6人在医院接受救治", {"hospitalised": 6}),
    ("3名伤者已送医", {"injured": 3, "hospitalised": 3}),
    ("抢救出3人送往医院救治，伤者病情稳定", {"injured": 3, "hospitalised": 3}),
    ("井下尚有十一人失去联系", {"missing": 11}),
    ("坍塌现场发现四具遗体", {"deaths": 4}),
    ("死亡5人、失踪8人、受伤63人", {"deaths": 5, "missing": 8, "injured": 63}),
    ("致2死4伤，直接经济损失1.5亿元", {"deaths": 2, "injured": 4, "loss_cny": 150000000}),
    ("损失20多万块", {"loss_cny": 200000}),
    ("共造成4.2万人紧急避险", {"evacuated": 42000}),
    ("约2000名业主围堵售楼部", {"crowd": 2000}),
    ("聚集群众上千人", {"crowd": 1000}),
    ("客户资料泄露，涉及1200万条", {"leaked": 12000000}),
    ("列车18节车厢脱轨，铁路中断行车50小时", {"derailed": 18, "halted_h": 50}),
    ("县级水源地取水中断", {"source_cut": 1}),
    ("全市主城区水源地取水中断", {"source_cut": 2}),
    ("村里停电36小时了", {"outage_h": 36}),
    ("停水三天，居民到处找水", {"outage_h": 72}),
    ("死亡人数从此前的12人上调至15人", {"deaths": 15}),
    ("上午称2人遇难，下午增至4人遇难", {"deaths": 4}),
    ("3死8伤！高速连环相撞", {"deaths": 3, "injured": 8}),
    ("致使一对老夫妻双双遇难", {"deaths": 2}),
    ("两名辅警和一名村民牺牲", {"deaths": 3}),
    ("火灾致7人中毒，其中1人死亡", {"deaths": 1, "injured": 7}),
]  # fmt: skip
"""Invented reports in all the ways that counts are written → all that is stated."""

NOT_SAID = [
    "预计10至15人死亡的消息尚待核实",
    "如果再不整改，迟早3人死亡",
    "假如发生溃坝，将有上万人被困",
    "应急演练设定场景为5人死亡、10人受伤",
    "按预案，造成30人以上死亡的为特别重大事故",
    "死亡3人以上10人以下的事故属较大事故",
    "网传某厂爆炸致20人死亡，系谣言",
    "警方：编造“小区发生命案，死了3个人”的男子被拘留",
    "辟谣：地铁坍塌致8人死亡不实",
    "法院判令赔偿经济损失300万元",
    "已经36小时没恢复，停水",
    "计划停水检修8小时",
    "3岁男童坠井身亡",
    "送医后抢救无效死亡",
    "孩子因为没有及时送医死亡",
    "3名落水者生命垂危",
    "公司拖欠12人工资，急死了",
    "买菜的人多得吓死人，排了200人",
    "加班累死了，3人离职",
    "3只羊被咬死，2头牛失踪",
    "河里死鱼2000多条",
    "被判处死刑的3人",
    "第3名死者身份确认",
    "3月5日死亡",
    "死亡率3%",
    "死伤人数不详",
    "具体死亡人数正在统计",
    "伤亡情况不明",
    "死了几个人？",
    "真的死了3个人吗",
    "两车相撞，司机被困车内",
    "电影里300人死亡的镜头",
    "为防止再次造成人员死亡5人的惨剧",
    "险些造成3人死亡",
    "确诊319例，急死人了",
    "mh370失踪十年",
    "逃亡3人落网",
    "3人获救，暂无死亡报告",
    "死者家属3人到场",
    "危重症3例",
    "死亡时间为3人发现前",
    "考题：某矿透水致9人死亡，应定为几级",
    "小说里写到300人遇难",
    "剧中5人死亡的桥段",
    "他威胁要让5人死亡",
    "不存在3人死亡的情况",
    "并非3人死亡",
    "散布“爆炸致6人死亡”谣言被处罚",
    "今晚将停水8小时",
    "死亡赔偿金80万元",
    "5岁",
    "5头牛死亡",
    "第2名遇难者家属抵达",
    "预计损失三天后核清",
    "避免了3000万元损失",
    "请求法院判令支付损失50万元",
    "全村停电检修通知",
    "停电3天前就反映过",
]  # fmt: skip
"""Supposed, rehearsed, denied, of others, or no count at all."""


def read(text: str) -> Facts:
    return extract(canonical(text))


def stated(text: str) -> dict[str, Any]:
    return {name: value for name, value in read(text).as_dict().items() if value is not None}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("3", 3), ("1,200", 1200), ("3.5万", 35_000), ("1.2亿", 120_000_000), ("30余", 30), ("三千余", 3000),
        ("两", 2), ("十二", 12), ("三十", 30), ("一百零五", 105), ("两千三百", 2300), ("一万两千", 12_000),
        ("三十余", 30), ("十几", 11), ("几十", 20), ("百余", 100), ("数百", 200), ("三四十", 30), ("三四", 3),
        ("二〇二六", 2026),
    ],
)  # fmt: skip
def test_a_numeral_has_the_least_value_it_can_mean(word: str, value: float) -> None:
    assert number(word) == value


@pytest.mark.parametrize("word", ["", "水", "余", "人"])
def test_what_is_no_numeral_has_no_value(word: str) -> None:
    assert number(word) is None


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("厂房爆炸造成三十余人死亡，十几人受伤", {"deaths": 30, "injured": 11}),
        ("两车相撞致1死3伤", {"deaths": 1, "injured": 3}),
        ("连环追尾，两死一伤", {"deaths": 2, "injured": 1}),
        ("酒楼垮塌造成4死87伤3人被困", {"deaths": 4, "injured": 87, "trapped": 3}),
        ("2名消防队员在救援中壮烈牺牲", {"deaths": 2}),
        ("一家三口全部遇难", {"deaths": 3}),
        ("一男子在桥上坠河身亡", {"deaths": 1}),
        ("一男一女受伤", {"injured": 2}),
        ("確認十二人罹難", {"deaths": 12}),
        ("造成１０人死亡", {"deaths": 10}),
        ("矿井下仍有11人被困、2人失联", {"trapped": 11, "missing": 2}),
        ("现场发现3具遗体", {"deaths": 3}),
        ("百余名群众紧急转移", {"evacuated": 100}),
        ("已疏散群众1,200余人", {"evacuated": 1200}),
        ("20多人被送往医院救治", {"hospitalised": 20}),
        ("直接经济损失约1.2亿元", {"loss_cny": 120_000_000}),
        ("损失3000余万元", {"loss_cny": 30_000_000}),
        ("造成500万元的经济损失", {"loss_cny": 5_000_000}),
        ("5名工人中3人死亡", {"deaths": 3}),
        ("被困的4名矿工，经抢救无效均已死亡", {"deaths": 4, "trapped": 4}),
    ],
)  # fmt: skip
def test_counts_are_read_in_every_way_of_writing(text: str, counts: dict[str, int]) -> None:
    assert stated(text) == counts


@pytest.mark.parametrize(("text", "counts"), CASES)
def test_a_report_states_exactly_these_counts(text: str, counts: dict[str, float]) -> None:
    assert stated(text) == counts


@pytest.mark.parametrize("text", NOT_SAID)
def test_a_text_that_tells_of_no_event_states_nothing(text: str) -> None:
    assert stated(text) == {}


@pytest.mark.parametrize(("text", "counts"), CASES)
def test_every_count_points_at_its_words(text: str, counts: dict[str, float]) -> None:
    plain = canonical(text)
    facts = extract(plain)
    assert all(plain[fact.start : fact.end] == fact.words for fact in facts.evidence)
    assert all(facts.why(kind) for kind in counts)


@pytest.mark.parametrize("text", ["幸无人员伤亡", "火灾未造成人员伤亡", "目前没有人员伤亡", "暂无人员伤亡"])
def test_none_is_zero_and_not_unknown(text: str) -> None:
    assert stated(text) == {"deaths": 0, "injured": 0}


@pytest.mark.parametrize(
    "text",
    [
        "伤亡情况不明",
        "暂未收到人员伤亡报告",
        "加班加得累死了",
        "演练模拟5人死亡的场景",
        "一旦爆炸，可能造成100人死亡",
        "网传死亡五人？",
        "3月5日死亡",
        "剧里男二死了,看得难逃一死",
        "领到八万七千安置费",
        "",
    ],
)
def test_what_is_not_said_to_have_happened_is_not_stated(text: str) -> None:
    assert stated(text) == {}


def test_a_correction_takes_the_later_number_over_an_earlier_larger_one() -> None:
    assert read("死亡人数由3人上升至5人").deaths == 5
    assert read("此前误报9人死亡，截至今晨死亡人数更新为6人").deaths == 6


def test_the_largest_of_several_reports_counts() -> None:
    assert read("上午通报2人死亡。下午记者获悉共有7人死亡").deaths == 7


def test_light_and_grave_injuries_add_up_and_the_grave_are_kept_apart() -> None:
    facts = read("另有5人重伤，8人轻伤，2人轻微伤")
    assert (facts.injured, facts.serious) == (15, 5)


def test_every_number_shows_the_words_it_was_read_from() -> None:
    text = canonical("昨夜发生垮塌，3名工人被埋，1人重伤，损失80万元")
    facts = extract(text)
    assert {fact.kind for fact in facts.evidence} == {"trapped", "serious", "loss_cny"}
    for fact in facts.evidence:
        assert text[fact.start : fact.end] == fact.words
    assert facts.why("trapped") == "3名工人被埋"


def test_good_news_around_it_does_not_hide_a_death() -> None:
    praise = "感谢政府，大家生活幸福美满，点赞！" * 200
    assert read(f"{praise}厂房起火，致3人死亡。{praise}").deaths == 3


@pytest.mark.parametrize(
    "flood",
    [
        "死",
        "一",
        "1",
        "无",
        "损失",
        "1元损失",
        "1人死亡",
        "死亡者人数",
        "3人,经",
        "如果",
        "1,111",
        "😀",
        "未 ",
    ],
)
def test_a_hostile_flood_still_gives_facts(flood: str) -> None:
    assert isinstance(extract(flood * (100_000 // len(flood))), Facts)


@given(
    st.integers(1, 9_999),
    st.sampled_from(["名工人", "人", "位村民", "名学生"]),
    st.sampled_from(["死亡", "遇难", "身亡"]),
)
def test_any_plain_count_of_dead_is_read(n: int, who: str, verb: str) -> None:
    assert read(f"事故已造成{n}{who}{verb}。").deaths == n


@given(st.text(alphabet="0123456789一二三十百万亿余几人名死亡伤失踪困损元,，。无未上升至", max_size=120))
def test_no_mixture_of_its_own_words_breaks_it(text: str) -> None:
    facts = extract(text)
    assert all(value is None or value >= 0 for value in facts.as_dict().values())


TODAY = date(2026, 11, 4)


@pytest.mark.parametrize(
    "text",
    [
        "2015年8月12日爆炸，造成165人遇难",
        "去年该厂曾发生爆炸致4人死亡",
        "今天是地震十八周年，悼念6万余名遇难同胞",
        "2019年“3·21”爆炸致78人死亡",
    ],
)
def test_an_old_event_is_told_apart_where_the_day_is_known(text: str) -> None:
    assert extract(canonical(text), TODAY).deaths is None
    assert any(fact.past for fact in extract(canonical(text), TODAY).evidence)


@pytest.mark.parametrize(
    "text",
    [
        "2019年投产的化工厂昨日爆炸，致3人死亡",
        "2026年11月3日，一厂房坍塌致3人死亡",
        "去年以来累计3人死亡",
        "该厂去年曾被处罚。今晨爆炸致3人死亡",
        "11月3日，致3人死亡",
    ],
)
def test_a_year_in_the_sentence_does_not_hide_todays_dead(text: str) -> None:
    assert extract(canonical(text), TODAY).deaths == 3


PADDING = [
    "点赞！",
    "无人员伤亡。",
    "😀",
    "\u200b",
    "。",
    " ",
    "ａ",
    "辟谣！",
    "演练",
    "如果",
    "感谢政府，一切正常。",
    "谣言",
]


@pytest.mark.parametrize("padding", PADDING)
def test_padding_before_and_behind_never_hides_a_death(padding: str) -> None:
    fill = padding * (20_000 // len(padding))
    assert read(f"{fill}。厂房起火，致3人死亡。{fill}").deaths == 3


@pytest.mark.parametrize("unseen", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\ufe0f"])
def test_unseen_characters_between_the_letters_hide_nothing(unseen: str) -> None:
    assert read(unseen.join("厂房起火，致3人死亡")).deaths == 3


@pytest.mark.parametrize(
    "flood",
    [
        "死",
        "3人死亡",
        "无人伤亡",
        "损失1万元",
        "停水3天",
        "5.2级地震",
        "如果",
        "，",
        "1",
        "和1名男",
        "😀",
        "\u200b",
    ],
)
def test_a_million_characters_take_bounded_time(flood: str) -> None:
    begun = time.monotonic()
    read(flood * (1_000_000 // len(flood)))
    assert time.monotonic() - begun < 30  # a moment alone; a reader that runs away takes minutes


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["致3人死亡", "3人遇难", "造成三人死亡", "死亡3人"]),
)
def test_whatever_stands_in_other_paragraphs_a_death_is_read(before: str, behind: str, said: str) -> None:
    found = read(f"{before}\n厂房起火，{said}。\n{behind}")
    assert found.deaths is not None
    assert found.deaths > 0


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    plain = canonical(text)
    for fact in extract(plain).evidence:
        assert 0 <= fact.start < fact.end <= len(plain)


@pytest.mark.parametrize(
    "verb", sorted({v for verbs in _VERBS.values() for v in re.findall("[一-龥]{2,}", verbs)})
)
def test_the_shortcut_lets_every_key_word_begin(verb: str) -> None:
    spoken = [one for one in _VERBS.values() if re.search(one, verb)]
    for verbs in spoken:
        found = re.search(verbs, verb)
        assert found is not None
        assert re.match(_BEGIN, verb[found.start()])


def test_who_does_it_is_not_the_one_who_is_hurt() -> None:
    assert stated("他被其中一名女子捅伤，抢救无效死亡") == {}
    assert stated("2人被一名男子捅伤") == {"injured": 2}
    assert stated("3名学生被两只恶犬咬伤") == {"injured": 3}
